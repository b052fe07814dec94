/*
 * Build tool: reads api/openapi.yaml with our own strict reader and writes it as JSON in a C array.
 * A plain scalar is typed by its look (true, false, null, decimal numbers), a quoted one is text;
 * so the description says '3.1.0' where it means a text.
 */

#include "daemon/base/codec.h"
#include "daemon/base/text.h"
#include "daemon/crypto/crypto.h"
#include "daemon/json/value.h"
#include "daemon/yaml/yaml.h"

#include <stdio.h>
#include <string.h>

enum { BYTES_A_LINE = 24 };

static struct value *write_scalar(const struct yaml_node *node)
{
	int64_t integer;
	bool boolean;

	if (node->is_quoted)
		return value_new_text(node->text);
	if (yaml_is_null(node))
		return value_new_null();
	if (!yaml_read_boolean(node, &boolean))
		return value_new_boolean(boolean);
	if (!yaml_read_integer(node, &integer))
		return value_new_integer(integer);
	return value_new_text(node->text);
}

static struct value *write_node(const struct yaml_node *node)
{
	struct value *made;
	int r = 0;

	if (node->kind == YAML_SCALAR)
		return write_scalar(node);
	made = node->kind == YAML_MAPPING ? value_new_object() : value_new_array();
	for (size_t i = 0; made && !r && i < node->n_items; i++) {
		const struct yaml_item *item = &node->items[i];
		struct value *child = write_node(item->value);

		r = node->kind == YAML_MAPPING ? value_set_take(made, item->key->text.at, child)
					       : value_append_take(made, child);
	}
	return r ? value_free(made) : made;
}

static int read_file(const char *path, struct buffer *buffer)
{
	FILE *file = fopen(path, "rb");
	char bytes[8192];
	size_t n;

	if (!file)
		return -errno;
	while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
		buffer_append(buffer, bytes, n);
	fclose(file);
	return buffer_finish(buffer);
}

static int write_file(const char *path, const struct buffer *json)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	char hex[2 * CRYPTO_SHA256_SIZE + 1];
	FILE *file;
	int r;

	r = crypto_sha256((struct slice){ json->at, json->length }, hash);
	if (r)
		return r;
	codec_hex_encode(hex, hash, sizeof(hash));
	file = fopen(path, "w");
	if (!file)
		return -errno;
	fprintf(file, "#include \"api/handlers/openapi.h\"\n\nconst char openapi_json[] = {");
	for (size_t i = 0; i < json->length; i++)
		fprintf(file, "%s%d,", i % BYTES_A_LINE ? " " : "\n\t", json->at[i]);
	fprintf(file, "\n\t0\n};\nconst size_t openapi_json_length = %zu;\n", json->length);
	fprintf(file, "const char openapi_json_hash[] = \"%s\";\n", hex);
	return fclose(file) ? -errno : 0;
}

/* openapi_embed openapi.yaml openapi.json.c */
int main(int argc, char **argv)
{
	CLEANUP(buffer_deinit) struct buffer yaml = BUFFER_NULL;
	CLEANUP(buffer_deinit) struct buffer json = BUFFER_NULL;
	CLEANUP(yaml_document_freep) struct yaml_document *document = NULL;
	CLEANUP(value_freep) struct value *value = NULL;
	struct yaml_error error = { 0 };
	int r;

	if (argc != 3)
		return 2;
	r = read_file(argv[1], &yaml);
	if (!r)
		r = yaml_document_new((struct slice){ yaml.at, yaml.length }, &document, &error);
	if (r > 0) {
		fprintf(stderr, "%s:%u:%u: %s\n", argv[1], error.line, error.column, error.message);
		return 1;
	}
	if (!r) {
		value = write_node(yaml_document_root(document));
		r = value ? value_write(value, &json) : -ENOMEM;
	}
	if (!r)
		r = write_file(argv[2], &json);
	if (r)
		fprintf(stderr, "%s: %s\n", argv[1], strerror(-r));
	return r ? 1 : 0;
}
