/* The effective configuration as YAML that reads back to the same: what --dump-config prints. */

#include <stdio.h>
#include <string.h>

#include "daemon/app/config_row.h"
#include "daemon/base/buffer.h"
#include "daemon/base/text.h"

static void dump_rows(struct buffer *buffer, const struct config_row *rows, size_t n_rows,
		      const char *source, unsigned indent, bool is_item);

/* Characters that YAML refuses or folds as they are, and those that turn the direction of text. */
static bool is_escaped(uint32_t point)
{
	return (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) ||
	       point == 0xfeff || point == 0xfffe || point == 0xffff;
}

/* Texts have no control characters (config.c). */
static void dump_text(struct buffer *buffer, const char *text)
{
	struct slice rest = { text, strlen(text) };
	uint32_t point = 0;

	buffer_append_char(buffer, '"');
	for (size_t n; (n = text_read_point(rest, &point)) > 0;) {
		if (point == '"' || point == '\\')
			buffer_append_char(buffer, '\\');
		if (is_escaped(point))
			buffer_printf(buffer, "\\u%04x", (unsigned)point);
		else
			buffer_append(buffer, rest.at, n);
		rest = (struct slice){ rest.at + n, rest.length - n };
	}
	buffer_append_char(buffer, '"');
}

static void dump_duration(struct buffer *buffer, int64_t seconds)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	size_t i = 0;

	while (i < ARRAY_SIZE(units) - 1 &&
	       (seconds < units[i].seconds || seconds % units[i].seconds))
		i++;
	buffer_printf(buffer, "%lld%s", (long long)(seconds / units[i].seconds), units[i].name);
}

static void dump_texts(struct buffer *buffer, const struct config_texts *texts, unsigned indent)
{
	if (texts->n == 0)
		buffer_append_text(buffer, " []");
	for (size_t i = 0; i < texts->n; i++) {
		buffer_printf(buffer, "\n%*s- ", (int)indent + 2, "");
		dump_text(buffer, texts->at[i]);
	}
}

static void dump_mappings(struct buffer *buffer, const struct config_row *row, const char *source,
			  unsigned indent)
{
	const char *items = *(const char *const *)(const void *)(source + row->offset);
	size_t n = *(const size_t *)(const void *)(source + row->n_offset);

	if (n == 0)
		buffer_append_text(buffer, " []");
	for (size_t i = 0; i < n; i++) {
		buffer_printf(buffer, "\n%*s- ", (int)indent + 2, "");
		dump_rows(buffer, row->rows, row->n_rows, items + i * row->size, indent + 4, true);
		/* The list ends its own line; dump_value()'s caller ends the last one. */
		buffer->length--;
		buffer->at[buffer->length] = '\0';
	}
}

static void dump_value(struct buffer *buffer, const struct config_row *row, const char *source,
		       unsigned indent)
{
	const void *at = source + row->offset;

	switch (row->kind) {
	case CONFIG_TEXTS:
	case CONFIG_PATHS:
	case CONFIG_ADDRESSES:
	case CONFIG_NETWORKS:
	case CONFIG_HOSTS:
	case CONFIG_ORIGINS:
		dump_texts(buffer, at, indent);
		return;
	case CONFIG_MAPPINGS:
		dump_mappings(buffer, row, source, indent);
		return;
	default:
		buffer_append_char(buffer, ' ');
	}
	switch (row->kind) {
	case CONFIG_INTEGER:
		buffer_printf(buffer, "%lld", (long long)*(const int64_t *)at);
		return;
	case CONFIG_DURATION:
		dump_duration(buffer, *(const int64_t *)at);
		return;
	case CONFIG_BOOLEAN:
		buffer_append_text(buffer, *(const bool *)at ? "true" : "false");
		return;
	case CONFIG_CHOICE:
		buffer_append_text(buffer, row->choices[*(const int64_t *)at]);
		return;
	default:
		dump_text(buffer, *(const char *const *)at);
	}
}

/* Opens the sections in which this row differs from the one before it. */
static unsigned dump_sections(struct buffer *buffer, const char *before, const char *path,
			      unsigned indent, const char **ret_key)
{
	unsigned depth = 0;
	const char *dot;
	bool is_same = true;

	while ((dot = strchr(path, '.'))) {
		size_t length = (size_t)(dot - path) + 1;

		is_same = is_same && before && strncmp(before, path, length) == 0;
		if (!is_same)
			buffer_printf(buffer, "%*s%.*s:\n", (int)(indent + 2 * depth), "",
				      (int)length - 1, path);
		if (is_same)
			before += length;
		path += length;
		depth++;
	}
	*ret_key = path;
	return indent + 2 * depth;
}

static void dump_rows(struct buffer *buffer, const struct config_row *rows, size_t n_rows,
		      const char *source, unsigned indent, bool is_item)
{
	for (size_t i = 0; i < n_rows; i++) {
		const char *key;
		unsigned inner = dump_sections(buffer, i ? rows[i - 1].path : NULL, rows[i].path,
					       indent, &key);

		/* The first key of a list's item stands behind its dash. */
		buffer_printf(buffer, "%*s%s:", is_item && i == 0 ? 0 : (int)inner, "", key);
		dump_value(buffer, &rows[i], source, inner);
		buffer_append_char(buffer, '\n');
	}
}

/* Appends the configuration to the buffer; defaults stand there as if they had been written. */
void config_dump(const struct config *config, struct buffer *buffer)
{
	dump_rows(buffer, config_rows, config_n_rows, (const char *)config, 0, false);
}

static bool values_equal(const struct config_row *row, const struct config *a,
			 const struct config *b)
{
	CLEANUP(buffer_deinit) struct buffer one = BUFFER_NULL;
	CLEANUP(buffer_deinit) struct buffer two = BUFFER_NULL;

	dump_value(&one, row, (const char *)a, 0);
	dump_value(&two, row, (const char *)b, 0);
	return buffer_finish(&one) == 0 && buffer_finish(&two) == 0 && one.length == two.length &&
	       memcmp(one.at, two.at, one.length) == 0;
}

/* Appends the keys, "a, b", that differ and that a reload does not change; nothing for none. */
void config_list_fixed(const struct config *old, const struct config *new, struct buffer *buffer)
{
	const char *separator = "";

	for (size_t i = 0; i < config_n_rows; i++) {
		if (!config_rows[i].is_fixed || values_equal(&config_rows[i], old, new))
			continue;
		buffer_printf(buffer, "%s%s", separator, config_rows[i].path);
		separator = ", ";
	}
}
