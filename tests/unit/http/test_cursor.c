/* Cursors: read back in their own list, refused everywhere else. */

#include "api/http/cursor.h"

#include "tests/unit/suite.h"
#include <string.h>

static struct arena *arena;

/* A cursor of one list, read in another; filters are the list's name and one value. */
static int carry(const char *from, const char *to, struct slice *ret_keys)
{
	const struct slice written[] = { slice_of("cases"), slice_of(from) };
	const struct slice read[] = { slice_of("cases"), slice_of(to) };
	const struct slice keys[] = { slice_of("2026-11-22T10:00:00Z"), slice_of("") };
	char *cursor;

	ck_assert_int_eq(cursor_write(arena, written, 2, keys, 2, &cursor), 0);
	return cursor_read(arena, slice_of(cursor), read, 2, 2, ret_keys);
}

START_TEST(a_cursor_reads_back)
{
	struct slice keys[2];

	ck_assert_int_eq(arena_new(&arena), 0);
	ck_assert_int_eq(carry("enwiki", "enwiki", keys), 0);
	ck_assert_str_eq(keys[0].at, "2026-11-22T10:00:00Z");
	ck_assert_uint_eq(keys[1].length, 0);
	arena_free(arena);
}
END_TEST

START_TEST(a_cursor_of_another_filter_is_refused)
{
	struct slice keys[2];

	ck_assert_int_eq(arena_new(&arena), 0);
	ck_assert_int_eq(carry("enwiki", "dewiki", keys), CURSOR_E_REFUSED);
	ck_assert_int_eq(carry("enwiki", "", keys), CURSOR_E_REFUSED);
	arena_free(arena);
}
END_TEST

START_TEST(an_absent_filter_is_not_an_empty_one)
{
	const struct slice absent = { NULL, 0 }, empty = { "", 0 }, key = { "k", 1 };
	struct slice keys[1];
	char *cursor;

	ck_assert_int_eq(arena_new(&arena), 0);
	ck_assert_int_eq(cursor_write(arena, &absent, 1, &key, 1, &cursor), 0);
	ck_assert_int_eq(cursor_read(arena, slice_of(cursor), &absent, 1, 1, keys), 0);
	ck_assert_int_eq(cursor_read(arena, slice_of(cursor), &empty, 1, 1, keys),
			 CURSOR_E_REFUSED);
	arena_free(arena);
}
END_TEST

START_TEST(forged_and_cut_cursors_are_refused)
{
	static const char *const texts[] = {
		"", "x", "AA", "!!!!", "AQAAAAAAAAAA", "AQAAAAAAAAAA="
	};
	const struct slice filter = { "cases", 5 }, key = { "key", 3 };
	struct slice keys[2];
	char *cursor;

	ck_assert_int_eq(arena_new(&arena), 0);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		ck_assert_int_eq(cursor_read(arena, slice_of(texts[i]), &filter, 1, 1, keys),
				 CURSOR_E_REFUSED);
	ck_assert_int_eq(cursor_write(arena, &filter, 1, &key, 1, &cursor), 0);
	for (size_t n = 0; n < strlen(cursor); n++)
		ck_assert_int_eq(
			cursor_read(arena, (struct slice){ cursor, n }, &filter, 1, 1, keys),
			CURSOR_E_REFUSED);
	ck_assert_int_eq(cursor_read(arena, slice_of(cursor), &filter, 1, 2, keys),
			 CURSOR_E_REFUSED);
	ck_assert_int_eq(cursor_read(arena, slice_of(cursor), &filter, 1, 0, keys),
			 CURSOR_E_REFUSED);
	arena_free(arena);
}
END_TEST

START_TEST(a_key_that_is_no_text_is_refused)
{
	const struct slice filter = { "cases", 5 }, key = { "a\0b", 3 };
	struct slice keys[1];
	char *cursor;

	ck_assert_int_eq(arena_new(&arena), 0);
	ck_assert_int_eq(cursor_write(arena, &filter, 1, &key, 1, &cursor), 0);
	ck_assert_int_eq(cursor_read(arena, slice_of(cursor), &filter, 1, 1, keys),
			 CURSOR_E_REFUSED);
	arena_free(arena);
}
END_TEST

SUITE("http/cursor", a_cursor_reads_back, a_cursor_of_another_filter_is_refused,
      an_absent_filter_is_not_an_empty_one, forged_and_cut_cursors_are_refused,
      a_key_that_is_no_text_is_refused)
