/*
 * Writers: compact JSON into a buffer. The canonical form sorts members by the bytes of their names
 * at every level, so that equal values have equal bytes and hashes.
 */

#include "daemon/json/internal.h"

static int append(const char *bytes, size_t length, void *buffer)
{
	buffer_append(buffer, bytes, length);
	return 0;
}

static int write_with(const struct value *value, struct buffer *buffer, size_t flags)
{
	if (!value)
		return -EINVAL;
	if (json_dump_callback(value_to_json(value), append, buffer,
			       flags | JSON_COMPACT | JSON_ENCODE_ANY) < 0)
		return -ENOMEM;
	return buffer_finish(buffer);
}

/* Appends the value; returns 0, -ENOMEM, or -EINVAL for no value. */
int value_write(const struct value *value, struct buffer *buffer)
{
	return write_with(value, buffer, 0);
}

/* Appends the value with sorted members; as value_write(). */
int value_write_canonical(const struct value *value, struct buffer *buffer)
{
	return write_with(value, buffer, JSON_SORT_KEYS);
}
