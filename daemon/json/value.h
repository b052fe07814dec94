#pragma once
/*
 * JSON values (RFC 8259). The parser is strict: it takes what conductd writes in its contract and
 * refuses everything that two parsers could read in two ways.
 */

#include "daemon/base/buffer.h"

struct value; /* one JSON value; readers borrow, the root is owned by who made it */

enum value_type {
	VALUE_NULL,
	VALUE_BOOLEAN,
	VALUE_INTEGER,
	VALUE_REAL,
	VALUE_TEXT,
	VALUE_ARRAY,
	VALUE_OBJECT,
};

enum { VALUE_E_MALFORMED = 1, VALUE_E_TOO_LARGE, VALUE_E_TOO_DEEP };

enum { VALUE_DEPTH_MAX = 16, VALUE_SIZE_MAX = 16 * 1024 * 1024, VALUE_ITEMS_MAX = 1000000 };

struct value_error {
	unsigned line; /* from 1; 0: not known */
	unsigned column;
	char message[160]; /* plain text; never holds bytes of the input */
};

/* ret_error may be NULL; it is filled on a positive return. */
int value_parse(struct slice bytes, struct value **ret_value, struct value_error *ret_error);
struct value *value_free(struct value *value);       /* roots only; takes NULL, returns NULL */
void value_freep(struct value **value);              /* for CLEANUP() */
struct value *value_copy(const struct value *value); /* deep; a root of its own; NULL: no memory */

/* Readers take NULL ("no such member") and the wrong type, and then answer as documented. */
enum value_type value_type(const struct value *value);          /* NULL reads as VALUE_NULL */
bool value_is(const struct value *value, enum value_type type); /* NULL is nothing, not null */
struct value *value_get(const struct value *object, const char *key); /* borrowed or NULL */
struct value *value_at(const struct value *array, size_t index);      /* borrowed or NULL */
size_t value_count(const struct value *value);       /* items or members; 0 for others */
struct slice value_text(const struct value *value);  /* NUL-terminated; at is NULL if not text */
const char *value_string(const struct value *value); /* the same as a C string, or NULL */
const char *value_get_string(const struct value *object, const char *key); /* or NULL */
int64_t value_integer(const struct value *value, int64_t otherwise);
double value_number(const struct value *value, double otherwise); /* integer or real */
bool value_is_true(const struct value *value);
bool value_equals(const struct value *a, const struct value *b);

/* for (void *at = NULL; value_each(object, &at, &key, &member);) … : members in document order. */
bool value_each(const struct value *object, void **iterator, struct slice *ret_key,
		struct value **ret_member);

/* Builders: NULL when out of memory (text: also when not UTF-8; a real: when not finite). */
struct value *value_new_object(void);
struct value *value_new_array(void);
struct value *value_new_text(struct slice text);
struct value *value_new_string(const char *text);
struct value *value_new_integer(int64_t integer);
struct value *value_new_real(double real);
struct value *value_new_boolean(bool boolean);
struct value *value_new_null(void);

/* 0 or -ENOMEM/-EINVAL. `_take` owns the child from the call on, even when it fails; child NULL is
 * -ENOMEM, so that a builder can stand inside the call. A member that exists is replaced. */
int value_set_take(struct value *object, const char *key, struct value *child);
int value_append_take(struct value *array, struct value *child);
int value_set_text(struct value *object, const char *key, struct slice text);
int value_set_string(struct value *object, const char *key, const char *text); /* NULL: null */
int value_set_integer(struct value *object, const char *key, int64_t integer);
int value_set_boolean(struct value *object, const char *key, bool boolean);
int value_set_null(struct value *object, const char *key);
int value_remove(struct value *object, const char *key); /* 0 also when it was not there */
int value_replace_take(struct value *array, size_t index, struct value *child);

/* Append compact JSON to the buffer; canonical: keys sorted by bytes at every level. */
int value_write(const struct value *value, struct buffer *buffer);
int value_write_canonical(const struct value *value, struct buffer *buffer);

/* Text that PostgreSQL wrote, without parsing it. A number's text may end in spaces. */
bool value_scan_member(struct slice object, const char *key, struct slice *ret_text);
const char *value_scan_string(const char *at, const char *end);
