/*
 * The YAML reader: places and limits hold, keys are unique, and the tree, written anew with every
 * text quoted, reads as the same tree. Scalars that read as numbers have one spelling. What is a
 * tree then goes through the schemas of the policy files.
 */

#include "tests/fuzz/fuzz.h"

#include "daemon/base/buffer.h"
#include "daemon/base/text.h"
#include "daemon/yaml/yaml.h"
#include "policy/report.h"
#include "policy/schema.h"
#include "policy/tables.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Every character that is not plain ASCII as an escape. */
static void write_text(struct buffer *buffer, struct slice text)
{
	buffer_append_char(buffer, '"');
	while (text.length) {
		uint32_t point = 0;
		size_t n = text_read_point(text, &point);

		PROPERTY(n > 0);
		if (point < 0x20 || point >= 0x7f)
			buffer_printf(buffer, "\\U%08" PRIx32, point);
		else if (point == '"' || point == '\\')
			buffer_printf(buffer, "\\%c", (char)point);
		else
			buffer_append_char(buffer, (char)point);
		text.at += n;
		text.length -= n;
	}
	buffer_append_char(buffer, '"');
}

static void write_node(struct buffer *buffer, const struct yaml_node *node)
{
	if (node->kind == YAML_SCALAR) {
		write_text(buffer, node->text);
		return;
	}
	buffer_append_char(buffer, node->kind == YAML_MAPPING ? '{' : '[');
	for (size_t i = 0; i < node->n_items; i++) {
		if (node->kind == YAML_MAPPING) {
			buffer_append_text(buffer, "? ");
			write_text(buffer, node->items[i].key->text);
			buffer_append_text(buffer, " : ");
		}
		write_node(buffer, node->items[i].value);
		buffer_append_text(buffer, ",\n");
	}
	buffer_append_char(buffer, node->kind == YAML_MAPPING ? '}' : ']');
}

static bool is_same_tree(const struct yaml_node *a, const struct yaml_node *b)
{
	if (a->kind != b->kind || a->n_items != b->n_items || !text_equals(a->text, b->text))
		return false;
	for (size_t i = 0; i < a->n_items; i++)
		if (!is_same_tree(a->items[i].value, b->items[i].value) ||
		    (a->kind == YAML_MAPPING && !is_same_tree(a->items[i].key, b->items[i].key)))
			return false;
	return true;
}

static void check_scalar(const struct yaml_node *node)
{
	char text[32];
	int64_t integer;
	bool boolean;

	PROPERTY(strlen(node->text.at) == node->text.length && text_is_utf8(node->text));
	if (yaml_read_integer(node, &integer) == 0) {
		snprintf(text, sizeof(text), "%" PRId64, integer);
		PROPERTY(!node->is_quoted && yaml_equals(node, text));
	}
	if (yaml_read_boolean(node, &boolean) == 0)
		PROPERTY(!node->is_quoted && yaml_equals(node, boolean ? "true" : "false"));
	PROPERTY(!yaml_is_null(node) || !node->is_quoted);
}

static void check_node(const struct yaml_node *node, unsigned depth)
{
	PROPERTY(node->line >= 1 && node->column >= 1);
	if (node->kind == YAML_SCALAR) {
		check_scalar(node);
		return;
	}
	PROPERTY(depth < YAML_DEPTH_MAX);
	for (size_t i = 0; i < node->n_items; i++) {
		const struct yaml_item *item = &node->items[i];

		PROPERTY((item->key != NULL) == (node->kind == YAML_MAPPING));
		/* The first of that name is this one: there is no second. */
		if (item->key && node->n_items < 1000)
			PROPERTY(yaml_get(node, item->key->text.at) == item->value);
		if (!item->key)
			PROPERTY(yaml_at(node, i) == item->value);
		check_node(item->value, depth + 1);
	}
}

static void check_written_anew(const struct yaml_node *root)
{
	CLEANUP(yaml_document_freep) struct yaml_document *again = NULL;
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	struct yaml_error error;
	int r;

	write_node(&buffer, root);
	r = buffer_finish(&buffer);
	NOT_NEGATIVE(r, out);
	if (buffer.length > YAML_SIZE_MAX)
		return;
	r = yaml_document_new((struct slice){ buffer.at, buffer.length }, &again, &error);
	NOT_NEGATIVE(r, out);
	PROPERTY(r == 0 && is_same_tree(root, yaml_document_root(again)));
out:
	return;
}

static void check_schemas(const struct yaml_node *root)
{
	static const struct schema *const schemas[] = {
		&policy_schema_manifest, &policy_schema_base,     &policy_schema_overlay,
		&policy_schema_wiki,     &policy_schema_registry, &policy_schema_lang,
	};
	struct arena *arena = NULL;
	int r = arena_new(&arena);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(schemas); i++) {
		struct policy_report report = { .arena = arena };
		struct policy_errors errors = { 0 };
		struct policy_node *node = NULL;

		r = policy_node_from_yaml(arena, "f", root, &node);
		if (r == 0)
			r = policy_schema_check(schemas[i], node, &report);
		if (r == 0)
			r = policy_report_finish(&report, &errors);
		PROPERTY(r >= 0 || fuzz_has_fault());
		for (size_t k = 0; k < errors.n_lines; k++)
			PROPERTY(fuzz_is_line(errors.lines[k]));
		policy_errors_deinit(&errors);
		r = r > 0 ? 0 : r;
	}
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	CLEANUP(yaml_document_freep) struct yaml_document *document = NULL;
	struct slice text = { size ? (const char *)bytes : "", size };
	struct yaml_error error = { 0 };
	int r = yaml_document_new(text, &document, &error);

	NOT_NEGATIVE(r, out);
	if (r > 0) {
		PROPERTY(!document && error.line >= 1 && error.column >= 1);
		PROPERTY(fuzz_is_line(error.message));
		PROPERTY(yaml_document_new(text, &document, NULL) != 0);
		return 0;
	}
	check_node(yaml_document_root(document), 0);
	check_written_anew(yaml_document_root(document));
	check_schemas(yaml_document_root(document));
out:
	return 0;
}
