/*
 * The one layout of messages with more than a single value: a length of two bytes in host order,
 * then the bytes, part for part, and nothing behind the last. Both ends are one program, but a
 * process that was taken over may send anything.
 */

#include <string.h>

#include "daemon/base/buffer.h"
#include "daemon/ipc/pack.h"

void pack_write(struct buffer *buffer, const struct slice *parts, size_t n_parts)
{
	for (size_t i = 0; i < n_parts; i++) {
		uint16_t length = (uint16_t)parts[i].length;

		if (parts[i].length > PACK_PART_LIMIT)
			buffer->has_failed = true;
		buffer_append(buffer, &length, sizeof(length));
		if (length)
			buffer_append(buffer, parts[i].at, length);
	}
}

/* Takes one part off the front of *rest. */
static bool part_take(struct slice *rest, struct slice *ret_part)
{
	uint16_t length;

	if (rest->length < sizeof(length))
		return false;
	memcpy(&length, rest->at, sizeof(length));
	if (rest->length - sizeof(length) < length)
		return false;
	*ret_part = (struct slice){ rest->at + sizeof(length), length };
	rest->at += sizeof(length) + length;
	rest->length -= sizeof(length) + length;
	return true;
}

/* 0 or PACK_E_MALFORMED. */
int pack_read(struct slice payload, struct slice *ret_parts, size_t n_parts)
{
	struct slice rest = payload, part;

	for (size_t i = 0; i < n_parts; i++)
		if (!part_take(&rest, &part))
			return PACK_E_MALFORMED;
	if (rest.length)
		return PACK_E_MALFORMED;
	for (size_t i = 0; i < n_parts; i++)
		(void)part_take(&payload, &ret_parts[i]);
	return 0;
}
