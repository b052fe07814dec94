/*
 * The tree the engine works on: made from YAML, where every node knows its place in a file, or from
 * the canonical JSON. Scalars are text in both; the schema says what they mean.
 */

#include "policy/node.h"

#include <inttypes.h>
#include <string.h>

#include "daemon/base/text.h"

static struct policy_node *node_new(struct arena *arena, const char *file,
				    enum policy_node_kind kind, size_t n_items)
{
	struct policy_node *node = arena_alloc(arena, sizeof(*node));

	if (!node)
		return NULL;
	node->file = file;
	node->kind = kind;
	if (n_items == 0)
		return node;
	node->items = arena_alloc(arena, n_items * sizeof(*node->items));
	node->keys = arena_alloc(arena, n_items * sizeof(*node->keys));
	return node->items && node->keys ? node : NULL;
}

/* file is borrowed and has to live as long as the arena. */
int policy_node_from_yaml(struct arena *arena, const char *file, const struct yaml_node *yaml,
			  struct policy_node **ret_node)
{
	static const enum policy_node_kind kinds[] = {
		[YAML_SCALAR] = POLICY_SCALAR,
		[YAML_SEQUENCE] = POLICY_LIST,
		[YAML_MAPPING] = POLICY_MAP,
	};
	struct policy_node *node = node_new(arena, file, kinds[yaml->kind], yaml->n_items);

	if (!node)
		return -ENOMEM;
	node->line = yaml->line;
	node->column = yaml->column;
	node->is_quoted = yaml->is_quoted;
	if (yaml->kind == YAML_SCALAR) {
		node->text = arena_strndup(arena, yaml->text.at ? yaml->text.at : "",
					   yaml->text.length);
		if (!node->text)
			return -ENOMEM;
	}
	for (size_t i = 0; i < yaml->n_items; i++) {
		int r = 0;

		if (yaml->items[i].key)
			r = policy_node_from_yaml(arena, file, yaml->items[i].key, &node->keys[i]);
		if (r == 0)
			r = policy_node_from_yaml(arena, file, yaml->items[i].value,
						  &node->items[i]);
		if (r < 0)
			return r;
		node->n_items++;
	}
	*ret_node = node;
	return 0;
}

static int scalar_from_value(struct arena *arena, const struct value *value,
			     struct policy_node *node)
{
	switch (value_type(value)) {
	case VALUE_TEXT:
		node->is_quoted = true;
		node->text = arena_strndup(arena, value_text(value).at, value_text(value).length);
		break;
	case VALUE_BOOLEAN:
		node->text = value_is_true(value) ? "true" : "false";
		break;
	case VALUE_INTEGER:
		node->text = arena_printf(arena, "%" PRId64, value_integer(value, 0));
		break;
	default:
		node->text = "null";
	}
	return node->text ? 0 : -ENOMEM;
}

int policy_node_from_value(struct arena *arena, const char *file, const struct value *value,
			   struct policy_node **ret_node)
{
	enum policy_node_kind kind = value_is(value, VALUE_OBJECT)  ? POLICY_MAP
				     : value_is(value, VALUE_ARRAY) ? POLICY_LIST
								    : POLICY_SCALAR;
	struct policy_node *node = node_new(arena, file, kind, value_count(value));
	struct slice key;
	struct value *member;
	int r = 0;

	if (!node)
		return -ENOMEM;
	if (kind == POLICY_SCALAR)
		r = scalar_from_value(arena, value, node);
	for (size_t i = 0; kind == POLICY_LIST && i < value_count(value) && r == 0; i++)
		r = policy_node_from_value(arena, file, value_at(value, i),
					   &node->items[node->n_items++]);
	for (void *at = NULL; kind == POLICY_MAP && r == 0 && value_each(value, &at, &key, &member);
	     node->n_items++) {
		struct policy_node *name = node_new(arena, file, POLICY_SCALAR, 0);

		if (!name)
			return -ENOMEM;
		name->text = arena_strndup(arena, key.at, key.length);
		name->is_quoted = true;
		if (!name->text)
			return -ENOMEM;
		node->keys[node->n_items] = name;
		r = policy_node_from_value(arena, file, member, &node->items[node->n_items]);
	}
	if (r < 0)
		return r;
	*ret_node = node;
	return 0;
}

struct policy_node *policy_node_get(const struct policy_node *map, const char *key)
{
	for (size_t i = 0; i < policy_node_count(map, POLICY_MAP); i++)
		if (strcmp(map->keys[i]->text, key) == 0)
			return map->items[i];
	return NULL;
}

const char *policy_node_text(const struct policy_node *scalar)
{
	return scalar && scalar->kind == POLICY_SCALAR ? scalar->text : NULL;
}

const char *policy_node_get_text(const struct policy_node *map, const char *key)
{
	return policy_node_text(policy_node_get(map, key));
}

size_t policy_node_count(const struct policy_node *node, enum policy_node_kind kind)
{
	return node && node->kind == kind ? node->n_items : 0;
}

struct policy_node *policy_node_value(struct policy_node *node)
{
	return node && node->kind == POLICY_MAP ? policy_node_get(node, "value") : node;
}

bool policy_node_is_null(const struct policy_node *node)
{
	if (!node)
		return true;
	return node->kind == POLICY_SCALAR && !node->is_quoted &&
	       (strcmp(node->text, "null") == 0 || strcmp(node->text, "~") == 0 ||
		node->text[0] == '\0');
}

bool policy_node_is_true(const struct policy_node *node, bool otherwise)
{
	const char *text = policy_node_text(node);

	return text ? strcmp(text, "true") == 0 : otherwise;
}

bool policy_text_is_integer(const char *text, int64_t *ret_integer)
{
	int64_t integer = 0;
	size_t length = text ? strlen(text) : 0;

	if (length == 0 || length > 9 || (text[0] == '0' && length > 1))
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		integer = integer * 10 + (text[i] - '0');
	}
	*ret_integer = integer;
	return true;
}

int64_t policy_node_integer(const struct policy_node *node, int64_t otherwise)
{
	int64_t integer = otherwise;

	policy_text_is_integer(policy_node_text(node), &integer);
	return integer;
}

int64_t policy_node_duration(const struct policy_node *node, int64_t otherwise)
{
	const char *text = policy_node_text(node);
	int64_t seconds;

	if (!text || text_read_duration((struct slice){ text, strlen(text) }, &seconds) != 0)
		return otherwise;
	return seconds;
}

/* True also when one of them is no time: the schema complains about that. */
bool policy_time_is_before(const char *from, const char *to)
{
	int64_t left, right;

	if (!from || !to || text_read_timestamp((struct slice){ from, strlen(from) }, &left) != 0 ||
	    text_read_timestamp((struct slice){ to, strlen(to) }, &right) != 0)
		return true;
	return left < right;
}
