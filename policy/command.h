#pragma once
/* What the operator's tool does with policy: check, diff, show, publish, import of wikis. */

#include "policy/set.h"

/*
 * All append readable lines to `out`. They return 0; POLICY_E_REFUSED with the reasons in `out`;
 * POLICY_E_ABSENT where a wiki or rule is not there (said in `out` too); or a negative error.
 */

/* A directory, or a file that holds the canonical JSON of a published set. */
int policy_command_open(const char *path, struct policy_set **ret_set, struct buffer *out);

/* "OK: revision 3, version 9f…, 21 layers, 68 wikis, 17 profiles" */
int policy_command_check(const char *const *directories, size_t n_directories, struct buffer *out);

/* What changes from one set to the other, by layer. Equal sets: "no differences". */
int policy_command_diff(const struct policy_set *from, const struct policy_set *to,
			struct buffer *out);

/* wiki, lang, rule: NULL where not given. Without a rule: everything that is in force. */
int policy_command_show(const struct policy_set *set, const char *wiki, const char *lang,
			const char *rule, struct buffer *out);

/* Loads what conduct_api_1.publish_policy gets: version, revision, canonical, effective. */
int policy_command_publish(const char *const *directories, size_t n_directories,
			   struct policy_set **ret_set, struct buffer *out);

/* The answer of api.php?action=sitematrix&format=json as the text of a registry file. */
int policy_command_import(struct slice sitematrix, struct buffer *ret_yaml, struct buffer *out);
