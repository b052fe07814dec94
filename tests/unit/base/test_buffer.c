/* daemon/base/buffer.c: appends add up, failures stick until cleared. */

#include "tests/unit/suite.h"

#include "daemon/base/buffer.h"

START_TEST(appends_add_up_and_end_with_a_nul)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;

	buffer_append(&buffer, "ab\0c", 4);
	buffer_append_text(&buffer, "de");
	buffer_append_char(&buffer, 'f');
	buffer_printf(&buffer, "%d", 12);
	ck_assert_int_eq(buffer_finish(&buffer), 0);
	ck_assert_uint_eq(buffer.length, 9);
	ck_assert_mem_eq(buffer.at, "ab\0cdef12", 10);
}
END_TEST

START_TEST(numbers_are_decimal)
{
	static const struct {
		int64_t number;
		const char *text;
	} rows[] = { { 0, "0" },
		     { 7, "7" },
		     { -10, "-10" },
		     { INT64_MAX, "9223372036854775807" },
		     { INT64_MIN, "-9223372036854775808" } };
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		buffer_clear(&buffer);
		buffer_append_number(&buffer, rows[i].number);
		ck_assert_str_eq(buffer.at, rows[i].text);
	}
}
END_TEST

START_TEST(a_cut_forgets_what_came_after_and_that_it_failed)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;

	buffer_append_text(&buffer, "kept and cut");
	buffer_append(&buffer, "", SIZE_MAX / 2);
	buffer_cut(&buffer, 4);
	ck_assert_str_eq(buffer.at, "kept");
	buffer_append_text(&buffer, " anew");
	ck_assert_int_eq(buffer_finish(&buffer), 0);
	ck_assert_str_eq(buffer.at, "kept anew");
}
END_TEST

START_TEST(an_empty_buffer_finishes_as_empty_text)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;

	buffer_append(&buffer, NULL, 0);
	ck_assert_int_eq(buffer_finish(&buffer), 0);
	ck_assert_str_eq(buffer.at, "");
}
END_TEST

START_TEST(it_grows_over_many_appends)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;

	for (int i = 0; i < 20000; i++)
		buffer_printf(&buffer, "%05d", i);
	ck_assert_int_eq(buffer_finish(&buffer), 0);
	ck_assert_uint_eq(buffer.length, 100000);
	for (int i = 0; i < 20000; i += 997) {
		char text[8];

		snprintf(text, sizeof(text), "%05d", i);
		ck_assert_mem_eq(buffer.at + 5 * (size_t)i, text, 5);
	}
}
END_TEST

START_TEST(a_failed_append_is_told_at_the_end_and_stops_later_ones)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;

	buffer_append_text(&buffer, "kept");
	buffer_append(&buffer, "", SIZE_MAX / 2);
	buffer_append_text(&buffer, "not");
	buffer_printf(&buffer, "%s", "this");
	ck_assert_int_eq(buffer_finish(&buffer), -ENOMEM);
	ck_assert_str_eq(buffer.at, "kept");
	buffer_clear(&buffer);
	buffer_append_text(&buffer, "anew");
	ck_assert_int_eq(buffer_finish(&buffer), 0);
	ck_assert_str_eq(buffer.at, "anew");
}
END_TEST

START_TEST(stolen_text_belongs_to_the_thief)
{
	struct buffer buffer = BUFFER_NULL;
	char *text;

	buffer_append_text(&buffer, "mine");
	text = buffer_steal(&buffer);
	ck_assert_str_eq(text, "mine");
	ck_assert_ptr_null(buffer.at);
	ck_assert_uint_eq(buffer.length, 0);
	free(text);
	text = buffer_steal(&buffer);
	ck_assert_str_eq(text, "");
	free(text);
	buffer_append(&buffer, "", SIZE_MAX / 2);
	ck_assert_ptr_null(buffer_steal(&buffer));
	ck_assert(!buffer.has_failed);
}
END_TEST

SUITE("base/buffer", appends_add_up_and_end_with_a_nul, numbers_are_decimal,
      a_cut_forgets_what_came_after_and_that_it_failed, an_empty_buffer_finishes_as_empty_text,
      it_grows_over_many_appends, a_failed_append_is_told_at_the_end_and_stops_later_ones,
      stolen_text_belongs_to_the_thief)
