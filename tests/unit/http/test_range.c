/* api/http/range.c: RFC 9110 section 14, as far as one range goes. */

#include "tests/unit/suite.h"

#include "api/http/range.h"

START_TEST(one_range_is_read)
{
	static const struct {
		const char *header;
		uint64_t size, first, last;
	} rows[] = {
		{ "bytes=0-0", 10, 0, 0 }, { "bytes=0-9", 10, 0, 9 },
		{ "bytes=3-", 10, 3, 9 },  { "bytes=3-100", 10, 3, 9 },
		{ "bytes=-1", 10, 9, 9 },  { "bytes=-100", 10, 0, 9 },
		{ "Bytes=9-9", 10, 9, 9 }, { "bytes=0-999999999999999", 10, 0, 9 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct range range;
		uint64_t first = 77, last = 77;

		ck_assert_int_eq(range_read(slice_of(rows[i].header), &range), 0);
		ck_assert_int_eq(range_fit(&range, rows[i].size, &first, &last), 0);
		ck_assert_msg(first == rows[i].first && last == rows[i].last, "%s", rows[i].header);
	}
}
END_TEST

START_TEST(what_is_no_range_is_ignored)
{
	static const char *const headers[] = {
		"",
		"bytes",
		"bytes=",
		"bytes=-",
		"bytes=a-b",
		"bytes=5-2",
		"bytes=0-1,3-4",
		"bytes=0-1 ",
		"bytes= 0-1",
		"items=0-1",
		"bytes=0",
		"bytes=--1",
		"bytes=+0-1",
		"bytes=0x1-2",
		"bytes=0-1;",
		"bytes=1-a",
		"bytes=1-2-3",
		"bytes=-1-",
		"bytes=0-1,",
		"bytes=,0-1",
		"bytes:0-1",
		"bytes=0.5-1",
		"bytes=9999999999999999-",
	};
	struct range range = { 7, 7, 7 };

	ck_assert_int_eq(range_read((struct slice){ NULL, 0 }, &range), RANGE_E_WHOLE);
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
		ck_assert_msg(range_read(slice_of(headers[i]), &range) == RANGE_E_WHOLE, "%s",
			      headers[i]);
	ck_assert_uint_eq(range.first, 7);
}
END_TEST

START_TEST(what_is_beyond_the_end_is_not_there)
{
	static const char *const headers[] = { "bytes=10-", "bytes=10-11", "bytes=-0",
					       "bytes=999999999999999-" };

	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		struct range range;
		uint64_t first = 77, last = 77;

		ck_assert_int_eq(range_read(slice_of(headers[i]), &range), 0);
		ck_assert_int_eq(range_fit(&range, 10, &first, &last), RANGE_E_BEYOND);
		ck_assert_uint_eq(first, 77);
	}
}
END_TEST

START_TEST(a_range_of_something_else_is_not_answered)
{
	ck_assert(range_is_fresh((struct slice){ NULL, 0 }, "one"));
	ck_assert(range_is_fresh(SLICE("\"one\""), "one"));
	ck_assert(!range_is_fresh(SLICE("W/\"one\""), "one"));
	ck_assert(!range_is_fresh(SLICE("\"two\""), "one"));
	ck_assert(!range_is_fresh(SLICE("one"), "one"));
	ck_assert(!range_is_fresh(SLICE("\"one"), "one"));
	ck_assert(!range_is_fresh(SLICE(""), "one"));
	ck_assert(!range_is_fresh(SLICE("Sun, 22 Nov 2026 10:00:00 GMT"), "one"));
}
END_TEST

SUITE("http/range", one_range_is_read, what_is_no_range_is_ignored,
      what_is_beyond_the_end_is_not_there, a_range_of_something_else_is_not_answered)
