#pragma once
/* One tree for both sources of a set: YAML with positions, or the published JSON without. */

#include "daemon/base/arena.h"
#include "daemon/json/value.h"
#include "daemon/yaml/yaml.h"

enum policy_node_kind { POLICY_SCALAR, POLICY_LIST, POLICY_MAP };

struct policy_node {
	enum policy_node_kind kind;
	const char *file;
	unsigned line; /* 0: from JSON */
	unsigned column;
	const char *text; /* scalar; NUL-terminated */
	bool is_quoted;
	bool is_reported; /* one complaint about it is enough, however many wikis it concerns */
	size_t n_items;
	struct policy_node **keys; /* mapping only */
	struct policy_node **items;
};

int policy_node_from_yaml(struct arena *arena, const char *file, const struct yaml_node *yaml,
			  struct policy_node **ret_node);
int policy_node_from_value(struct arena *arena, const char *file, const struct value *value,
			   struct policy_node **ret_node);

/* All take NULL and the wrong kind and then answer NULL, 0 or `otherwise`. */
struct policy_node *policy_node_get(const struct policy_node *map, const char *key);
const char *policy_node_text(const struct policy_node *scalar);
const char *policy_node_get_text(const struct policy_node *map, const char *key);
size_t policy_node_count(const struct policy_node *node, enum policy_node_kind kind);
struct policy_node *policy_node_value(struct policy_node *node); /* x itself, or {value: x}'s x */
bool policy_node_is_null(const struct policy_node *node);
bool policy_node_is_true(const struct policy_node *node, bool otherwise);
int64_t policy_node_integer(const struct policy_node *node, int64_t otherwise);
int64_t policy_node_duration(const struct policy_node *node, int64_t otherwise); /* seconds */
bool policy_text_is_integer(const char *text, int64_t *ret_integer);
bool policy_time_is_before(const char *from, const char *to);
