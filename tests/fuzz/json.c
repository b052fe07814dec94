/*
 * The JSON reader: what is read, written and read again is the same value; the canonical form is a
 * fixed point and does not depend on the order of members; limits hold; messages are plain text.
 */

#include "tests/fuzz/fuzz.h"

#include "daemon/json/value.h"

#include <string.h>

static unsigned depth_of(const struct value *value)
{
	unsigned deepest = 0, depth;
	struct value *member;
	struct slice key;

	for (size_t i = 0; i < value_count(value) && value_is(value, VALUE_ARRAY); i++) {
		depth = depth_of(value_at(value, i));
		deepest = depth > deepest ? depth : deepest;
	}
	for (void *at = NULL; value_each(value, &at, &key, &member);) {
		PROPERTY(value_get(value, key.at) == member);
		depth = depth_of(member);
		deepest = depth > deepest ? depth : deepest;
	}
	return deepest + (value_is(value, VALUE_ARRAY) || value_is(value, VALUE_OBJECT));
}

/* Members from the last to the first; NULL when out of memory. */
static struct value *reversed(const struct value *object)
{
	struct value *copy = value_new_object(), *member;
	struct slice key, keys[256];
	size_t n = 0;
	int r = copy ? 0 : -ENOMEM;

	for (void *at = NULL; n < ARRAY_SIZE(keys) && value_each(object, &at, &key, &member);)
		keys[n++] = key;
	while (r == 0 && n-- > 0)
		r = value_set_take(copy, keys[n].at, value_copy(value_get(object, keys[n].at)));
	return r == 0 ? copy : value_free(copy);
}

static void check_order(const struct value *value, const struct buffer *canonical)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	CLEANUP(value_freep) struct value *other = NULL;

	if (!value_is(value, VALUE_OBJECT) || value_count(value) > 256)
		return;
	other = reversed(value);
	if (!other) {
		PROPERTY(fuzz_has_fault());
		return;
	}
	NOT_NEGATIVE(value_write_canonical(other, &buffer), out);
	PROPERTY(value_equals(other, value));
	PROPERTY(buffer.length == canonical->length &&
		 memcmp(buffer.at, canonical->at, buffer.length) == 0);
out:
	return;
}

static void check_round_trip(const struct value *value, bool is_canonical)
{
	CLEANUP(buffer_deinit) struct buffer once = BUFFER_NULL;
	CLEANUP(buffer_deinit) struct buffer twice = BUFFER_NULL;
	CLEANUP(value_freep) struct value *again = NULL;
	int (*write)(const struct value *, struct buffer *) = is_canonical ? value_write_canonical
									   : value_write;
	int r = write(value, &once);

	NOT_NEGATIVE(r, out);
	r = value_parse((struct slice){ once.at, once.length }, &again, NULL);
	NOT_NEGATIVE(r, out);
	PROPERTY(r == 0 && value_equals(again, value));
	r = write(again, &twice);
	NOT_NEGATIVE(r, out);
	PROPERTY(once.length == twice.length && memcmp(once.at, twice.at, once.length) == 0);
	if (is_canonical)
		check_order(value, &once);
out:
	return;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	CLEANUP(value_freep) struct value *value = NULL;
	CLEANUP(value_freep) struct value *copy = NULL;
	struct slice text = { size ? (const char *)bytes : "", size };
	struct value_error error = { .message = "" };
	int r = value_parse(text, &value, &error);

	NOT_NEGATIVE(r, out);
	if (r > 0) {
		PROPERTY(!value && fuzz_is_line(error.message));
		r = value_parse(text, &value, NULL);
		PROPERTY(r > 0 || fuzz_has_fault());
		return 0;
	}
	PROPERTY(value_is(value, VALUE_OBJECT) || value_is(value, VALUE_ARRAY));
	PROPERTY(depth_of(value) <= VALUE_DEPTH_MAX);
	check_round_trip(value, false);
	check_round_trip(value, true);
	copy = value_copy(value);
	PROPERTY(copy ? value_equals(copy, value) : fuzz_has_fault());
out:
	return 0;
}
