/*
 * Readers of the tree that parse.c makes. All of them take NULL, so that a schema walk can ask for
 * what may be absent without asking twice.
 */

#include "daemon/yaml/yaml.h"

#include <string.h>

/* Finds a member of a mapping; NULL when there is none or this is no mapping. */
const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key)
{
	if (!mapping || mapping->kind != YAML_MAPPING)
		return NULL;
	for (size_t i = 0; i < mapping->n_items; i++) {
		if (strcmp(mapping->items[i].key->text.at, key) == 0)
			return mapping->items[i].value;
	}
	return NULL;
}

/* Finds an item of a sequence; NULL behind the end or when this is no sequence. */
const struct yaml_node *yaml_at(const struct yaml_node *sequence, size_t index)
{
	if (!sequence || sequence->kind != YAML_SEQUENCE || index >= sequence->n_items)
		return NULL;
	return sequence->items[index].value;
}

/* The text of a scalar as a C string, or NULL. */
const char *yaml_string(const struct yaml_node *scalar)
{
	return scalar && scalar->kind == YAML_SCALAR ? scalar->text.at : NULL;
}

/* Whether this is a scalar of that text, quoted or not. */
bool yaml_equals(const struct yaml_node *scalar, const char *text)
{
	const char *string = yaml_string(scalar);

	return string && strcmp(string, text) == 0;
}

static bool is_plain(const struct yaml_node *node)
{
	return node && node->kind == YAML_SCALAR && !node->is_quoted;
}

/* Whether nothing was written, or null: "key:", "key: ~", "key: null". An absent node is not. */
bool yaml_is_null(const struct yaml_node *node)
{
	return is_plain(node) && (node->text.length == 0 || strcmp(node->text.at, "~") == 0 ||
				  strcmp(node->text.at, "null") == 0);
}

/* Only true and false: YAML 1.1's yes, no, on and off are where Norway became a boolean. */
int yaml_read_boolean(const struct yaml_node *scalar, bool *ret_boolean)
{
	if (!is_plain(scalar))
		return YAML_E_MALFORMED;
	if (strcmp(scalar->text.at, "true") == 0)
		*ret_boolean = true;
	else if (strcmp(scalar->text.at, "false") == 0)
		*ret_boolean = false;
	else
		return YAML_E_MALFORMED;
	return 0;
}

/* Decimal digits with an optional '-': no octal, no '_', no leading zeros, within 64 bits. */
int yaml_read_integer(const struct yaml_node *scalar, int64_t *ret_integer)
{
	const char *at = is_plain(scalar) ? scalar->text.at : "";
	bool is_negative = *at == '-';
	int64_t integer = 0;

	at += is_negative;
	if (!*at || (at[0] == '0' && (at[1] || is_negative)))
		return YAML_E_MALFORMED;
	for (; *at; at++) {
		int digit = *at - '0';

		if (digit < 0 || digit > 9)
			return YAML_E_MALFORMED;
		/* Summed below zero, where there is room for one more. */
		if (__builtin_mul_overflow(integer, 10, &integer) ||
		    __builtin_sub_overflow(integer, digit, &integer))
			return YAML_E_MALFORMED;
	}
	if (!is_negative && __builtin_mul_overflow(integer, -1, &integer))
		return YAML_E_MALFORMED;
	*ret_integer = integer;
	return 0;
}
