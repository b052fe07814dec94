/* daemon/base/text.c: what is text at all, normal form C, limits, UUIDs. */

#include "tests/unit/suite.h"

#include "daemon/base/text.h"

START_TEST(valid_utf8_is_text)
{
	ck_assert(text_is_utf8(SLICE("")));
	ck_assert(text_is_utf8(SLICE("plain\n\t\x7f")));
	ck_assert(text_is_utf8(SLICE("\xc2\x80\xdf\xbf")));
	ck_assert(text_is_utf8(SLICE("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf")));
	ck_assert(text_is_utf8(SLICE("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")));
}
END_TEST

START_TEST(invalid_utf8_is_no_text)
{
	static const char *const bad[] = {
		"\x80",
		"\xbf",
		"a\xff",
		"\xfe",
		"\xc0\x80",
		"\xc1\xbf",
		"\xc2",
		"\xc2\x41",
		"\xe0\x80\x80",
		"\xe0\x9f\xbf",
		"\xed\xa0\x80",
		"\xed\xbf\xbf",
		"\xe2\x82",
		"\xf0\x80\x80\x80",
		"\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xf0\x9f\x98",
		"\xf8\x88\x80\x80\x80",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(!text_is_utf8(slice_of(bad[i])), "row %zu", i);
	ck_assert(!text_is_utf8(SLICE("a\0b")));
	ck_assert(!text_is_utf8(SLICE("\0")));
}
END_TEST

START_TEST(every_code_point_is_written_and_read_back)
{
	for (uint32_t point = 1; point <= 0x10ffff; point++) {
		uint32_t back = 0;
		char text[4];
		size_t n;

		if (point >= 0xd800 && point < 0xe000)
			continue;
		n = text_write_point(text, point);
		ck_assert_uint_eq(text_read_point((struct slice){ text, n }, &back), n);
		ck_assert_uint_eq(back, point);
		ck_assert_uint_eq(text_read_point((struct slice){ text, n - 1 }, &back), 0);
	}
}
END_TEST

START_TEST(points_are_counted_not_bytes)
{
	ck_assert_uint_eq(text_count_points(SLICE("")), 0);
	ck_assert_uint_eq(text_count_points(SLICE("aé\xf0\x9f\x98\x80")), 3);
}
END_TEST

static struct slice normal(struct arena *arena, struct slice text)
{
	struct slice result;

	ck_assert_int_eq(text_normalise(arena, text, 100, &result), 0);
	ck_assert_uint_eq(result.at[result.length], '\0');
	return result;
}

START_TEST(normal_form_c_has_one_spelling)
{
	struct arena *arena;

	ck_assert_int_eq(arena_new(&arena), 0);
	ck_assert_slice_eq(normal(arena, SLICE("e\xcc\x81")), "\xc3\xa9");
	ck_assert_slice_eq(normal(arena, SLICE("\xc3\xa9")), "\xc3\xa9");
	ck_assert_slice_eq(normal(arena, SLICE("\xe2\x84\xab")), "\xc3\x85");
	ck_assert_slice_eq(normal(arena, SLICE("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab")),
			   "\xed\x95\x9c");
	/* marks in canonical order */
	ck_assert_slice_eq(normal(arena, SLICE("a\xcc\x87\xcc\xa3")), "\xe1\xba\xa1\xcc\x87");
	/* compatibility forms stay */
	ck_assert_slice_eq(normal(arena, SLICE("\xef\xac\x81 ")), "\xef\xac\x81 ");
	ck_assert_slice_eq(normal(arena, SLICE("")), "");
	arena_free(arena);
}
END_TEST

START_TEST(the_limit_holds_after_normalising)
{
	struct arena *arena;
	struct slice result = SLICE("untouched");

	ck_assert_int_eq(arena_new(&arena), 0);
	ck_assert_int_eq(text_normalise(arena, SLICE("e\xcc\x81"), 1, &result), 0);
	ck_assert_uint_eq(result.length, 2);
	result = SLICE("untouched");
	ck_assert_int_eq(text_normalise(arena, SLICE("ab"), 1, &result), TEXT_E_TOO_LONG);
	ck_assert_int_eq(text_normalise(arena, SLICE("aaaaaaaaaaaaaaaaaaaaaaaaaaaa"), 3, &result),
			 TEXT_E_TOO_LONG);
	/* U+0958 is two points in normal form C */
	ck_assert_int_eq(text_normalise(arena, SLICE("\xe0\xa5\x98"), 1, &result), TEXT_E_TOO_LONG);
	ck_assert_int_eq(text_normalise(arena, SLICE("a"), 0, &result), TEXT_E_TOO_LONG);
	ck_assert_slice_eq(result, "untouched");
	ck_assert_int_eq(text_normalise(arena, SLICE("\xe1\xbe\x82"), 1, &result), 0);
	ck_assert_int_eq(
		text_normalise(arena, SLICE("\xce\xb1\xcc\x93\xcc\x80\xcd\x85"), 1, &result), 0);
	ck_assert_slice_eq(result, "\xe1\xbe\x82");
	arena_free(arena);
}
END_TEST

START_TEST(what_is_no_text_is_not_normalised)
{
	struct arena *arena;
	struct slice result;

	ck_assert_int_eq(arena_new(&arena), 0);
	ck_assert_int_eq(text_normalise(arena, SLICE("a\0b"), 9, &result), TEXT_E_INVALID);
	ck_assert_int_eq(text_normalise(arena, SLICE("\xed\xa0\x80"), 9, &result), TEXT_E_INVALID);
	ck_assert_int_eq(text_normalise(arena, SLICE("\xc0\xaf"), 9, &result), TEXT_E_INVALID);
	arena_free(arena);
}
END_TEST

START_TEST(only_lower_case_uuids_are_uuids)
{
	ck_assert(text_is_uuid(SLICE("01234567-89ab-cdef-0123-456789abcdef")));
	ck_assert(!text_is_uuid(SLICE("01234567-89AB-cdef-0123-456789abcdef")));
	ck_assert(!text_is_uuid(SLICE("01234567-89ab-cdef-0123-456789abcde")));
	ck_assert(!text_is_uuid(SLICE("01234567-89ab-cdef-0123-456789abcdef0")));
	ck_assert(!text_is_uuid(SLICE("0123456789ab-cdef-0123-456789abcdef--")));
	ck_assert(!text_is_uuid(SLICE("01234567-89ab-cdef-0123-456789abcdeg")));
	ck_assert(!text_is_uuid(SLICE("{1234567-89ab-cdef-0123-456789abcde}")));
	ck_assert(!text_is_uuid(SLICE("")));
}
END_TEST

START_TEST(uuids_are_read_and_written_as_bytes)
{
	static const uint8_t bytes[TEXT_UUID_SIZE] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab,
						       0xcd, 0xef, 0x01, 0x23, 0x45, 0x67,
						       0x89, 0xab, 0xcd, 0xef };
	char text[TEXT_UUID_LENGTH + 1];
	uint8_t again[TEXT_UUID_SIZE];

	text_write_uuid(text, bytes);
	ck_assert_str_eq(text, "01234567-89ab-cdef-0123-456789abcdef");
	ck_assert_int_eq(text_read_uuid(slice_of(text), again), 0);
	ck_assert_mem_eq(again, bytes, sizeof(bytes));
	ck_assert_int_eq(text_read_uuid(SLICE("0123456789ab-cdef-0123-456789abcdef--"), again),
			 TEXT_E_INVALID);
}
END_TEST

START_TEST(new_uuids_are_random_ones_of_version_4)
{
	char uuids[64][TEXT_UUID_LENGTH + 1];

	for (size_t i = 0; i < ARRAY_SIZE(uuids); i++) {
		ck_assert_int_eq(text_new_uuid(uuids[i]), 0);
		ck_assert(text_is_uuid(slice_of(uuids[i])));
		ck_assert_int_eq(uuids[i][14], '4');
		ck_assert_ptr_nonnull(strchr("89ab", uuids[i][19]));
		for (size_t k = 0; k < i; k++)
			ck_assert_str_ne(uuids[i], uuids[k]);
	}
}
END_TEST

START_TEST(random_bytes_make_a_uuid_of_version_4)
{
	static const uint8_t bytes[TEXT_UUID_SIZE] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab,
						       0xcd, 0xef, 0x01, 0x23, 0x45, 0x67,
						       0x89, 0xab, 0xcd, 0xef };
	char uuid[TEXT_UUID_LENGTH + 1];

	text_make_uuid(uuid, bytes);
	ck_assert_str_eq(uuid, "01234567-89ab-4def-8123-456789abcdef");
}
END_TEST

START_TEST(slices_compare_by_bytes)
{
	ck_assert(text_equals(text_slice("abc"), SLICE("abc")));
	ck_assert(text_equals(text_slice(NULL), SLICE("")));
	ck_assert(!text_equals(SLICE("abc"), SLICE("abd")));
	ck_assert(!text_equals(SLICE("abc"), SLICE("abcd")));
	ck_assert(text_equals(SLICE("a\0b"), SLICE("a\0b")));
	ck_assert(!text_equals(SLICE("a\0b"), SLICE("a\0c")));
}
END_TEST

START_TEST(a_message_is_one_line_whatever_it_quotes)
{
	static const struct {
		const char *text, *line;
	} rows[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "d\xc3\xa9j\xc3\xa0 \xf0\x9f\x98\x80", "d\xc3\xa9j\xc3\xa0 \xf0\x9f\x98\x80" },
		{ "a\nb\rc\033[1m\x7f", "a?b?c?[1m?" },
		{ "a\xc2\x85\xc2\x9f\xc2\xa0", "a??\xc2\xa0" },
		{ "\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xae\xe2\x80\xaf",
		  "\xe2\x80\xa7??\xe2\x80\xaf" },
		{ "\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa",
		  "\xe2\x81\xa5??\xe2\x81\xaa" },
		{ "cut\xf0\x9f\x98", "cut???" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[64];

		strcpy(text, rows[i].text);
		text_make_line(text);
		ck_assert_str_eq(text, rows[i].line);
	}
}
END_TEST

SUITE("base/text", valid_utf8_is_text, invalid_utf8_is_no_text,
      every_code_point_is_written_and_read_back, points_are_counted_not_bytes,
      normal_form_c_has_one_spelling, the_limit_holds_after_normalising,
      what_is_no_text_is_not_normalised, only_lower_case_uuids_are_uuids,
      uuids_are_read_and_written_as_bytes, new_uuids_are_random_ones_of_version_4,
      random_bytes_make_a_uuid_of_version_4, slices_compare_by_bytes,
      a_message_is_one_line_whatever_it_quotes)
