/*
 * What is taken from a name is what it shows. Whatever could make it a path, hide its ending, or
 * begin a header is left out, when it comes and again when it goes.
 */

#include "api/http/filename.h"
#include "api/http/parser.h"
#include "daemon/base/buffer.h"
#include "daemon/base/text.h"

#include <string.h>

static const char nameless[] = "file";

/* Code points that no name needs and that change what a reader sees: controls, invisible marks,
 * directions, line ends, and tags. */
static bool is_hidden(uint32_t point)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x00, 0x1f },     { 0x7f, 0x9f },     { 0xad, 0xad },       { 0x61c, 0x61c },
		{ 0x180e, 0x180e }, { 0x200b, 0x200f }, { 0x2028, 0x202e },   { 0x2060, 0x206f },
		{ 0xfeff, 0xfeff }, { 0xfff0, 0xffff }, { 0xe0000, 0xe0fff },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (point >= ranges[i].first && point <= ranges[i].last)
			return true;
	return false;
}

static bool is_special(uint32_t point)
{
	return point < 0x80 && strchr("\"*:<>?|", (int)point);
}

/* The part behind the last slash of either kind. */
static struct slice last_part(struct slice name)
{
	for (size_t i = name.length; i > 0; i--)
		if (name.at[i - 1] == '/' || name.at[i - 1] == '\\')
			return (struct slice){ name.at + i, name.length - i };
	return name;
}

/* Dots and spaces in front hide a name, and at its end they vanish. */
static struct slice trim(struct slice name)
{
	while (name.length && (name.at[0] == '.' || name.at[0] == ' ')) {
		name.at++;
		name.length--;
	}
	while (name.length && (name.at[name.length - 1] == '.' || name.at[name.length - 1] == ' '))
		name.length--;
	return name;
}

/* `text` is valid UTF-8. At most FILENAME_POINTS_MAX points: the last ones, where the ending is. */
static int clean(struct arena *arena, struct slice text, struct slice *ret_name)
{
	struct slice rest = last_part(text);
	char *bytes = arena_alloc(arena, rest.length + sizeof(nameless));
	struct slice name = { bytes, 0 };
	size_t n_points;

	if (!bytes)
		return -ENOMEM;
	while (rest.length) {
		uint32_t point = 0;
		size_t n = text_read_point(rest, &point);

		if (is_special(point))
			bytes[name.length++] = '_';
		else if (!is_hidden(point)) {
			memcpy(bytes + name.length, rest.at, n);
			name.length += n;
		}
		rest.at += n;
		rest.length -= n;
	}
	for (n_points = text_count_points(name); n_points > FILENAME_POINTS_MAX; n_points--) {
		uint32_t point;
		size_t n = text_read_point(name, &point);

		name.at += n;
		name.length -= n;
	}
	name = trim(name);
	if (!name.length) {
		memcpy(bytes, nameless, sizeof(nameless));
		name = (struct slice){ bytes, sizeof(nameless) - 1 };
	}
	bytes[(size_t)(name.at - bytes) + name.length] = '\0';
	*ret_name = name;
	return 0;
}

int filename_read(struct arena *arena, struct slice header, struct slice *ret_name)
{
	struct slice name;
	char *decoded;
	int r;

	if (!header.at)
		header = text_slice(nameless);
	for (size_t i = 0; i < header.length; i++)
		if (header.at[i] < ' ' || header.at[i] > '~')
			return FILENAME_E_MALFORMED;
	decoded = arena_alloc(arena, header.length + 1);
	if (!decoded)
		return -ENOMEM;
	name.at = decoded;
	if (!http_percent_decode(header, false, decoded, &name.length) || !text_is_utf8(name))
		return FILENAME_E_MALFORMED;
	r = text_normalise(arena, name, HTTP_HEAD_MAX, &name);
	if (r)
		return r > 0 ? FILENAME_E_MALFORMED : r;
	return clean(arena, name, ret_name);
}

static bool is_plain(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr("-._", c));
}

/* The plain form is for who does not know the other one; a percent sign there would mislead. */
int filename_write(struct arena *arena, struct slice name, const char **ret_disposition)
{
	CLEANUP(buffer_deinit) struct buffer text = BUFFER_NULL;
	int r = clean(arena, name, &name);

	if (r)
		return r;
	buffer_append_text(&text, "attachment; filename=\"");
	for (size_t i = 0; i < name.length; i++)
		buffer_append_char(&text,
				   is_plain(name.at[i]) || name.at[i] == ' ' ? name.at[i] : '_');
	buffer_append_text(&text, "\"; filename*=UTF-8''");
	for (size_t i = 0; i < name.length; i++) {
		if (is_plain(name.at[i]))
			buffer_append_char(&text, name.at[i]);
		else
			buffer_printf(&text, "%%%02X", (unsigned char)name.at[i]);
	}
	r = buffer_finish(&text);
	if (r)
		return r;
	*ret_disposition = arena_strndup(arena, text.at, text.length);
	return *ret_disposition ? 0 : -ENOMEM;
}
