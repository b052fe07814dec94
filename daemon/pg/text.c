/*
 * PostgreSQL's text forms (15, sections 8.4.1 and 8.15): bytea in hex, and one-dimensional array
 * literals whose elements are always quoted on the way in and may be bare on the way out.
 */

#include <string.h>

#include "daemon/base/buffer.h"
#include "daemon/base/codec.h"
#include "daemon/pg/text.h"

static int finish(struct arena *arena, struct buffer *buffer, struct slice *ret_text)
{
	char *copy;
	int r = buffer_finish(buffer);

	if (r < 0)
		return r;
	copy = arena_strndup(arena, buffer->at ? buffer->at : "", buffer->length);
	if (!copy)
		return -ENOMEM;
	*ret_text = (struct slice){ copy, buffer->length };
	return 0;
}

/* The text is the arena's. Returns 0 or -ENOMEM. */
int pg_text_from_bytes(struct arena *arena, struct slice bytes, struct slice *ret_text)
{
	char *text = arena_alloc(arena, bytes.length * 2 + 3);

	if (!text)
		return -ENOMEM;
	memcpy(text, "\\x", 2);
	*ret_text = (struct slice){ text, 2 + codec_hex_encode(text + 2, bytes.at, bytes.length) };
	return 0;
}

/* The bytes are the arena's. Returns 0, PG_TEXT_E_MALFORMED or -ENOMEM. */
int pg_text_to_bytes(struct arena *arena, struct slice text, struct slice *ret_bytes)
{
	struct slice hex = { text.at + 2, text.length - 2 };
	size_t length = 0;
	char *bytes;

	if (text.length < 2 || memcmp(text.at, "\\x", 2) != 0)
		return PG_TEXT_E_MALFORMED;
	bytes = arena_alloc(arena, hex.length / 2 + 1);
	if (!bytes)
		return -ENOMEM;
	if (codec_hex_decode(hex, bytes, hex.length / 2, &length))
		return PG_TEXT_E_MALFORMED;
	*ret_bytes = (struct slice){ bytes, length };
	return 0;
}

static void append_element(struct buffer *buffer, struct slice element)
{
	size_t start = 0;

	if (!element.at) {
		buffer_append_text(buffer, "NULL");
		return;
	}
	buffer_append_char(buffer, '"');
	for (size_t i = 0; i < element.length; i++) {
		if (element.at[i] != '"' && element.at[i] != '\\')
			continue;
		buffer_append(buffer, element.at + start, i - start);
		buffer_append_char(buffer, '\\');
		start = i;
	}
	buffer_append(buffer, element.at + start, element.length - start);
	buffer_append_char(buffer, '"');
}

/* The literal is the arena's. Returns 0 or -ENOMEM. */
int pg_text_from_texts(struct arena *arena, const struct slice *texts, size_t n_texts,
		       struct slice *ret_text)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;

	buffer_append_char(&buffer, '{');
	for (size_t i = 0; i < n_texts; i++) {
		if (i > 0)
			buffer_append_char(&buffer, ',');
		append_element(&buffer, texts[i]);
	}
	buffer_append_char(&buffer, '}');
	return finish(arena, &buffer, ret_text);
}

/* The literal is the arena's. Returns 0 or -ENOMEM. */
int pg_text_from_byte_strings(struct arena *arena, const struct slice *strings, size_t n_strings,
			      struct slice *ret_text)
{
	struct slice *texts = arena_alloc(arena, (n_strings + 1) * sizeof(*texts));

	if (!texts)
		return -ENOMEM;
	for (size_t i = 0; i < n_strings; i++) {
		int r;

		if (!strings[i].at)
			continue;
		r = pg_text_from_bytes(arena, strings[i], &texts[i]);
		if (r < 0)
			return r;
	}
	return pg_text_from_texts(arena, texts, n_strings, ret_text);
}

/* Reads one element that starts at text[*at] into *room, with a NUL; leaves both behind it. */
static int read_element(struct slice text, size_t *at, char **room, struct slice *ret_element)
{
	bool is_quoted = text.at[*at] == '"';
	char *copy = *room;
	size_t length = 0;
	size_t i = *at + is_quoted;

	for (; i < text.length; i++) {
		char c = text.at[i];

		if (is_quoted ? c == '"' : (c == ',' || c == '}'))
			break;
		if (c == '{' && !is_quoted)
			return PG_TEXT_E_MALFORMED;
		if (c == '\\' && ++i >= text.length)
			return PG_TEXT_E_MALFORMED;
		copy[length++] = text.at[i];
	}
	if (i >= text.length || (!is_quoted && length == 0))
		return PG_TEXT_E_MALFORMED;
	*at = i + is_quoted;
	copy[length] = '\0';
	*room = copy + length + 1;
	*ret_element = (struct slice){ copy, length };
	if (!is_quoted && length == 4 && memcmp(copy, "NULL", 4) == 0)
		*ret_element = (struct slice){ 0 };
	return 0;
}

static size_t count_commas(struct slice text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.length; i++)
		n += text.at[i] == ',';
	return n;
}

/*
 * Reads a one-dimensional array literal; a NULL element has at == NULL. Texts are the arena's and
 * NUL-terminated. Returns 0, PG_TEXT_E_MALFORMED or -ENOMEM.
 */
int pg_text_to_texts(struct arena *arena, struct slice text, struct slice **ret_texts,
		     size_t *ret_n_texts)
{
	size_t n_max = count_commas(text) + 2;
	struct slice *texts;
	char *room;
	size_t n = 0;
	size_t at = 1;

	if (text.length < 2 || text.at[0] != '{' || text.at[text.length - 1] != '}')
		return PG_TEXT_E_MALFORMED;
	texts = arena_alloc(arena, n_max * sizeof(*texts));
	room = arena_alloc(arena, text.length + n_max);
	if (!texts || !room)
		return -ENOMEM;
	while (text.length > 2) {
		int r = read_element(text, &at, &room, &texts[n]);

		if (r)
			return r;
		n++;
		if (at >= text.length || (text.at[at] != ',' && at != text.length - 1))
			return PG_TEXT_E_MALFORMED;
		if (text.at[at++] == '}')
			break;
	}
	*ret_texts = texts;
	*ret_n_texts = n;
	return 0;
}

/* As pg_text_to_texts(), for bytea[]. */
int pg_text_to_byte_strings(struct arena *arena, struct slice text, struct slice **ret_strings,
			    size_t *ret_n_strings)
{
	struct slice *texts = NULL;
	size_t n = 0;
	int r = pg_text_to_texts(arena, text, &texts, &n);

	if (r)
		return r;
	for (size_t i = 0; i < n; i++) {
		if (!texts[i].at)
			continue;
		r = pg_text_to_bytes(arena, texts[i], &texts[i]);
		if (r)
			return r;
	}
	*ret_strings = texts;
	*ret_n_strings = n;
	return 0;
}
