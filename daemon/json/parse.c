/*
 * The strict parser. Jansson checks grammar, UTF-8, surrogates, U+0000, duplicate members and
 * trailing bytes; size, depth and the number of values are checked here, by a scan that costs no
 * memory, before Jansson sees the bytes: its own depth limit is 2048 and fixed when it is built.
 */

#include "daemon/json/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int refuse(struct value_error *ret_error, int outcome, const char *message)
{
	if (ret_error) {
		*ret_error = (struct value_error){ 0 };
		snprintf(ret_error->message, sizeof(ret_error->message), "%s", message);
	}
	return outcome;
}

/* Jansson ends with "near" and bytes of the input; those are left out of the message. */
static int refuse_malformed(struct value_error *ret_error, const json_error_t *error)
{
	const char *near = strstr(error->text, " near ");
	int length = near ? (int)(near - error->text) : (int)strlen(error->text);
	const char *message = error->text;

	switch (json_error_code(error)) {
	case json_error_duplicate_key:
		message = "duplicate member";
		break;
	case json_error_invalid_utf8:
		message = "invalid UTF-8";
		break;
	case json_error_numeric_overflow:
		message = "number out of range";
		break;
	case json_error_null_character:
	case json_error_null_byte_in_key:
		message = "U+0000 is not allowed";
		break;
	default:
		break;
	}
	if (message != error->text)
		length = (int)strlen(message);
	if (ret_error) {
		*ret_error = (struct value_error){
			.line = error->line > 0 ? (unsigned)error->line : 0,
			.column = error->column > 0 ? (unsigned)error->column : 0,
		};
		snprintf(ret_error->message, sizeof(ret_error->message), "%.*s", length, message);
	}
	return VALUE_E_MALFORMED;
}

/*
 * Walks the bytes outside of strings. Braces and commas there are structure whatever the grammar
 * around them, so for bytes that are JSON depth and count are exact, and for others refusal by this
 * or by the parser is all the same.
 */
static int check_bounds(struct slice bytes, struct value_error *ret_error)
{
	bool is_in_string = false;
	size_t depth = 0, n_items = 0;

	for (size_t i = 0; i < bytes.length; i++) {
		char c = bytes.at[i];

		if (is_in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				is_in_string = false;
			continue;
		}
		if (c == '"') {
			is_in_string = true;
		} else if (c == '{' || c == '[') {
			n_items++;
			if (++depth > VALUE_DEPTH_MAX)
				return refuse(ret_error, VALUE_E_TOO_DEEP, "nested too deeply");
		} else if (c == '}' || c == ']') {
			depth -= depth > 0;
		} else if (c == ',' && ++n_items > VALUE_ITEMS_MAX) {
			return refuse(ret_error, VALUE_E_TOO_LARGE, "too many values");
		}
	}
	return 0;
}

/*
 * Parses one JSON text whose root is an object or an array. Returns 0 and a root that the caller
 * frees, VALUE_E_MALFORMED, VALUE_E_TOO_LARGE, VALUE_E_TOO_DEEP, or -ENOMEM. Integers outside of
 * 64 bits and reals outside of doubles are malformed: nobody downstream could keep them exactly.
 */
int value_parse(struct slice bytes, struct value **ret_value, struct value_error *ret_error)
{
	json_error_t error = { 0 };
	json_t *json = NULL;
	int r;

	if (bytes.length > VALUE_SIZE_MAX)
		return refuse(ret_error, VALUE_E_TOO_LARGE, "too large");
	if (bytes.length == 0)
		return refuse(ret_error, VALUE_E_MALFORMED, "empty");
	r = check_bounds(bytes, ret_error);
	if (r)
		return r;
	r = json_parse(bytes, &json, &error);
	if (r)
		return r;
	if (!json)
		return refuse_malformed(ret_error, &error);
	*ret_value = value_from_json(json);
	return 0;
}
