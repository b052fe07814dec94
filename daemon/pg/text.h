#pragma once
/* PostgreSQL's text forms of bytea and of one-dimensional arrays, both ways. */

#include "daemon/base/arena.h"

enum { PG_TEXT_E_MALFORMED = 1 };

/* bytes as '\x…'. */
int pg_text_from_bytes(struct arena *arena, struct slice bytes, struct slice *ret_text);
int pg_text_to_bytes(struct arena *arena, struct slice text, struct slice *ret_bytes);

/* An array literal of texts: {"a","b"}; an element whose `at` is NULL is NULL. */
int pg_text_from_texts(struct arena *arena, const struct slice *texts, size_t n_texts,
		       struct slice *ret_text);
/* A bytea[] literal. */
int pg_text_from_byte_strings(struct arena *arena, const struct slice *strings, size_t n_strings,
			      struct slice *ret_text);
int pg_text_to_texts(struct arena *arena, struct slice text, struct slice **ret_texts,
		     size_t *ret_n_texts);
int pg_text_to_byte_strings(struct arena *arena, struct slice text, struct slice **ret_strings,
			    size_t *ret_n_strings);
