/* daemon/pg/text: bytea and array literals, both ways. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/pg/text.h"

static struct arena *arena;

static void set_up(void)
{
	ck_assert_int_eq(0, arena_new(&arena));
}

static void tear_down(void)
{
	arena = arena_free(arena);
}

static struct slice slice(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

START_TEST(bytes_are_written_as_hex_and_read_back)
{
	const char bytes[] = { 0, 1, (char)0xff, 'a' };
	struct slice text;
	struct slice back;

	ck_assert_int_eq(0, pg_text_from_bytes(arena, (struct slice){ bytes, 4 }, &text));
	ck_assert_str_eq("\\x0001ff61", text.at);
	ck_assert_int_eq(0, pg_text_to_bytes(arena, text, &back));
	ck_assert_uint_eq(4, back.length);
	ck_assert_int_eq(0, memcmp(bytes, back.at, 4));
	ck_assert_int_eq(0, pg_text_to_bytes(arena, slice("\\x"), &back));
	ck_assert_uint_eq(0, back.length);
}
END_TEST

static const char *const bad_bytes[] = { "", "\\", "00", "\\x0", "\\x0g", "x00" };

START_TEST(malformed_bytea_is_refused)
{
	struct slice back;

	ck_assert_int_eq(PG_TEXT_E_MALFORMED, pg_text_to_bytes(arena, slice(bad_bytes[_i]), &back));
}
END_TEST

START_TEST(texts_survive_an_array_literal)
{
	const struct slice texts[] = { slice("plain"),       slice(""),
				       { NULL, 0 },          slice("NULL"),
				       slice("a\"b\\c,d}{"), slice(" space ") };
	struct slice literal;
	struct slice *back;
	size_t n;

	ck_assert_int_eq(0, pg_text_from_texts(arena, texts, ARRAY_SIZE(texts), &literal));
	ck_assert_str_eq("{\"plain\",\"\",NULL,\"NULL\",\"a\\\"b\\\\c,d}{\",\" space \"}",
			 literal.at);
	ck_assert_int_eq(0, pg_text_to_texts(arena, literal, &back, &n));
	ck_assert_uint_eq(ARRAY_SIZE(texts), n);
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_eq(texts[i].length, back[i].length);
		ck_assert_int_eq(texts[i].at == NULL, back[i].at == NULL);
		if (texts[i].at)
			ck_assert_int_eq(0, memcmp(texts[i].at, back[i].at, back[i].length));
	}
}
END_TEST

START_TEST(bare_elements_are_read)
{
	struct slice *texts;
	size_t n;

	ck_assert_int_eq(0, pg_text_to_texts(arena, slice("{a,NULL,b c}"), &texts, &n));
	ck_assert_uint_eq(3, n);
	ck_assert_str_eq("a", texts[0].at);
	ck_assert_ptr_null(texts[1].at);
	ck_assert_str_eq("b c", texts[2].at);
	ck_assert_int_eq(0, pg_text_to_texts(arena, slice("{}"), &texts, &n));
	ck_assert_uint_eq(0, n);
}
END_TEST

static const char *const bad_arrays[] = { "",         "{",     "}",         "a",    "{a",
					  "a}",       "{\"a}", "{a,}",      "{,a}", "{{a}}",
					  "{\"a\"b}", "{a\\}", "[0:1]={a}", "{a}b}" };

START_TEST(a_malformed_array_is_refused)
{
	struct slice *texts;
	size_t n;

	ck_assert_int_eq(PG_TEXT_E_MALFORMED,
			 pg_text_to_texts(arena, slice(bad_arrays[_i]), &texts, &n));
}
END_TEST

START_TEST(byte_strings_survive_an_array_literal)
{
	const struct slice strings[] = { { "\0\1", 2 }, { NULL, 0 }, { "", 0 } };
	struct slice literal;
	struct slice *back;
	size_t n;

	ck_assert_int_eq(0, pg_text_from_byte_strings(arena, strings, 3, &literal));
	ck_assert_str_eq("{\"\\\\x0001\",NULL,\"\\\\x\"}", literal.at);
	ck_assert_int_eq(0, pg_text_to_byte_strings(arena, literal, &back, &n));
	ck_assert_uint_eq(3, n);
	ck_assert_int_eq(0, memcmp(back[0].at, "\0\1", 2));
	ck_assert_ptr_null(back[1].at);
	ck_assert_uint_eq(0, back[2].length);
	ck_assert_int_eq(PG_TEXT_E_MALFORMED,
			 pg_text_to_byte_strings(arena, slice("{\"x\"}"), &back, &n));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pg/text");
	TCase *tcase = tcase_create("literals");
	SRunner *runner;
	int n_failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, bytes_are_written_as_hex_and_read_back);
	tcase_add_loop_test(tcase, malformed_bytea_is_refused, 0, (int)ARRAY_SIZE(bad_bytes));
	tcase_add_test(tcase, texts_survive_an_array_literal);
	tcase_add_test(tcase, bare_elements_are_read);
	tcase_add_loop_test(tcase, a_malformed_array_is_refused, 0, (int)ARRAY_SIZE(bad_arrays));
	tcase_add_test(tcase, byte_strings_survive_an_array_literal);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
