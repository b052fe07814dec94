/* daemon/json/parse.c: what two parsers could read in two ways is refused; nothing crashes. */

#include "tests/unit/suite.h"

#include "daemon/json/value.h"

static struct value *parse(const char *text)
{
	struct value *value = NULL;
	struct value_error error = { 0 };

	ck_assert_msg(value_parse(slice_of(text), &value, &error) == 0, "%s: %s", text,
		      error.message);
	return value;
}

static void refuse(struct slice bytes, int outcome, const char *message)
{
	struct value *value = NULL;
	struct value_error error = { 0 };
	int r = value_parse(bytes, &value, &error);

	ck_assert_msg(r == outcome, "%.60s: %d", bytes.at, r);
	ck_assert_ptr_null(value);
	ck_assert_msg(strcmp(error.message, message) == 0, "\"%.60s\": \"%s\" is not \"%s\"",
		      bytes.at, error.message, message);
	/* The error may be unwanted. */
	ck_assert_int_eq(value_parse(bytes, &value, NULL), outcome);
}

/* size bytes, all of them c, between two texts. */
static char *filled(const char *before, char c, size_t size, const char *after)
{
	size_t n = strlen(before), m = strlen(after);
	char *text = malloc(n + size + m + 1);

	ck_assert_ptr_nonnull(text);
	memcpy(text, before, n);
	memset(text + n, c, size);
	memcpy(text + n + size, after, m + 1);
	return text;
}

START_TEST(all_types_are_read)
{
	struct value *value = parse(
		" {\"n\":null,\"t\":true,\"f\":false,\"i\":-12,\"r\":1.5e3,"
		"\"s\":\"a\\u00e9\\ud83d\\ude00\\n\",\"a\":[1,[],{}],\"o\":{}} ");

	ck_assert_int_eq(value_type(value), VALUE_OBJECT);
	ck_assert_uint_eq(value_count(value), 8);
	ck_assert(value_is(value_get(value, "n"), VALUE_NULL));
	ck_assert(value_is_true(value_get(value, "t")));
	ck_assert(value_is(value_get(value, "f"), VALUE_BOOLEAN));
	ck_assert(!value_is_true(value_get(value, "f")));
	ck_assert_int_eq(value_integer(value_get(value, "i"), 0), -12);
	ck_assert_double_eq(value_number(value_get(value, "r"), 0), 1500);
	ck_assert_slice_eq(value_text(value_get(value, "s")), "a\xc3\xa9\xf0\x9f\x98\x80\n");
	ck_assert_uint_eq(value_count(value_get(value, "a")), 3);
	value_free(value);
}
END_TEST

START_TEST(the_root_is_an_object_or_an_array)
{
	value_free(parse("[]"));
	value_free(parse("{}"));
	refuse(SLICE("1"), VALUE_E_MALFORMED, "'[' or '{' expected");
	refuse(SLICE("\"a\""), VALUE_E_MALFORMED, "'[' or '{' expected");
	refuse(SLICE("null"), VALUE_E_MALFORMED, "'[' or '{' expected");
	refuse(SLICE(""), VALUE_E_MALFORMED, "empty");
	refuse(SLICE(" \n"), VALUE_E_MALFORMED, "'[' or '{' expected");
}
END_TEST

START_TEST(depth_16_is_read_and_17_refused)
{
	char *text = filled("", '[', 16, "]]]]]]]]]]]]]]]]");

	value_free(parse(text));
	free(text);
	text = filled("", '[', 17, "]]]]]]]]]]]]]]]]]");
	refuse(slice_of(text), VALUE_E_TOO_DEEP, "nested too deeply");
	free(text);
	text = filled("", '[', 1000000, "");
	refuse(slice_of(text), VALUE_E_TOO_DEEP, "nested too deeply");
	free(text);
	refuse(SLICE("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":"
		     "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":"
		     "[]}}}}}}}}}}}}}}}}"),
	       VALUE_E_TOO_DEEP, "nested too deeply");
}
END_TEST

START_TEST(brackets_inside_of_strings_are_no_depth)
{
	struct value *value = parse("[\"[[[[[[[[[[[[[[[[[[[[\\\"[[[[{{{{{\",\"\\\\\",\"[[[[[\"]");

	ck_assert_uint_eq(value_count(value), 3);
	value_free(value);
	/* siblings are no depth either */
	value_free(parse("[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]"));
}
END_TEST

START_TEST(duplicate_members_are_refused)
{
	refuse(SLICE("{\"a\":1,\"b\":2,\"a\":1}"), VALUE_E_MALFORMED, "duplicate member");
	refuse(SLICE("{\"a\":1,\"\\u0061\":2}"), VALUE_E_MALFORMED, "duplicate member");
	refuse(SLICE("[{\"x\":{\"\":1,\"\":2}}]"), VALUE_E_MALFORMED, "duplicate member");
}
END_TEST

START_TEST(numbers_that_do_not_fit_are_refused)
{
	struct value *value = parse("[9223372036854775807,-9223372036854775808,1.7e308,1e-400]");

	ck_assert_int_eq(value_integer(value_at(value, 0), 0), INT64_MAX);
	ck_assert_int_eq(value_integer(value_at(value, 1), 0), INT64_MIN);
	value_free(value);
	refuse(SLICE("[9223372036854775808]"), VALUE_E_MALFORMED, "number out of range");
	refuse(SLICE("[-9223372036854775809]"), VALUE_E_MALFORMED, "number out of range");
	refuse(SLICE("[1000000000000000000000000000000]"), VALUE_E_MALFORMED,
	       "number out of range");
	refuse(SLICE("[1e400]"), VALUE_E_MALFORMED, "number out of range");
	refuse(SLICE("[-1e999999999]"), VALUE_E_MALFORMED, "number out of range");
}
END_TEST

START_TEST(numbers_have_the_form_of_the_grammar)
{
	static const char *const bad[] = { "[01]",       "[+1]",        "[.5]",    "[1.]",
					   "[1e]",       "[-]",         "[0x10]",  "[NaN]",
					   "[Infinity]", "[-Infinity]", "[1_000]", "[1,]" };
	struct value *value;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		value = NULL;
		ck_assert_msg(value_parse(slice_of(bad[i]), &value, NULL) == VALUE_E_MALFORMED,
			      "%s", bad[i]);
	}
}
END_TEST

START_TEST(lone_surrogates_and_nul_are_refused)
{
	static const char *const bad[] = {
		"[\"\\ud800\"]",        "[\"\\udc00\"]",        "[\"\\ud800x\"]",
		"[\"\\ud800\\u0041\"]", "[\"\\udc00\\ud800\"]", "[\"\\ud800\\ud800\"]",
		"{\"\\udfff\":1}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct value *value = NULL;

		ck_assert_msg(value_parse(slice_of(bad[i]), &value, NULL) == VALUE_E_MALFORMED,
			      "%s", bad[i]);
	}
	refuse(SLICE("[\"\\u0000\"]"), VALUE_E_MALFORMED, "U+0000 is not allowed");
	refuse(SLICE("{\"a\\u0000b\":1}"), VALUE_E_MALFORMED, "U+0000 is not allowed");
	refuse(SLICE("[\"a\0b\"]"), VALUE_E_MALFORMED, "control character 0x0");
	refuse(SLICE("[]\0"), VALUE_E_MALFORMED, "end of file expected");
	refuse(SLICE("\0[]"), VALUE_E_MALFORMED, "'[' or '{' expected");
}
END_TEST

START_TEST(bytes_that_are_not_utf8_are_refused)
{
	refuse(SLICE("[\"\xff\"]"), VALUE_E_MALFORMED, "invalid UTF-8");
	refuse(SLICE("[\"\xc0\xaf\"]"), VALUE_E_MALFORMED, "invalid UTF-8");
	refuse(SLICE("[\"\xed\xa0\x80\"]"), VALUE_E_MALFORMED, "invalid UTF-8");
	refuse(SLICE("[\"\xf4\x90\x80\x80\"]"), VALUE_E_MALFORMED, "invalid UTF-8");
	refuse(SLICE("[\"\xe2\x82\"]"), VALUE_E_MALFORMED, "invalid UTF-8");
	refuse(SLICE("\xef\xbb\xbf{}"), VALUE_E_MALFORMED, "'[' or '{' expected");
	refuse(SLICE("\xff\xfe{\0}\0"), VALUE_E_MALFORMED, "invalid UTF-8");
}
END_TEST

START_TEST(trailing_bytes_are_refused)
{
	refuse(SLICE("{}x"), VALUE_E_MALFORMED, "end of file expected");
	refuse(SLICE("{}{}"), VALUE_E_MALFORMED, "end of file expected");
	refuse(SLICE("[]]"), VALUE_E_MALFORMED, "end of file expected");
	value_free(parse("{} \r\n\t"));
}
END_TEST

START_TEST(other_dialects_are_refused)
{
	static const char *const bad[] = {
		"{a:1}",    "{'a':1}", "[1,]",        "{\"a\":1,}", "[1 2]",       "[//x\n1]",
		"[/*x*/1]", "[True]",  "[undefined]", "[\"a\tb\"]", "[\"\\x41\"]", "{\"a\" 1}",
		"{\"a\":}", "[\"a",    "[",           "{",          "{\"a\":1",    "[\"\\u12\"]",
		"[,1]",     "\f[]",    "[\"a\nb\"]"
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct value *value = NULL;

		ck_assert_msg(value_parse(slice_of(bad[i]), &value, NULL) == VALUE_E_MALFORMED,
			      "%s", bad[i]);
	}
}
END_TEST

START_TEST(errors_have_a_place_and_repeat_no_input)
{
	struct value *value = NULL;
	struct value_error error;

	ck_assert_int_eq(value_parse(SLICE("{\n \"a\": secret}"), &value, &error),
			 VALUE_E_MALFORMED);
	ck_assert_uint_eq(error.line, 2);
	ck_assert_uint_gt(error.column, 5);
	ck_assert_str_eq(error.message, "invalid token");
}
END_TEST

START_TEST(many_members_are_read_in_time)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	struct value *value;

	for (int i = 0; i < 100000; i++)
		buffer_printf(&buffer, "%c\"k%d\":%d", i ? ',' : '{', i, i);
	buffer_append_char(&buffer, '}');
	value = parse(buffer.at);
	ck_assert_uint_eq(value_count(value), 100000);
	ck_assert_int_eq(value_integer(value_get(value, "k99999"), 0), 99999);
	value_free(value);
}
END_TEST

START_TEST(too_many_values_and_too_many_bytes_are_refused)
{
	size_t size = 2 * VALUE_ITEMS_MAX + 10;
	char *text = malloc(size + 1);

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < size; i++)
		text[i] = i % 2 ? '0' : ',';
	text[0] = '[';
	text[size - 2] = ']';
	refuse((struct slice){ text, size - 1 }, VALUE_E_TOO_LARGE, "too many values");
	free(text);
	text = filled("[", ' ', VALUE_SIZE_MAX - 2, "]");
	value_free(parse(text));
	free(text);
	text = filled("[", ' ', VALUE_SIZE_MAX - 1, "]");
	refuse(slice_of(text), VALUE_E_TOO_LARGE, "too large");
	free(text);
}
END_TEST

START_TEST(every_cut_and_every_flipped_bit_is_survived)
{
	const struct slice whole = SLICE("{\"a\":[1,-2.5e1,\"\\u00e9\\ud83d\\ude00\",null,true],"
					 "\"b\":{\"c\":\"\xc3\xa9\"}}");

	for (size_t length = 0; length < whole.length; length++) {
		struct value *value = NULL;
		char *exact = malloc(length + 1);

		ck_assert_ptr_nonnull(exact);
		memcpy(exact, whole.at, length);
		ck_assert_int_eq(value_parse((struct slice){ exact, length }, &value, NULL),
				 VALUE_E_MALFORMED);
		free(exact);
	}
	for (size_t bit = 0; bit < whole.length * 8; bit++) {
		char copy[128];
		struct value *value = NULL;

		memcpy(copy, whole.at, whole.length);
		copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
		ck_assert_int_ge(value_parse((struct slice){ copy, whole.length }, &value, NULL),
				 0);
		value_free(value);
	}
}
END_TEST

SUITE("json/parse", all_types_are_read, the_root_is_an_object_or_an_array,
      depth_16_is_read_and_17_refused, brackets_inside_of_strings_are_no_depth,
      duplicate_members_are_refused, numbers_that_do_not_fit_are_refused,
      numbers_have_the_form_of_the_grammar, lone_surrogates_and_nul_are_refused,
      bytes_that_are_not_utf8_are_refused, trailing_bytes_are_refused, other_dialects_are_refused,
      errors_have_a_place_and_repeat_no_input, many_members_are_read_in_time,
      too_many_values_and_too_many_bytes_are_refused, every_cut_and_every_flipped_bit_is_survived)
