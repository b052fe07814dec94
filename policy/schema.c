/*
 * Walks a node along its schema and names everything that does not fit: unknown and missing keys,
 * wrong kinds, wrong scalars. The same tables write the node as typed JSON, so that the canonical
 * form never depends on how a scalar happened to be quoted.
 */

#include "policy/schema.h"

#include <string.h>

#include "policy/scalar.h"
#include "policy/tables.h"

static const struct schema_field *field_find(const struct schema *schema, const char *name)
{
	for (const struct schema_field *field = schema->fields; field->name; field++)
		if (strcmp(field->name, name) == 0)
			return field;
	if (!schema->is_annotated)
		return NULL;
	for (const struct schema_field *field = policy_annotation_fields; field->name; field++)
		if (strcmp(field->name, name) == 0)
			return field;
	return NULL;
}

static void check_annotation(const struct policy_node *node, struct policy_report *report)
{
	struct policy_node *source = policy_node_get(node, "source");
	struct policy_node *accessed = policy_node_get(node, "accessed");

	if (source && !accessed)
		policy_report_add(report, source, "a source needs the date: key \"accessed\"");
	if (accessed && !source)
		policy_report_add(report, accessed, "accessed needs its \"source\"");
}

static void check_required(const struct schema *schema, const struct policy_node *node,
			   struct policy_report *report)
{
	for (const struct schema_field *field = schema->fields; field->name; field++) {
		bool is_text = field->schema->type == SCHEMA_LABEL ||
			       field->schema->type == SCHEMA_TEXT;

		if (field->is_required && !policy_node_get(node, field->name))
			policy_report_add(report, node, "key \"%s\" is missing%s", field->name,
					  is_text ? ": the English text is required" : "");
	}
}

static int check_struct(const struct schema *schema, struct policy_node *node,
			struct policy_report *report)
{
	for (size_t i = 0; i < node->n_items; i++) {
		const struct policy_node *key = node->keys[i];
		const struct schema_field *field = field_find(schema, key->text);
		int r;

		if (!field) {
			policy_report_add(report, key, "unknown key \"%s\"", key->text);
			continue;
		}
		if (field->schema->type == SCHEMA_FIXED) {
			policy_report_add(report, key, "\"%s\" cannot be changed by an overlay",
					  key->text);
			continue;
		}
		r = policy_schema_check(field->schema, node->items[i], report);
		if (r < 0)
			return r;
	}
	check_required(schema, node, report);
	if (schema->is_annotated)
		check_annotation(node, report);
	return 0;
}

static int check_items(const struct schema *schema, struct policy_node *node,
		       struct policy_report *report)
{
	for (size_t i = 0; i < node->n_items; i++) {
		int r = 0;

		if (schema->type == SCHEMA_MAP)
			r = policy_schema_check(schema->key, node->keys[i], report);
		if (r == 0)
			r = policy_schema_check(schema->element, node->items[i], report);
		if (r < 0)
			return r;
	}
	return 0;
}

static void check_repeats(const struct policy_node *list, struct policy_report *report)
{
	for (size_t i = 0; i < list->n_items; i++)
		for (size_t j = 0; j < i; j++) {
			const char *text = policy_node_text(list->items[i]);
			const char *other = policy_node_text(list->items[j]);

			if (text && other && strcmp(text, other) == 0) {
				policy_report_add(report, list->items[i],
						  "\"%s\" stands twice in the list", text);
				break;
			}
		}
}

int policy_schema_check(const struct schema *schema, struct policy_node *node,
			struct policy_report *report)
{
	switch (schema->type) {
	case SCHEMA_STRUCT:
	case SCHEMA_MAP:
		if (node->kind != POLICY_MAP) {
			policy_report_add(report, node, "a mapping is expected");
			return 0;
		}
		return schema->type == SCHEMA_STRUCT ? check_struct(schema, node, report)
						     : check_items(schema, node, report);
	case SCHEMA_LIST:
		if (node->kind != POLICY_LIST) {
			policy_report_add(report, node, "a list is expected");
			return 0;
		}
		check_repeats(node, report);
		return check_items(schema, node, report);
	case SCHEMA_VALUED:
		if (node->kind == POLICY_MAP) {
			const struct schema_field fields[] = { { "value", schema->element, true },
							       { 0 } };
			const struct schema mapping = { .type = SCHEMA_STRUCT,
							.is_annotated = true,
							.fields = fields };

			return check_struct(&mapping, node, report);
		}
		return policy_schema_check(schema->element, node, report);
	default:
		return policy_scalar_check(schema, node, report);
	}
}

static struct value *write_members(const struct schema *schema, const struct policy_node *node)
{
	struct value *object = value_new_object();

	for (size_t i = 0; object && i < node->n_items; i++) {
		const char *key = node->keys[i]->text;
		const struct schema *member = schema->element;

		if (schema->type == SCHEMA_STRUCT)
			member = field_find(schema, key)->schema;
		if (value_set_take(object, key, policy_schema_write(member, node->items[i])) < 0)
			object = value_free(object);
	}
	return object;
}

static struct value *write_list(const struct schema *schema, const struct policy_node *node)
{
	struct value *array = value_new_array();

	for (size_t i = 0; array && i < node->n_items; i++)
		if (value_append_take(array, policy_schema_write(schema->element, node->items[i])) <
		    0)
			array = value_free(array);
	return array;
}

struct value *policy_schema_write(const struct schema *schema, const struct policy_node *node)
{
	int64_t integer = 0;

	switch (schema->type) {
	case SCHEMA_STRUCT:
	case SCHEMA_MAP:
		return write_members(schema, node);
	case SCHEMA_LIST:
		return write_list(schema, node);
	case SCHEMA_VALUED:
		if (node->kind == POLICY_MAP) {
			const struct schema_field fields[] = { { "value", schema->element, true },
							       { 0 } };
			const struct schema mapping = { .type = SCHEMA_STRUCT,
							.is_annotated = true,
							.fields = fields };

			return write_members(&mapping, node);
		}
		return policy_schema_write(schema->element, node);
	case SCHEMA_BOOL:
		return value_new_boolean(policy_node_is_true(node, false));
	case SCHEMA_INT:
		policy_text_is_integer(node->text, &integer);
		return value_new_integer(integer);
	case SCHEMA_ID_OR_NULL:
		if (policy_node_is_null(node))
			return value_new_null();
		return value_new_string(node->text);
	default:
		return value_new_string(node->text);
	}
}
