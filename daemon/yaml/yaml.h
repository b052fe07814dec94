#pragma once
/*
 * The strict part of YAML that policy and configuration are written in: mappings with scalar keys,
 * sequences, scalars. Scalars stay text: the schema of the reader decides the type.
 */

#include "daemon/base/error.h"

enum { YAML_E_MALFORMED = 1 };
enum { YAML_DEPTH_MAX = 16, YAML_SIZE_MAX = 4 * 1024 * 1024 };

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

/* Lines and columns count from 1; columns in code points. */
struct yaml_node {
	enum yaml_kind kind;
	unsigned line;
	unsigned column;
	struct slice text; /* scalar: NUL-terminated, no NUL inside */
	bool is_quoted; /* scalar: written '…' or "…" or as a block, so never null, true, 1 */
	size_t n_items; /* sequence: items; mapping: members */
	struct yaml_item *items;
};

struct yaml_item {
	struct yaml_node *key; /* mapping: a scalar; sequence: NULL */
	struct yaml_node *value;
};

struct yaml_error {
	unsigned line;
	unsigned column;
	char message[240]; /* plain text, one line */
};

struct yaml_document; /* owns all of its nodes */

/* ret_error is filled on a positive return. The bytes may go after the call. */
int yaml_document_new(struct slice bytes, struct yaml_document **ret_document,
		      struct yaml_error *ret_error);
struct yaml_document *yaml_document_free(struct yaml_document *document);
void yaml_document_freep(struct yaml_document **document); /* for CLEANUP() */
const struct yaml_node *yaml_document_root(const struct yaml_document *document); /* never NULL */

/* NULL-tolerant readers. */
const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key); /* or NULL */
const struct yaml_node *yaml_at(const struct yaml_node *sequence, size_t index);    /* or NULL */
const char *yaml_string(const struct yaml_node *scalar); /* or NULL: absent or not a scalar */
bool yaml_equals(const struct yaml_node *scalar, const char *text);
bool yaml_is_null(const struct yaml_node *node); /* plain and empty, "~" or "null" */
/* 0 or YAML_E_MALFORMED: not a plain scalar of that type (true/false; decimal, in int64). */
int yaml_read_boolean(const struct yaml_node *scalar, bool *ret_boolean);
int yaml_read_integer(const struct yaml_node *scalar, int64_t *ret_integer);
