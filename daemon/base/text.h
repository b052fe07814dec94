#pragma once
/* Unicode text from outside: validity, normal form, limits, and the folds names are compared by. */

#include "daemon/base/arena.h"

enum {
	TEXT_E_INVALID = 1, /* not UTF-8 (RFC 3629), a surrogate, or U+0000 */
	TEXT_E_TOO_LONG,    /* over the limit in code points or in bytes */
};

bool text_is_utf8(struct slice text); /* RFC 3629; overlong, surrogates, U+0000 are not */
/* Bytes of the code point the text starts with, 1 to 4; 0: empty, or not UTF-8 there. */
size_t text_read_point(struct slice text, uint32_t *ret_point);
size_t text_write_point(char ret_text[4], uint32_t point); /* the reverse; a valid point only */
size_t text_count_points(struct slice text);
/* Makes a message one line of UTF-8, in place: controls and broken bytes become '?'. */
void text_make_line(char *text);
struct slice text_slice(const char *text); /* of a C string; NULL is an empty one */
bool text_equals(struct slice a, struct slice b);
/* NFC of text in the arena. max_points is checked after normalising; bytes <= 4 * max_points. */
int text_normalise(struct arena *arena, struct slice text, size_t max_points,
		   struct slice *ret_text);
/* A MediaWiki user name as wikis compare it: NFC, '_' as space, spaces collapsed and trimmed, first
 * letter upper case. At most 255 code points, for the skeleton too. */
int text_fold_user(struct arena *arena, struct slice name, struct slice *ret_name);
/* The skeleton of a name: case, spaces, punctuation, marks and confusable letters folded (UTS 39
 * section 4, over our own short table of Latin, Greek, Cyrillic look-alikes and digits). */
int text_fold_skeleton(struct arena *arena, struct slice name, struct slice *ret_skeleton);

/* UUIDs as text (RFC 9562, lower case). */
enum { TEXT_UUID_LENGTH = 36, TEXT_UUID_SIZE = 16 };
bool text_is_uuid(struct slice text);
int text_new_uuid(char ret_uuid[TEXT_UUID_LENGTH + 1]); /* version 4; from getrandom(2) */
void text_make_uuid(char ret_uuid[TEXT_UUID_LENGTH + 1], const uint8_t random[TEXT_UUID_SIZE]);
void text_write_uuid(char ret_uuid[TEXT_UUID_LENGTH + 1], const uint8_t bytes[TEXT_UUID_SIZE]);
int text_read_uuid(struct slice text, uint8_t ret_bytes[TEXT_UUID_SIZE]);

/* Timestamps: RFC 3339 with 'Z' or an offset, years 1900..9999, seconds since 1970 with fraction.
 */
int text_read_timestamp(struct slice text, int64_t *ret_usec); /* 0 or TEXT_E_INVALID */
size_t text_write_timestamp(char ret_text[32], int64_t usec);  /* 2026-11-22T16:00:00Z */
/* Durations as policy and configuration write them: 30s, 15min, 24h, 14d; days are 24 h. */
int text_read_duration(struct slice text, int64_t *ret_seconds); /* 0 or TEXT_E_INVALID */
