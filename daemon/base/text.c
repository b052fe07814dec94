/*
 * Unicode text from outside: validity and normal form. Everything that is stored or compared passes
 * here first, so that one text has one spelling. The normal forms are utf8proc's; validity is
 * checked by our own decoder, because utf8proc lets U+0000 pass. Also UUIDs, which are text to us.
 */

#include "daemon/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <utf8proc.h>

/*
 * Decodes the first code point as RFC 3629 says: no overlong forms, no surrogates, nothing above
 * U+10FFFF. U+0000 is not text to us: C strings and PostgreSQL both end or refuse there.
 */
size_t text_read_point(struct slice text, uint32_t *ret_point)
{
	static const uint32_t least[] = { 0, 1, 0x80, 0x800, 0x10000 };
	const uint8_t *at = (const uint8_t *)text.at;
	uint32_t point;
	size_t n;

	if (text.length == 0)
		return 0;
	if (at[0] < 0x80) {
		point = at[0];
		n = 1;
	} else if (at[0] >= 0xc2 && at[0] < 0xe0) {
		point = at[0] & 0x1f;
		n = 2;
	} else if (at[0] >= 0xe0 && at[0] < 0xf0) {
		point = at[0] & 0x0f;
		n = 3;
	} else if (at[0] >= 0xf0 && at[0] < 0xf5) {
		point = at[0] & 0x07;
		n = 4;
	} else {
		return 0;
	}
	if (n > text.length)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (at[i] & 0x3f);
	}
	if (point < least[n] || (point >= 0xd800 && point < 0xe000) || point > 0x10ffff)
		return 0;
	*ret_point = point;
	return n;
}

/* Controls, line ends, and marks that turn the direction of what follows (UAX 9). */
static bool is_disruptive(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) ||
	       (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

/* For messages that quote what somebody wrote, also when the quotation was cut inside a character:
 * no quotation can end the line, move the cursor or turn the rest around. */
void text_make_line(char *text)
{
	struct slice rest = { text, strlen(text) };
	char *to = text;

	while (rest.length) {
		uint32_t point = 0;
		size_t n = text_read_point(rest, &point);

		if (n == 0 || is_disruptive(point))
			*to++ = '?';
		for (size_t i = 0; i < n && !is_disruptive(point); i++)
			*to++ = rest.at[i];
		rest.at += n ? n : 1;
		rest.length -= n ? n : 1;
	}
	*to = '\0';
}

/* Encodes a code point that is neither a surrogate nor above U+10FFFF; returns 1 to 4 bytes. */
size_t text_write_point(char ret_text[4], uint32_t point)
{
	return (size_t)utf8proc_encode_char((utf8proc_int32_t)point, (utf8proc_uint8_t *)ret_text);
}

/* Whether all of the text decodes. The empty text does. */
bool text_is_utf8(struct slice text)
{
	while (text.length > 0) {
		uint32_t point;
		size_t n = text_read_point(text, &point);

		if (n == 0)
			return false;
		text.at += n;
		text.length -= n;
	}
	return true;
}

/* Counts code points of valid UTF-8 (its bytes that do not continue one). */
size_t text_count_points(struct slice text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.length; i++)
		n += ((uint8_t)text.at[i] & 0xc0) != 0x80;
	return n;
}

/* Borrows a C string as a slice. */
struct slice text_slice(const char *text)
{
	return (struct slice){ .at = text ? text : "", .length = text ? strlen(text) : 0 };
}

/* Compares bytes; not in constant time. */
bool text_equals(struct slice a, struct slice b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0);
}

/*
 * Brings text into normal form C. Canonical decompositions have at most four code points, so a text
 * of more than four times the limit cannot come out below it and is refused before any work.
 */
int text_normalise(struct arena *arena, struct slice text, size_t max_points,
		   struct slice *ret_text)
{
	utf8proc_uint8_t *normal = NULL;
	utf8proc_ssize_t length;
	struct slice result;
	char *copy;

	if (!text_is_utf8(text))
		return TEXT_E_INVALID;
	if (text_count_points(text) / 4 > max_points)
		return TEXT_E_TOO_LONG;
	length = utf8proc_map((const utf8proc_uint8_t *)text.at, (utf8proc_ssize_t)text.length,
			      &normal, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
	if (length < 0) {
		free(normal);
		return length == UTF8PROC_ERROR_NOMEM ? -ENOMEM : TEXT_E_INVALID;
	}
	result = (struct slice){ .at = (const char *)normal, .length = (size_t)length };
	if (text_count_points(result) > max_points) {
		free(normal);
		return TEXT_E_TOO_LONG;
	}
	copy = arena_memdup(arena, result.at, result.length);
	free(normal);
	if (!copy)
		return -ENOMEM;
	*ret_text = (struct slice){ .at = copy, .length = result.length };
	return 0;
}

static unsigned digit_of_hex(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

/* RFC 9562 text in lower case, of any version: one spelling, so that ids compare as bytes. */
bool text_is_uuid(struct slice text)
{
	if (text.length != TEXT_UUID_LENGTH)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		char c = text.at[i];

		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (c != '-')
				return false;
		} else if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) {
			return false;
		}
	}
	return true;
}

/* Writes 16 bytes as a UUID. */
void text_write_uuid(char ret_uuid[TEXT_UUID_LENGTH + 1], const uint8_t bytes[TEXT_UUID_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	char *at = ret_uuid;

	for (size_t i = 0; i < TEXT_UUID_SIZE; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		*at++ = digits[bytes[i] >> 4];
		*at++ = digits[bytes[i] & 0x0f];
	}
	*at = '\0';
}

/* The bytes of what text_is_uuid() takes. Returns 0 or TEXT_E_INVALID. */
int text_read_uuid(struct slice text, uint8_t ret_bytes[TEXT_UUID_SIZE])
{
	uint8_t *at = ret_bytes;

	if (!text_is_uuid(text))
		return TEXT_E_INVALID;
	for (size_t i = 0; i < text.length; i += 2) {
		if (text.at[i] == '-')
			i++;
		*at++ = (uint8_t)(digit_of_hex(text.at[i]) << 4 | digit_of_hex(text.at[i + 1]));
	}
	return 0;
}

/* Writes 16 random bytes as a UUID of version 4, which 122 of their bits make. */
void text_make_uuid(char ret_uuid[TEXT_UUID_LENGTH + 1], const uint8_t random[TEXT_UUID_SIZE])
{
	uint8_t bytes[TEXT_UUID_SIZE];

	memcpy(bytes, random, sizeof(bytes));
	bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
	bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
	text_write_uuid(ret_uuid, bytes);
}

/* Writes a random UUID from the kernel's generator. Returns 0 or -errno. */
int text_new_uuid(char ret_uuid[TEXT_UUID_LENGTH + 1])
{
	uint8_t bytes[TEXT_UUID_SIZE];
	ssize_t n;

	do
		n = getrandom(bytes, sizeof(bytes), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n != sizeof(bytes))
		return -EIO;
	text_make_uuid(ret_uuid, bytes);
	return 0;
}
