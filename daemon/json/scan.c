/*
 * Finding one's way in JSON text without making values of it: for text that PostgreSQL wrote and
 * that only passes through. What is no JSON is noticed where it could mislead, and nowhere else.
 */

#include "daemon/json/value.h"

#include <string.h>

static const char *skip_space(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r'))
		at++;
	return at;
}

/* Behind the string that starts at its quote; NULL when it does not end. */
const char *value_scan_string(const char *at, const char *end)
{
	for (at++; at < end; at++) {
		if (*at == '"')
			return at + 1;
		if (*at == '\\')
			at++;
	}
	return NULL;
}

/* Behind the value that starts here; NULL when it does not end. */
static const char *skip_value(const char *at, const char *end)
{
	size_t depth = 0;

	while (at && at < end) {
		if (*at == '"') {
			at = value_scan_string(at, end);
		} else if (*at == '{' || *at == '[') {
			depth++;
			at++;
		} else if (*at == '}' || *at == ']') {
			if (depth <= 1)
				return at + (depth == 1);
			depth--;
			at++;
		} else if (*at == ',' && !depth) {
			return at;
		} else {
			at++;
			continue;
		}
		if (at && !depth)
			return at;
	}
	return NULL;
}

/* The text of a member of an object, quotes and all; false: it has none, or is no object. */
bool value_scan_member(struct slice object, const char *key, struct slice *ret_text)
{
	const char *end = object.at + object.length, *at = skip_space(object.at, end);
	size_t length = strlen(key);

	while (at < end && (*at == '{' || *at == ',')) {
		const char *name = skip_space(at + 1, end);
		const char *name_end = name < end && *name == '"' ? value_scan_string(name, end)
								  : NULL;
		const char *value = name_end ? skip_space(name_end, end) : end;
		const char *value_end;

		if (value == end || *value != ':')
			return false;
		value = skip_space(value + 1, end);
		value_end = skip_value(value, end);
		if (!value_end)
			return false;
		if ((size_t)(name_end - name) == length + 2 && memcmp(name + 1, key, length) == 0) {
			*ret_text = (struct slice){ value, (size_t)(value_end - value) };
			return true;
		}
		at = skip_space(value_end, end);
	}
	return false;
}
