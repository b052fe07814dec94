#pragma once
/* The schemas of the files of a set (policy/FORMAT.md). */

#include "policy/schema.h"

extern const struct schema_field policy_annotation_fields[];
extern const struct schema policy_schema_manifest;
extern const struct schema policy_schema_base;    /* base.yaml of the first directory */
extern const struct schema policy_schema_overlay; /* every other layer file */
extern const struct schema policy_schema_registry;
extern const struct schema policy_schema_wiki; /* one entry of a registry */
extern const struct schema policy_schema_lang;

extern const char *const policy_severity_words[]; /* S1 … S4: index + 1 is the severity */
extern const char *const policy_privacy_words[];
extern const char *const policy_route_words[];
extern const char *const policy_level_words[]; /* index + 1 is the level */
extern const char *const policy_routes[]; /* keys of the section routes; the first are required */
enum { POLICY_N_ROUTES = 10, POLICY_N_ROUTES_REQUIRED = 4, POLICY_ROUTE_DEFAULT = 3 };

int policy_word_find(const char *const *words, const char *wanted); /* index or -1; NULL: -1 */
