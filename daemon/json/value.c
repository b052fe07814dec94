/*
 * The wall around Jansson for readers and builders. A `struct value` is a json_t under another
 * name, so no memory is spent on wrapping and borrowed members need no bookkeeping: a root holds
 * one reference, everything below belongs to its parent. The parser is in parse.c, the writers in
 * write.c.
 */

#include "daemon/json/internal.h"

#include "daemon/base/text.h"

#include <math.h>
#include <string.h>

/* Releases a root. Takes NULL; returns NULL. */
struct value *value_free(struct value *value)
{
	json_decref(value_to_json(value));
	return NULL;
}

/* The same for CLEANUP(). */
void value_freep(struct value **value)
{
	*value = value_free(*value);
}

/* Copies a value with everything below; NULL when out of memory. */
struct value *value_copy(const struct value *value)
{
	return value_from_json(json_deep_copy(value_to_json(value)));
}

/* Types a value; no value at all reads as VALUE_NULL. */
enum value_type value_type(const struct value *value)
{
	const json_t *json = value_to_json(value);

	if (!json)
		return VALUE_NULL;
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return VALUE_OBJECT;
	case JSON_ARRAY:
		return VALUE_ARRAY;
	case JSON_STRING:
		return VALUE_TEXT;
	case JSON_INTEGER:
		return VALUE_INTEGER;
	case JSON_REAL:
		return VALUE_REAL;
	case JSON_TRUE:
	case JSON_FALSE:
		return VALUE_BOOLEAN;
	default:
		return VALUE_NULL;
	}
}

/* Whether there is a value and it has the type: tells an absent member from a null one. */
bool value_is(const struct value *value, enum value_type type)
{
	return value && value_type(value) == type;
}

/* Finds a member; NULL when there is none or this is no object. */
struct value *value_get(const struct value *object, const char *key)
{
	return value_from_json(json_object_get(value_to_json(object), key));
}

/* Finds an item; NULL behind the end or when this is no array. */
struct value *value_at(const struct value *array, size_t index)
{
	return value_from_json(json_array_get(value_to_json(array), index));
}

/* Counts items of an array or members of an object. */
size_t value_count(const struct value *value)
{
	const json_t *json = value_to_json(value);

	return json_is_object(json) ? json_object_size(json) : json_array_size(json);
}

/* The text of a string, valid as long as the value; NUL-terminated; .at is NULL for others. */
struct slice value_text(const struct value *value)
{
	const json_t *json = value_to_json(value);

	return (struct slice){ .at = json_string_value(json), .length = json_string_length(json) };
}

/* The same as a C string: parsed text never has a NUL inside. */
const char *value_string(const struct value *value)
{
	return json_string_value(value_to_json(value));
}

/* The text of a member, or NULL. */
const char *value_get_string(const struct value *object, const char *key)
{
	return value_string(value_get(object, key));
}

/* The number of an integer, `otherwise` for everything else: a real is not rounded. */
int64_t value_integer(const struct value *value, int64_t otherwise)
{
	const json_t *json = value_to_json(value);

	return json_is_integer(json) ? (int64_t)json_integer_value(json) : otherwise;
}

/* The number of an integer or a real. */
double value_number(const struct value *value, double otherwise)
{
	const json_t *json = value_to_json(value);

	return json_is_number(json) ? json_number_value(json) : otherwise;
}

/* Whether this is the literal true. */
bool value_is_true(const struct value *value)
{
	return json_is_true(value_to_json(value));
}

/* Compares deeply; the order of members does not count, 1 and 1.0 differ. */
bool value_equals(const struct value *a, const struct value *b)
{
	return json_equal(value_to_json(a), value_to_json(b)) == 1;
}

/*
 * Steps through the members in the order they were added; *iterator starts as NULL. Ends at once
 * for what is no object. The object must not change meanwhile.
 */
bool value_each(const struct value *object, void **iterator, struct slice *ret_key,
		struct value **ret_member)
{
	json_t *json = value_to_json(object);
	const char *key;

	*iterator = *iterator ? json_object_iter_next(json, *iterator) : json_object_iter(json);
	if (!*iterator)
		return false;
	key = json_object_iter_key(*iterator);
	*ret_key = (struct slice){ .at = key, .length = strlen(key) };
	*ret_member = value_from_json(json_object_iter_value(*iterator));
	return true;
}

struct value *value_new_object(void)
{
	return value_from_json(json_object());
}

struct value *value_new_array(void)
{
	return value_from_json(json_array());
}

/* NULL also when the text is not UTF-8 or has a NUL inside. */
struct value *value_new_text(struct slice text)
{
	if (text.length && memchr(text.at, '\0', text.length))
		return NULL;
	return value_from_json(json_stringn(text.at ? text.at : "", text.length));
}

struct value *value_new_string(const char *text)
{
	return value_from_json(json_string(text));
}

struct value *value_new_integer(int64_t integer)
{
	return value_from_json(json_integer(integer));
}

/* NULL also when the number is not finite: JSON has no word for it. */
struct value *value_new_real(double real)
{
	return isfinite(real) ? value_from_json(json_real(real)) : NULL;
}

struct value *value_new_boolean(bool boolean)
{
	return value_from_json(json_boolean(boolean));
}

struct value *value_new_null(void)
{
	return value_from_json(json_null());
}

/*
 * Puts a member into an object, replacing the one of that name. The child belongs to the object
 * from the call on, also when it fails. Returns 0, -ENOMEM (child NULL counts as that), or -EINVAL:
 * not an object, or the key is not UTF-8.
 */
int value_set_take(struct value *object, const char *key, struct value *child)
{
	json_t *json = value_to_json(object);

	if (!child)
		return -ENOMEM;
	if (!json_is_object(json)) {
		value_free(child);
		return -EINVAL;
	}
	if (json_object_set_new(json, key, value_to_json(child)) == 0)
		return 0;
	return text_is_utf8(text_slice(key)) ? -ENOMEM : -EINVAL;
}

/* Appends an item to an array; as value_set_take(). */
int value_append_take(struct value *array, struct value *child)
{
	json_t *json = value_to_json(array);

	if (!child)
		return -ENOMEM;
	if (!json_is_array(json)) {
		value_free(child);
		return -EINVAL;
	}
	return json_array_append_new(json, value_to_json(child)) < 0 ? -ENOMEM : 0;
}

/* Replaces an item that exists; as value_set_take(). */
int value_replace_take(struct value *array, size_t index, struct value *child)
{
	if (!child)
		return -ENOMEM;
	return json_array_set_new(value_to_json(array), index, value_to_json(child)) < 0 ? -EINVAL
											 : 0;
}

int value_set_text(struct value *object, const char *key, struct slice text)
{
	return value_set_take(object, key, value_new_text(text));
}

/* A text of NULL is written as null: "known to be nothing". */
int value_set_string(struct value *object, const char *key, const char *text)
{
	return value_set_take(object, key, text ? value_new_string(text) : value_new_null());
}

int value_set_integer(struct value *object, const char *key, int64_t integer)
{
	return value_set_take(object, key, value_new_integer(integer));
}

int value_set_boolean(struct value *object, const char *key, bool boolean)
{
	return value_set_take(object, key, value_new_boolean(boolean));
}

int value_set_null(struct value *object, const char *key)
{
	return value_set_take(object, key, value_new_null());
}

/* Takes a member out and releases it; 0 also when there was none, -EINVAL for what is no object. */
int value_remove(struct value *object, const char *key)
{
	json_t *json = value_to_json(object);

	if (!json_is_object(json))
		return -EINVAL;
	json_object_del(json, key);
	return 0;
}
