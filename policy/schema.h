#pragma once
/* The shape of a node as a table: what may stand where, and how it is written as JSON. */

#include "policy/report.h"

enum schema_type {
	SCHEMA_ID,
	SCHEMA_RULE_ID,
	SCHEMA_DBNAME,
	SCHEMA_LANG,
	SCHEMA_BOOL,
	SCHEMA_INT,      /* min..max */
	SCHEMA_DURATION, /* min..max seconds */
	SCHEMA_DATE,
	SCHEMA_TIME,
	SCHEMA_URL,
	SCHEMA_HOST,
	SCHEMA_LABEL,
	SCHEMA_TEXT,
	SCHEMA_WORD, /* one of words */
	SCHEMA_ID_OR_NULL,
	SCHEMA_JURISDICTION, /* wiki:x, group:x, region:x, global */
	SCHEMA_LAYER_NAME,   /* region:x, group:x, wiki:x, base:base */
	SCHEMA_LIST,         /* of element */
	SCHEMA_MAP,          /* key → element */
	SCHEMA_STRUCT,       /* fields */
	SCHEMA_VALUED,       /* element, or {value: element, source, accessed, example} */
	SCHEMA_FIXED,        /* stands for what an overlay cannot change */
};

struct schema;

struct schema_field {
	const char *name; /* NULL ends the list */
	const struct schema *schema;
	bool is_required;
};

struct schema {
	enum schema_type type;
	bool is_annotated; /* struct: source, accessed, example are welcome */
	int64_t min;
	int64_t max;
	const char *const *words; /* NULL-terminated */
	const struct schema *key;
	const struct schema *element;
	const struct schema_field *fields;
};

/* Complaints go to the report; text is trimmed and normalised in place. Negative: out of memory. */
int policy_schema_check(const struct schema *schema, struct policy_node *node,
			struct policy_report *report);
/* The node as JSON, typed by the schema; NULL: out of memory. The node has passed the check. */
struct value *policy_schema_write(const struct schema *schema, const struct policy_node *node);

bool policy_text_is_id(const char *text);
bool policy_text_is_dbname(const char *text);
bool policy_text_is_lang(const char *text);
