/*
 * A growing byte string for writers of JSON, headers and log lines. A failed append marks the
 * buffer and later ones do nothing, so a writer checks once, with buffer_finish().
 */

#include "daemon/base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_FIRST = 256 };

/* Releases the memory; the buffer is empty and usable again. */
void buffer_deinit(struct buffer *buffer)
{
	free(buffer->at);
	*buffer = (struct buffer)BUFFER_NULL;
}

/* Forgets what was appended since the length was `length`, and a failure since then. */
void buffer_cut(struct buffer *buffer, size_t length)
{
	buffer->length = length;
	buffer->has_failed = false;
	if (buffer->at)
		buffer->at[length] = '\0';
}

/* Forgets content and failure but keeps the memory for the next use. */
void buffer_clear(struct buffer *buffer)
{
	buffer_cut(buffer, 0);
}

/* Makes room for `more` bytes and a NUL. */
static bool buffer_reserve(struct buffer *buffer, size_t more)
{
	size_t capacity = buffer->capacity ? buffer->capacity : CAPACITY_FIRST;
	char *at;

	if (buffer->has_failed)
		return false;
	if (more >= SIZE_MAX / 4 - buffer->length) {
		buffer->has_failed = true;
		return false;
	}
	while (capacity < buffer->length + more + 1)
		capacity *= 2;
	if (capacity == buffer->capacity)
		return true;
	at = realloc(buffer->at, capacity);
	if (!at) {
		buffer->has_failed = true;
		return false;
	}
	buffer->at = at;
	buffer->capacity = capacity;
	return true;
}

/* Appends bytes; NULs inside are kept. */
void buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
	if (!buffer_reserve(buffer, length))
		return;
	if (length)
		memcpy(buffer->at + buffer->length, bytes, length);
	buffer->length += length;
	buffer->at[buffer->length] = '\0';
}

/* Appends a C string. */
void buffer_append_text(struct buffer *buffer, const char *text)
{
	buffer_append(buffer, text, strlen(text));
}

/* Appends one byte. */
void buffer_append_char(struct buffer *buffer, char c)
{
	buffer_append(buffer, &c, 1);
}

/* Appends a number in decimal. */
void buffer_append_number(struct buffer *buffer, int64_t number)
{
	char text[24];
	char *at = text + sizeof(text);
	uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;

	do
		*--at = (char)('0' + rest % 10);
	while (rest /= 10);
	if (number < 0)
		*--at = '-';
	buffer_append(buffer, at, (size_t)(text + sizeof(text) - at));
}

/* Appends formatted text. */
void buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0) {
		buffer->has_failed = true;
		return;
	}
	if (!buffer_reserve(buffer, (size_t)length))
		return;
	va_start(args, format);
	vsnprintf(buffer->at + buffer->length, (size_t)length + 1, format, args);
	va_end(args);
	buffer->length += (size_t)length;
}

/* Says whether all appends succeeded: 0 or -ENOMEM. After 0 the text is never NULL. */
int buffer_finish(struct buffer *buffer)
{
	if (!buffer_reserve(buffer, 0))
		return -ENOMEM;
	buffer->at[buffer->length] = '\0';
	return 0;
}

/* Gives the text away (to be freed by the caller), or NULL after a failure; empties the buffer. */
char *buffer_steal(struct buffer *buffer)
{
	char *text = NULL;

	if (buffer_finish(buffer) == 0) {
		text = buffer->at;
		buffer->at = NULL;
	}
	buffer_deinit(buffer);
	return text;
}
