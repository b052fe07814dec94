#pragma once
/* A growing byte string. A failed append marks it; buffer_finish() says so once, at the end. */

#include "daemon/base/error.h"

struct buffer {
	char *at; /* always NUL-terminated when not NULL */
	size_t length;
	size_t capacity;
	bool has_failed;
};

/* clang-format off */
#define BUFFER_NULL { 0 }
/* clang-format on */

void buffer_deinit(struct buffer *buffer);             /* usable with CLEANUP() */
void buffer_clear(struct buffer *buffer);              /* keeps the memory */
void buffer_cut(struct buffer *buffer, size_t length); /* keeps the first `length` bytes */
void buffer_append(struct buffer *buffer, const void *bytes, size_t length);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_char(struct buffer *buffer, char c);
void buffer_append_number(struct buffer *buffer, int64_t number);
void buffer_printf(struct buffer *buffer, const char *format, ...) PRINTF(2, 3);
int buffer_finish(struct buffer *buffer);  /* 0 or -ENOMEM */
char *buffer_steal(struct buffer *buffer); /* malloc'ed text or NULL; the buffer is empty after */
