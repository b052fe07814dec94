/*
 * Reading the configuration: each row is looked up in the file, or its default is read by the same
 * code; what no row names is refused. The rows are in config_rows.c, printing in config_dump.c.
 */

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/http/client.h"
#include "api/http/cors.h"
#include "daemon/app/address.h"
#include "daemon/app/config_row.h"
#include "daemon/base/buffer.h"
#include "daemon/base/text.h"
#include "daemon/fetch/fetch.h"
#include "daemon/yaml/yaml.h"

struct reader {
	struct arena *arena;
	struct config_error *error;
};

static int read_rows(struct reader *reader, const struct config_row *rows, size_t n_rows,
		     const struct yaml_node *node, char *target);

PRINTF(3, 4)
static int refuse(struct reader *reader, const struct yaml_node *node, const char *format, ...)
{
	va_list args;

	reader->error->line = node ? node->line : 0;
	reader->error->column = node ? node->column : 0;
	va_start(args, format);
	(void)vsnprintf(reader->error->text, sizeof(reader->error->text), format, args);
	va_end(args);
	text_make_line(reader->error->text);
	return CONFIG_E_REFUSED;
}

static int read_text(struct reader *reader, const struct config_row *row,
		     const struct yaml_node *node, const char **ret_text)
{
	const char *text = yaml_string(node);
	char *copy;

	if (!text)
		return refuse(reader, node, "%s must be a text", row->path);
	for (struct slice rest = node->text; rest.length;) {
		uint32_t point = 0;
		size_t n = text_read_point(rest, &point);

		if (point < 0x20 || (point >= 0x7f && point < 0xa0))
			return refuse(reader, node, "%s holds a control character", row->path);
		rest = (struct slice){ rest.at + n, rest.length - n };
	}
	copy = arena_strdup(reader->arena, text);
	if (!copy)
		return -ENOMEM;
	*ret_text = copy;
	return 0;
}

static int read_plain(struct reader *reader, const struct config_row *row,
		      const struct yaml_node *node, const char **ret_text)
{
	const char *text = "";
	int r = read_text(reader, row, node, &text);

	if (r)
		return r;
	if ((int64_t)strlen(text) < row->least)
		return refuse(reader, node, "%s must not be empty", row->path);
	if (row->most && (int64_t)strlen(text) > row->most)
		return refuse(reader, node, "%s is longer than %lld bytes", row->path,
			      (long long)row->most);
	*ret_text = text;
	return 0;
}

static int read_path(struct reader *reader, const struct config_row *row,
		     const struct yaml_node *node, const char **ret_text)
{
	const char *text = "";
	int r = read_text(reader, row, node, &text);

	if (r)
		return r;
	if (text[0] != '/' && (text[0] != '\0' || row->least > 0))
		return refuse(reader, node, "%s must be an absolute path", row->path);
	*ret_text = text;
	return 0;
}

/* Passwords belong in a passfile: this file is read by more people, and it is dumped. */
static int read_conninfo(struct reader *reader, const struct config_row *row,
			 const struct yaml_node *node, const char **ret_text)
{
	const char *text = "";
	int r = read_text(reader, row, node, &text);

	if (r)
		return r;
	if (strstr(text, "://"))
		return refuse(reader, node, "%s must be written as key=value pairs", row->path);
	if (strstr(text, "password"))
		return refuse(reader, node, "%s holds a password: name a passfile instead",
			      row->path);
	if (!strchr(text, '='))
		return refuse(reader, node, "%s must be written as key=value pairs", row->path);
	*ret_text = text;
	return 0;
}

static int read_address(struct reader *reader, const struct config_row *row,
			const struct yaml_node *node, const char **ret_text)
{
	struct address address;
	const char *text = "";
	int r = read_text(reader, row, node, &text);

	if (r)
		return r;
	if (address_read(text, &address))
		return refuse(reader, node,
			      "%s must be an address and port, such as "
			      "127.0.0.1:8480 or [::1]:8480",
			      row->path);
	*ret_text = text;
	return 0;
}

static int read_checked(struct reader *reader, const struct config_row *row,
			const struct yaml_node *node, const char **ret_text)
{
	const char *text = "", *form;
	int r = read_text(reader, row, node, &text);

	if (r)
		return r;
	form = config_find_missed_form(row->kind, text);
	if (form)
		return refuse(reader, node, "each of %s must be %s", row->path, form);
	*ret_text = text;
	return 0;
}

static int read_url(struct reader *reader, const struct config_row *row,
		    const struct yaml_node *node, const char **ret_text)
{
	const char *text = "";
	size_t length;
	int r = read_text(reader, row, node, &text);

	if (r)
		return r;
	if ((*text || row->least > 0) && fetch_origin_read(text, &length))
		return refuse(reader, node,
			      "%s must be an address of https, or of http on loopback, such as "
			      "https://meta.example.org/w/rest.php",
			      row->path);
	*ret_text = text;
	return 0;
}

static int read_origin(struct reader *reader, const struct config_row *row,
		       const struct yaml_node *node, const char **ret_text)
{
	const char *text = "";
	size_t length;
	int r = read_text(reader, row, node, &text);

	if (r)
		return r;
	/* Browsers keep the cookies of such pages alone. */
	if (*text && (!cors_is_origin(text) || fetch_origin_read(text, &length)))
		return refuse(reader, node,
			      "%s must be an origin of https without a path, or of http on "
			      "loopback, such as https://conduct.example.org",
			      row->path);
	*ret_text = text;
	return 0;
}

static int read_number(struct reader *reader, const struct config_row *row,
		       const struct yaml_node *node, int64_t *ret_number)
{
	bool is_duration = row->kind == CONFIG_DURATION;
	int64_t number;

	if (is_duration) {
		const char *text = yaml_string(node);

		if (!text || text_read_duration((struct slice){ text, strlen(text) }, &number))
			return refuse(reader, node,
				      "%s must be a duration, such as 30s, 15min, "
				      "24h or 14d",
				      row->path);
	} else if (yaml_read_integer(node, &number)) {
		return refuse(reader, node, "%s must be a whole number", row->path);
	}
	if (number < row->least || number > row->most)
		return refuse(reader, node, "%s must be from %lld to %lld%s", row->path,
			      (long long)row->least, (long long)row->most,
			      is_duration ? " seconds" : "");
	*ret_number = number;
	return 0;
}

static int read_choice(struct reader *reader, const struct config_row *row,
		       const struct yaml_node *node, int64_t *ret_number)
{
	const char *text = yaml_string(node);
	char list[128] = "";

	for (size_t i = 0; row->choices[i]; i++) {
		size_t length = strlen(list);

		if (text && strcmp(row->choices[i], text) == 0) {
			*ret_number = (int64_t)i;
			return 0;
		}
		(void)snprintf(list + length, sizeof(list) - length, "%s%s", i ? ", " : "",
			       row->choices[i]);
	}
	return refuse(reader, node, "%s must be one of %s", row->path, list);
}

static int check_list(struct reader *reader, const struct config_row *row,
		      const struct yaml_node *node)
{
	if (!node || node->kind != YAML_SEQUENCE)
		return refuse(reader, node, "%s must be a list", row->path);
	if ((int64_t)node->n_items < row->least)
		return refuse(reader, node, "%s needs at least %lld item", row->path,
			      (long long)row->least);
	if ((int64_t)node->n_items > row->most)
		return refuse(reader, node, "%s has more than %lld items", row->path,
			      (long long)row->most);
	return 0;
}

static int read_texts(struct reader *reader, const struct config_row *row,
		      const struct yaml_node *node, struct config_texts *ret_texts)
{
	struct config_row item = { .path = row->path, .least = 1, .most = 1024 };
	struct config_texts texts = { 0 };
	int r = check_list(reader, row, node);

	if (r)
		return r;
	texts.at = arena_alloc(reader->arena, (node->n_items + 1) * sizeof(*texts.at));
	if (!texts.at)
		return -ENOMEM;
	for (; texts.n < node->n_items; texts.n++) {
		const struct yaml_node *value = node->items[texts.n].value;

		if (row->kind == CONFIG_ADDRESSES)
			r = read_address(reader, &item, value, &texts.at[texts.n]);
		else if (row->kind == CONFIG_NETWORKS || row->kind == CONFIG_HOSTS ||
			 row->kind == CONFIG_ORIGINS)
			r = read_checked(reader, row, value, &texts.at[texts.n]);
		else if (row->kind == CONFIG_PATHS)
			r = read_path(reader, &item, value, &texts.at[texts.n]);
		else
			r = read_plain(reader, &item, value, &texts.at[texts.n]);
		if (r)
			return r;
	}
	*ret_texts = texts;
	return 0;
}

static int read_mappings(struct reader *reader, const struct config_row *row,
			 const struct yaml_node *node, char *target)
{
	char *items;
	int r = check_list(reader, row, node);

	if (r)
		return r;
	items = arena_alloc(reader->arena, (node->n_items + 1) * row->size);
	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < node->n_items; i++) {
		const struct yaml_node *value = node->items[i].value;

		if (value->kind != YAML_MAPPING)
			return refuse(reader, value, "each of %s must be a mapping", row->path);
		r = read_rows(reader, row->rows, row->n_rows, value, items + i * row->size);
		if (r)
			return r;
	}
	*(char **)(void *)(target + row->offset) = items;
	*(size_t *)(void *)(target + row->n_offset) = node->n_items;
	return 0;
}

static int read_row(struct reader *reader, const struct config_row *row,
		    const struct yaml_node *node, char *target)
{
	void *at = target + row->offset;

	switch (row->kind) {
	case CONFIG_TEXT:
		return read_plain(reader, row, node, at);
	case CONFIG_PATH:
		return read_path(reader, row, node, at);
	case CONFIG_URL:
		return read_url(reader, row, node, at);
	case CONFIG_CONNINFO:
		return read_conninfo(reader, row, node, at);
	case CONFIG_ADDRESS:
		return read_address(reader, row, node, at);
	case CONFIG_ORIGIN:
		return read_origin(reader, row, node, at);
	case CONFIG_INTEGER:
	case CONFIG_DURATION:
		return read_number(reader, row, node, at);
	case CONFIG_BOOLEAN:
		if (yaml_read_boolean(node, at))
			return refuse(reader, node, "%s must be true or false", row->path);
		return 0;
	case CONFIG_CHOICE:
		return read_choice(reader, row, node, at);
	case CONFIG_TEXTS:
	case CONFIG_PATHS:
	case CONFIG_ADDRESSES:
	case CONFIG_NETWORKS:
	case CONFIG_HOSTS:
	case CONFIG_ORIGINS:
		return read_texts(reader, row, node, at);
	case CONFIG_MAPPINGS:
		return read_mappings(reader, row, node, target);
	}
	return -EINVAL;
}

/* The node at "a.b.c", or NULL; a section that is no mapping is found by check_known(). */
static const struct yaml_node *find_path(const struct yaml_node *node, const char *path)
{
	while (node && *path) {
		size_t length = strcspn(path, ".");
		char key[64];

		(void)snprintf(key, sizeof(key), "%.*s", (int)length, path);
		node = yaml_get(node, key);
		path += length + (path[length] == '.');
	}
	return node;
}

static bool is_section(const struct config_row *rows, size_t n_rows, const char *path)
{
	size_t length = strlen(path);

	for (size_t i = 0; i < n_rows; i++)
		if (strncmp(rows[i].path, path, length) == 0 && rows[i].path[length] == '.')
			return true;
	return false;
}

static bool is_key(const struct config_row *rows, size_t n_rows, const char *path)
{
	for (size_t i = 0; i < n_rows; i++)
		if (strcmp(rows[i].path, path) == 0)
			return true;
	return false;
}

/* Refuses what no row names: a misspelt key must not silently keep its default. */
static int check_known(struct reader *reader, const struct config_row *rows, size_t n_rows,
		       const struct yaml_node *node, const char *prefix)
{
	for (size_t i = 0; i < node->n_items; i++) {
		const struct yaml_node *value = node->items[i].value;
		char path[160];
		int r;

		(void)snprintf(path, sizeof(path), "%s%s%.64s", prefix, *prefix ? "." : "",
			       yaml_string(node->items[i].key));
		if (is_key(rows, n_rows, path))
			continue;
		if (!is_section(rows, n_rows, path))
			return refuse(reader, node->items[i].key, "unknown key %s", path);
		if (value->kind != YAML_MAPPING)
			return refuse(reader, value, "%s must be a mapping", path);
		r = check_known(reader, rows, n_rows, value, path);
		if (r)
			return r;
	}
	return 0;
}

static int read_fallback(struct reader *reader, const struct config_row *row, char *target)
{
	CLEANUP(yaml_document_freep) struct yaml_document *document = NULL;
	struct yaml_error error;
	char text[256];
	int length = snprintf(text, sizeof(text), "value: %s\n", row->fallback);
	int r;

	if (length < 0 || (size_t)length >= sizeof(text))
		return -EINVAL;
	r = yaml_document_new((struct slice){ text, (size_t)length }, &document, &error);
	if (r)
		return r < 0 ? r : -EINVAL;
	return read_row(reader, row, yaml_get(yaml_document_root(document), "value"), target);
}

static int read_rows(struct reader *reader, const struct config_row *rows, size_t n_rows,
		     const struct yaml_node *node, char *target)
{
	int r = check_known(reader, rows, n_rows, node, "");

	for (size_t i = 0; r == 0 && i < n_rows; i++) {
		const struct yaml_node *found = find_path(node, rows[i].path);

		if (found)
			r = read_row(reader, &rows[i], found, target);
		else if (rows[i].fallback)
			r = read_fallback(reader, &rows[i], target);
		else
			r = refuse(reader, node, "%s is missing", rows[i].path);
	}
	return r;
}

/* Its message stands at the issuer that it is about. */
static int check_issuers(struct reader *reader, const struct config *config,
			 const struct yaml_node *root)
{
	char text[sizeof(reader->error->text)];
	size_t index;

	if (!config_find_bad_issuer(config, &index, text, sizeof(text)))
		return 0;
	return refuse(reader, yaml_get(root, "issuers")->items[index].value, "%s", text);
}

/* The demo issuer lets anybody be anybody; it must not be reachable from outside the machine. */
static int check_demo(struct reader *reader, const struct config *config,
		      const struct yaml_node *root)
{
	struct address address;

	if (config->n_issuers == 0 || !config->issuers[0].is_demo)
		return 0;
	if (config->n_tls)
		return refuse(reader, yaml_get(root, "tls"),
			      "a demo issuer is for this machine alone, and TLS is for others");
	for (size_t i = 0; i < config->listen.n; i++)
		if (address_read(config->listen.at[i], &address) || !address.is_loopback)
			return refuse(reader, yaml_get(root, "listen"),
				      "a demo issuer needs "
				      "loopback addresses, and %s is none",
				      config->listen.at[i]);
	if (config->trusted_proxies.n)
		return refuse(reader, yaml_get(root, "trusted_proxies"),
			      "a demo issuer cannot be served behind a proxy");
	return 0;
}

static int check_listen(struct reader *reader, const struct config *config,
			const struct yaml_node *root)
{
	const struct yaml_node *listen = yaml_get(root, "listen");
	const char *twice = config_find_twice(config);

	if (!config->listen.n && !config->n_tls)
		return refuse(reader, listen, "listen needs at least 1 item, where tls has none");
	if (twice)
		return refuse(reader, listen ? listen : root,
			      "%s is given twice: listen, tls and ops_listen have an address each",
			      twice);
	return 0;
}

static int config_fill(struct config *config, struct slice bytes, struct config_error *ret_error)
{
	CLEANUP(yaml_document_freep) struct yaml_document *document = NULL;
	struct reader reader = { .arena = config->arena, .error = ret_error };
	struct yaml_error error;
	const struct yaml_node *root;
	int r = yaml_document_new(bytes, &document, &error);

	if (r > 0) {
		ret_error->line = error.line;
		ret_error->column = error.column;
		(void)snprintf(ret_error->text, sizeof(ret_error->text), "%s", error.message);
		return CONFIG_E_REFUSED;
	}
	if (r < 0)
		return r;
	root = yaml_document_root(document);
	if (root->kind != YAML_MAPPING)
		return refuse(&reader, root, "the configuration must be a mapping");
	r = read_rows(&reader, config_rows, config_n_rows, root, (char *)config);
	if (r == 0)
		r = check_listen(&reader, config, root);
	if (r == 0)
		r = check_issuers(&reader, config, root);
	if (r == 0)
		r = check_demo(&reader, config, root);
	return r;
}

/*
 * Reads a configuration from bytes; `file` is what messages call it. Returns 0, CONFIG_E_REFUSED
 * with *ret_error filled, or a negative error. The result is the caller's.
 */
int config_read(const char *file, struct slice bytes, struct config **ret_config,
		struct config_error *ret_error)
{
	struct arena *arena = NULL;
	struct config *config;
	int r = arena_new(&arena);

	if (r < 0)
		return r;
	config = arena_alloc(arena, sizeof(*config));
	if (!config) {
		arena_free(arena);
		return -ENOMEM;
	}
	config->arena = arena;
	config->file = arena_strdup(arena, file);
	r = config->file ? config_fill(config, bytes, ret_error) : -ENOMEM;
	if (r) {
		arena_free(arena);
		return r;
	}
	*ret_config = config;
	return 0;
}

static int file_read(const char *file, struct buffer *buffer)
{
	char part[4096];
	ssize_t n;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r = 0;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, part, sizeof(part))) > 0 && buffer->length <= YAML_SIZE_MAX)
		buffer_append(buffer, part, (size_t)n);
	if (n < 0)
		r = -errno;
	(void)close(fd);
	return r < 0 ? r : buffer_finish(buffer);
}

/* As config_read(), from a file; also CONFIG_E_UNREADABLE, with the reason in *ret_error. */
int config_load(const char *file, struct config **ret_config, struct config_error *ret_error)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	int r = file_read(file, &buffer);

	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		ret_error->line = ret_error->column = 0;
		(void)snprintf(ret_error->text, sizeof(ret_error->text), "cannot be read: %s",
			       strerror(-r));
		return CONFIG_E_UNREADABLE;
	}
	return config_read(file, (struct slice){ buffer.at, buffer.length }, ret_config, ret_error);
}

struct config *config_free(struct config *config)
{
	if (config)
		arena_free(config->arena);
	return NULL;
}

/* "FILE:LINE:COLUMN: text" as compilers write it, in a buffer of the caller's. */
void config_error_print(const char *file, const struct config_error *error, char *ret_text,
			size_t size)
{
	if (error->line)
		(void)snprintf(ret_text, size, "%s:%u:%u: %s", file, error->line, error->column,
			       error->text);
	else
		(void)snprintf(ret_text, size, "%s: %s", file, error->text);
}
