/* Words leave as parallel arrays, sealed, and come back into the bodies that name them. */

#include "daemon/cases/words.h"
#include "tests/unit/suite.h"

#define A "00000000-0000-4000-8000-00000000000a"
#define B "00000000-0000-4000-8000-00000000000b"

static struct word one_word(const char *id, const char *text)
{
	return (struct word){ .id = id, .text = text ? slice_of(text) : (struct slice){ NULL, 0 } };
}

/* NULL: that id is not in the answer. */
static void assert_filled(const char *json, const char *a, const char *b, const char *expected)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	CLEANUP(value_freep) struct value *body = NULL;
	struct word items[] = { one_word(B, b), one_word(A, a) };
	struct opened_words opened;
	struct slice text;
	struct arena *arena;

	ck_assert_int_eq(arena_new(&arena), 0);
	words_sort(&opened, items, ARRAY_SIZE(items));
	ck_assert_int_eq(value_parse(slice_of(json), &body, NULL), 0);
	ck_assert_int_eq(words_fill(&opened, body), 0);
	ck_assert_int_eq(value_write_canonical(body, &buffer), 0);
	ck_assert_str_eq(buffer.at, expected);
	/* From text to text it is the same. */
	ck_assert_int_eq(words_fill_text(arena, &opened, slice_of(json), &text), 0);
	body = value_free(body);
	ck_assert_int_eq(value_parse(text, &body, NULL), 0);
	buffer_clear(&buffer);
	ck_assert_int_eq(value_write_canonical(body, &buffer), 0);
	ck_assert_str_eq(buffer.at, expected);
	arena_free(arena);
}

START_TEST(words_are_written_as_three_parallel_arrays)
{
	struct slice ids, kinds, texts;
	struct words words;
	struct arena *arena;
	const char *one, *two;

	ck_assert_int_eq(arena_new(&arena), 0);
	words_init(&words, arena);
	ck_assert_int_eq(words_add(&words, "details", SLICE("a\"b"), &one), 0);
	ck_assert_int_eq(words_add(&words, "reason", SLICE("\xc3\xa9"), &two), 0);
	ck_assert_str_ne(one, two);
	ck_assert_int_eq(words_add_entry(&words, "$key", B, SLICE("\x01")), 0);
	/* What is not sealed does not leave. */
	ck_assert_int_eq(words_write(&words, &ids, &kinds, &texts), -EINVAL);
	words.items[0].sealed = SLICE("a\"b");
	ck_assert_int_eq(words_write(&words, &ids, &kinds, &texts), -EINVAL);
	words.items[1].sealed = SLICE("\xc3\xa9");
	ck_assert_int_eq(words_write(&words, &ids, &kinds, &texts), 0);
	ck_assert_slice_eq(kinds, "{\"details\",\"reason\",\"$key\"}");
	ck_assert_slice_eq(texts, "{\"\\\\x612262\",\"\\\\xc3a9\",\"\\\\x01\"}");
	ck_assert_slice_eq(ids, arena_printf(arena, "{\"%s\",\"%s\",\"" B "\"}", one, two));
	arena_free(arena);
}
END_TEST

START_TEST(no_words_are_three_empty_arrays)
{
	struct slice ids, kinds, texts;
	struct words words;
	struct arena *arena;

	ck_assert_int_eq(arena_new(&arena), 0);
	words_init(&words, arena);
	ck_assert_int_eq(words_write(&words, &ids, &kinds, &texts), 0);
	ck_assert_slice_eq(ids, "{}");
	ck_assert_slice_eq(kinds, "{}");
	ck_assert_slice_eq(texts, "{}");
	arena_free(arena);
}
END_TEST

START_TEST(more_words_than_a_request_may_have_are_refused)
{
	struct words words;
	struct arena *arena;
	const char *id;

	ck_assert_int_eq(arena_new(&arena), 0);
	words_init(&words, arena);
	for (size_t i = 0; i < WORDS_MAX; i++)
		ck_assert_int_eq(words_add(&words, "x", SLICE("x"), &id), 0);
	ck_assert_int_eq(words_add(&words, "x", SLICE("x"), &id), -E2BIG);
	ck_assert_uint_eq(words.n_items, WORDS_MAX);
	arena_free(arena);
}
END_TEST

START_TEST(words_are_filled_in_at_every_depth)
{
	assert_filled("{\"a\":{\"$word\":\"" A "\"},\"l\":[{\"$word\":\"" B
		      "\"},{\"m\":[{\"$word\":\"" A "\"}]}],\"n\":1}",
		      "A", "B", "{\"a\":\"A\",\"l\":[\"B\",{\"m\":[\"A\"]}],\"n\":1}");
}
END_TEST

START_TEST(an_erased_word_reads_as_null)
{
	assert_filled("{\"a\":{\"$word\":\"" A "\"},\"b\":{\"$word\":\"" B
		      "\"},\"c\":{\"$word\":null}}",
		      NULL, NULL, "{\"a\":null,\"b\":null,\"c\":null}");
}
END_TEST

START_TEST(bytes_that_are_no_text_read_as_null)
{
	assert_filled("{\"a\":{\"$word\":\"" A "\"}}", "\xff", NULL, "{\"a\":null}");
}
END_TEST

START_TEST(an_object_with_more_than_the_reference_is_none)
{
	assert_filled("{\"a\":{\"$word\":\"" A "\",\"b\":1}}", "A", NULL,
		      "{\"a\":{\"$word\":\"" A "\",\"b\":1}}");
}
END_TEST

START_TEST(a_filled_word_is_not_read_again_as_a_reference)
{
	/* {"$word":"A"} written by a person is text. */
	assert_filled("{\"a\":{\"$word\":\"" A "\"}}", "{\"$word\":\"A\"}", NULL,
		      "{\"a\":\"{\\\"$word\\\":\\\"A\\\"}\"}");
}
END_TEST

START_TEST(a_number_is_filled_in_as_one_and_nothing_else_of_its_kind)
{
	static const char *const rows[][2] = {
		{ "0", "0" },
		{ "123", "123" },
		{ "9223372036854775807", "9223372036854775807" },
		{ "9223372036854775808", "\"9223372036854775808\"" },
		{ "007", "\"007\"" },
		{ "-1", "\"-1\"" },
		{ "1 ", "\"1 \"" },
		{ "12345678901234567890", "\"12345678901234567890\"" },
	};
	static const char json[] = "{\"a\":{\"$word\":\"" A "\"}}";
	struct opened_words opened;
	struct slice text;
	struct arena *arena;

	ck_assert_int_eq(arena_new(&arena), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
		CLEANUP(value_freep) struct value *body = NULL;
		struct word item = one_word(A, rows[i][0]);
		const char *expected = arena_printf(arena, "{\"a\":%s}", rows[i][1]);

		item.kind = WORD_NUMBER;
		words_sort(&opened, &item, 1);
		ck_assert_int_eq(value_parse(SLICE(json), &body, NULL), 0);
		ck_assert_int_eq(words_fill(&opened, body), 0);
		ck_assert_int_eq(value_write_canonical(body, &buffer), 0);
		ck_assert_str_eq(buffer.at, expected);
		ck_assert_int_eq(words_fill_text(arena, &opened, SLICE(json), &text), 0);
		ck_assert_slice_eq(text, expected);
		/* Digits that somebody wrote are text. */
		item.kind = "details";
		ck_assert_int_eq(words_fill_text(arena, &opened, SLICE(json), &text), 0);
		ck_assert_slice_eq(text, arena_printf(arena, "{\"a\":\"%s\"}", rows[i][0]));
	}
	arena_free(arena);
}
END_TEST

START_TEST(nothing_is_filled_by_nothing)
{
	CLEANUP(value_freep) struct value *body = value_new_object();
	struct opened_words none;

	words_sort(&none, NULL, 0);
	ck_assert_int_eq(words_fill(&none, NULL), 0);
	ck_assert_int_eq(words_fill(&none, body), 0);
	ck_assert_uint_eq(value_count(body), 0);
}
END_TEST

START_TEST(a_text_is_filled_without_what_means_nothing)
{
	static const struct {
		const char *json, *filled;
	} rows[] = {
		{ "{\"a\": 1, \"b\": [ ], \"c\": {\"d e\": \" \\\" { \"}}",
		  "{\"a\":1,\"b\":[],\"c\":{\"d e\":\" \\\" { \"}}" },
		{ "{\"a\": {\"$word\": \"" A "\"}, \"b\": 2}",
		  "{\"a\":\"\\\"\\\\\\u0009\\u0001\303\251 \",\"b\":2}" },
		{ "{\"a\": {\"$word\": \"" A "\" }}", "{\"a\":{\"$word\":\"" A "\"}}" },
		{ "{\"$word\": \"" B "\"}", "null" },
	};
	struct word item = one_word(A, "\"\\\x09\x01\303\251 ");
	struct slice text = { NULL, 0 };
	struct opened_words opened;
	struct arena *arena;

	ck_assert_int_eq(arena_new(&arena), 0);
	words_sort(&opened, &item, 1);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ck_assert_int_eq(words_fill_text(arena, &opened, slice_of(rows[i].json), &text), 0);
		ck_assert_slice_eq(text, rows[i].filled);
	}
	ck_assert_int_eq(words_fill_text(arena, &opened, SLICE("{\"a\": \"b}"), &text), -EPROTO);
	ck_assert_slice_eq(text, "null");
	arena_free(arena);
}
END_TEST

SUITE("cases/words", words_are_written_as_three_parallel_arrays, no_words_are_three_empty_arrays,
      more_words_than_a_request_may_have_are_refused, words_are_filled_in_at_every_depth,
      an_erased_word_reads_as_null, bytes_that_are_no_text_read_as_null,
      an_object_with_more_than_the_reference_is_none,
      a_filled_word_is_not_read_again_as_a_reference, a_text_is_filled_without_what_means_nothing,
      nothing_is_filled_by_nothing, a_number_is_filled_in_as_one_and_nothing_else_of_its_kind)
