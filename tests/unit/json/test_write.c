/* daemon/json/write.c: compact JSON that the parser reads back, and one spelling when canonical. */

#include "tests/unit/suite.h"

#include "daemon/json/value.h"

static struct value *parse(const char *text)
{
	struct value *value = NULL;

	ck_assert_int_eq(value_parse(slice_of(text), &value, NULL), 0);
	return value;
}

START_TEST(members_stay_in_order_or_are_sorted)
{
	CLEANUP(buffer_deinit) struct buffer plain = BUFFER_NULL, sorted = BUFFER_NULL;
	struct value *value = parse(
		"{ \"b\" : 1, \"a\" : { \"\xc3\xa9\" : [ ], \"z\" : 2.0 }, \"B\": \"\" }");

	ck_assert_int_eq(value_write(value, &plain), 0);
	ck_assert_str_eq(plain.at, "{\"b\":1,\"a\":{\"\xc3\xa9\":[],\"z\":2.0},\"B\":\"\"}");
	ck_assert_int_eq(value_write_canonical(value, &sorted), 0);
	ck_assert_str_eq(sorted.at, "{\"B\":\"\",\"a\":{\"z\":2.0,\"\xc3\xa9\":[]},\"b\":1}");
	buffer_deinit(&sorted);
	value_free(value);
}
END_TEST

START_TEST(strings_are_escaped)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	struct value *value = value_new_text(SLICE("\"\\/\n\x01\x7f<>\xe2\x80\xa8"));

	buffer_append_text(&buffer, "x=");
	ck_assert_int_eq(value_write(value, &buffer), 0);
	ck_assert_str_eq(buffer.at, "x=\"\\\"\\\\/\\n\\u0001\x7f<>\xe2\x80\xa8\"");
	value_free(value);
}
END_TEST

START_TEST(numbers_come_back_exactly)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	const char *const text = "[9223372036854775807,-9223372036854775808,0.1,1e-7,123456.789]";
	struct value *value = parse(text), *back;

	ck_assert_int_eq(value_write(value, &buffer), 0);
	back = parse(buffer.at);
	ck_assert(value_equals(value, back));
	value_free(value);
	value_free(back);
}
END_TEST

START_TEST(nothing_is_not_written)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;

	ck_assert_int_eq(value_write(NULL, &buffer), -EINVAL);
	ck_assert_uint_eq(buffer.length, 0);
}
END_TEST

SUITE("json/write", members_stay_in_order_or_are_sorted, strings_are_escaped,
      numbers_come_back_exactly, nothing_is_not_written)
