/* The walk over a body: every error at once, nothing that has no row, words and names moved out. */

#include "tests/unit/cases/forms.h"
#include "tests/unit/suite.h"

static const char *const colours[] = { "red", "green", NULL };

static const struct form inner[] = {
	{ "id", FORM_UUID, .flags = FORM_REQUIRED },
	{ "note", FORM_WORD, .flags = FORM_INLINE, .limit = 5 },
	{ .name = NULL },
};

static const struct form choice[] = {
	{ "user", FORM_USER, .flags = 0 },
	{ "body", FORM_ID, .flags = 0 },
	{ "self", FORM_TRUE, .flags = 0 },
	{ .name = NULL },
};

static const struct form form[] = {
	{ "text", FORM_WORD, .flags = FORM_REQUIRED, .limit = 5 },
	{ "url", FORM_URL, .flags = 0 },
	{ "who", FORM_OBJECT, .flags = FORM_ONE_OF, .members = choice },
	{ "person", FORM_PERSON, .flags = 0 },
	{ "evidence", FORM_EVIDENCE, .flags = FORM_LIST },
	{ "yes", FORM_BOOLEAN, .flags = 0 },
	{ "count", FORM_INTEGER, .flags = 0, .limit = 9 },
	{ "revision", FORM_REVISION, .flags = 0 },
	{ "at", FORM_TIME, .flags = 0 },
	{ "colour", FORM_CHOICE, .flags = 0, .choices = colours },
	{ "rule", FORM_RULE, .flags = 0 },
	{ "wiki", FORM_WIKI, .flags = FORM_NULLABLE },
	{ "lang", FORM_LANG, .flags = 0 },
	{ "ids", FORM_UUID, .flags = FORM_LIST | FORM_FILLED, .items = 2 },
	{ "list", FORM_OBJECT, .flags = FORM_LIST, .members = inner },
	{ .name = NULL },
};

#define ID "00000000-0000-4000-8000-00000000000a"

static struct form_test test;

static void setup(void)
{
	form_test_init(&test);
}

static void teardown(void)
{
	form_test_deinit(&test);
}

static void assert_errors(const char *json, const char *expected)
{
	ck_assert_str_eq(form_test_check(&test, form, json), expected);
}

START_TEST(a_word_leaves_an_id_in_its_place)
{
	assert_errors("{\"text\":\"hi\",\"wiki\":null}", "");
	ck_assert_str_eq(form_test_word(&test, test.args, "text"), "hi");
	ck_assert_str_eq(test.check.words.items[0].kind, "text");
	ck_assert_ptr_null(strstr(form_test_args(&test), "hi"));
	ck_assert(value_is(value_get(test.args, "wiki"), VALUE_NULL));
}
END_TEST

START_TEST(text_is_normalised_before_it_is_counted)
{
	/* Five letters with combining marks are ten code points, and five after NFC. */
	assert_errors("{\"text\":\"e\xcc\x81"
		      "e\xcc\x81"
		      "e\xcc\x81"
		      "e\xcc\x81"
		      "e\xcc\x81\",\"wiki\":null}",
		      "");
	ck_assert_str_eq(form_test_word(&test, test.args, "text"),
			 "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9");
}
END_TEST

START_TEST(every_error_is_named_at_once)
{
	assert_errors(
		"{\"text\":\"too long\",\"yes\":1,\"count\":10,\"colour\":\"blue\",\"x/~y\":0}",
		"/x~1~0y is not known here\n"
		"/text must not be longer than 5 characters\n"
		"/yes must be true or false\n"
		"/count is out of range\n"
		"/colour must be one of red, green\n"
		"/wiki is required\n");
	ck_assert_uint_eq(value_count(test.args), 0);
}
END_TEST

START_TEST(what_has_no_row_is_refused)
{
	assert_errors("{\"text\":\"hi\",\"wiki\":null,\"state\":\"final\"}",
		      "/state is not known here\n");
	assert_errors("{\"text\":\"hi\",\"wiki\":null,\"reporter_id\":null}",
		      "/reporter_id is not known here\n");
	assert_errors("{\"text\":{\"$word\":\"" ID "\"},\"wiki\":null}", "/text must be a text\n");
	assert_errors("{\"text\":\"hi\",\"wiki\":null,\"list\":[{\"id\":\"" ID "\",\"$word\":\"" ID
		      "\"}]}",
		      "/list/0/$word is not known here\n");
}
END_TEST

START_TEST(a_body_is_an_object)
{
	assert_errors("[]", " must be an object\n");
	assert_errors("{\"text\":\"hi\",\"wiki\":null,\"who\":[]}", "/who must be an object\n");
	assert_errors("{\"text\":\"hi\",\"wiki\":null,\"list\":{}}", "/list must be a list\n");
}
END_TEST

START_TEST(each_type_refuses_what_it_is_not)
{
	static const char *const rows[][2] = {
		{ "\"url\":\"gopher://x\"", "/url must be a web address\n" },
		{ "\"url\":1", "/url must be a text\n" },
		{ "\"yes\":\"true\"", "/yes must be true or false\n" },
		{ "\"count\":1.0", "/count must be an integer\n" },
		{ "\"count\":-1", "/count is out of range\n" },
		{ "\"count\":\"1\"", "/count must be an integer\n" },
		{ "\"revision\":\"1\"", "/revision must be an integer\n" },
		{ "\"revision\":-1", "/revision is out of range\n" },
		{ "\"at\":\"soon\"", "/at must be a time such as 2026-11-20T10:00:00Z\n" },
		{ "\"colour\":\"RED\"", "/colour must be one of red, green\n" },
		{ "\"colour\":7", "/colour must be one of red, green\n" },
		{ "\"rule\":\"a//b\"", "/rule must be the id of a rule\n" },
		{ "\"lang\":\"English\"", "/lang must be a language code\n" },
		{ "\"ids\":[]", "/ids must not be empty\n" },
		{ "\"ids\":[\"" ID "\",\"x\"]", "/ids/1 must be a UUID in lower case\n" },
		{ "\"ids\":[\"" ID "\",\"" ID "\",\"" ID "\"]",
		  "/ids must not have more than 2 entries\n" },
		{ "\"who\":{}", "/who must have exactly one member\n" },
		{ "\"who\":{\"self\":true,\"body\":\"u4c\"}",
		  "/who must have exactly one member\n" },
		{ "\"who\":{\"self\":false}", "/who/self must be true\n" },
		{ "\"who\":{\"user\":\"  \"}", "/who/user must not be blank\n" },
		{ "\"person\":\"ada\"",
		  "/person must be the id of a person, or {\"user\": name}\n" },
		{ "\"person\":{\"user\":\"Ada\",\"x\":1}",
		  "/person must be the id of a person, or {\"user\": name}\n" },
		{ "\"list\":[{}]", "/list/0/id is required\n" },
		{ "\"evidence\":[5]", "/evidence/0 must be a text\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_errors(
			arena_printf(test.arena, "{\"text\":\"hi\",\"wiki\":null,%s}", rows[i][0]),
			rows[i][1]);
}
END_TEST

START_TEST(a_blank_text_is_missing_where_it_is_needed_and_nothing_elsewhere)
{
	assert_errors("{\"text\":\" \",\"wiki\":null}", "/text must not be blank\n");
	assert_errors("{\"text\":\"hi\",\"wiki\":null,\"url\":\"\"}", "");
	ck_assert_ptr_null(value_get(test.args, "url"));
}
END_TEST

START_TEST(null_and_absent_are_one_where_a_member_is_optional)
{
	assert_errors("{\"text\":\"hi\",\"wiki\":null,\"yes\":null,\"list\":null}", "");
	ck_assert_ptr_null(value_get(test.args, "yes"));
	assert_errors("{\"text\":null,\"wiki\":null}", "/text is required\n");
}
END_TEST

START_TEST(the_number_of_a_revision_becomes_a_word)
{
	assert_errors("{\"text\":\"hi\",\"wiki\":null,\"revision\":9223372036854775807}", "");
	ck_assert_str_eq(form_test_word(&test, test.args, "revision"), "9223372036854775807");
	ck_assert_str_eq(test.check.words.items[1].kind, WORD_NUMBER);
	ck_assert_ptr_null(strstr(form_test_args(&test), "9223372036854775807"));
}
END_TEST

START_TEST(a_user_becomes_a_word_and_indexes)
{
	const struct value *who;

	assert_errors("{\"text\":\"hi\",\"wiki\":null,\"who\":{\"user\":\"known\"}}", "");
	who = value_get(test.args, "who");
	ck_assert_str_eq(form_test_word(&test, who, "user"), "known");
	ck_assert_uint_eq(strlen(value_get_string(who, "name_ix")), 64);
	ck_assert_uint_eq(strlen(value_get_string(who, "skeleton_ix")), 64);
	ck_assert_int_eq(strncmp(value_get_string(who, "id_ix"), "abab", 4), 0);
	assert_errors("{\"text\":\"hi\",\"wiki\":null,\"who\":{\"user\":\"Stranger\"}}", "");
	ck_assert_ptr_null(value_get(value_get(test.args, "who"), "id_ix"));
}
END_TEST

START_TEST(one_name_in_two_spellings_has_one_index)
{
	const char *first;

	assert_errors("{\"text\":\"hi\",\"wiki\":null,\"who\":{\"user\":\"ada_Lovelace\"}}", "");
	first = arena_strdup(test.arena, value_get_string(value_get(test.args, "who"), "name_ix"));
	assert_errors("{\"text\":\"hi\",\"wiki\":null,\"who\":{\"user\":\" Ada  Lovelace\"}}", "");
	ck_assert_str_eq(value_get_string(value_get(test.args, "who"), "name_ix"), first);
	assert_errors("{\"text\":\"hi\",\"wiki\":null,\"who\":{\"user\":\"Ada lovelace\"}}", "");
	ck_assert_str_ne(value_get_string(value_get(test.args, "who"), "name_ix"), first);
}
END_TEST

START_TEST(a_person_is_an_id_or_becomes_indexes_without_a_word)
{
	assert_errors("{\"text\":\"hi\",\"wiki\":null,\"person\":\"" ID "\"}", "");
	ck_assert_str_eq(value_get_string(test.args, "person"), ID);
	assert_errors("{\"text\":\"hi\",\"wiki\":null,\"person\":{\"user\":\"Ada\"}}", "");
	ck_assert_uint_eq(strlen(value_get_string(value_get(test.args, "person"), "name_ix")), 64);
	ck_assert_uint_eq(test.check.words.n_items, 1);
}
END_TEST

START_TEST(words_in_stored_json_stay_as_references)
{
	const struct value *evidence, *item;

	assert_errors("{\"text\":\"hi\",\"wiki\":null,\"evidence\":[\"" ID "\",\"see diff 5\"],"
		      "\"list\":[{\"id\":\"" ID "\",\"note\":\"n\"}]}",
		      "");
	evidence = value_get(test.args, "evidence");
	ck_assert_str_eq(value_string(value_at(evidence, 0)), ID);
	ck_assert_ptr_nonnull(value_get_string(value_at(evidence, 1), "$word"));
	item = value_at(value_get(test.args, "list"), 0);
	ck_assert_str_eq(form_test_word(&test, item, "note"), "n");
	ck_assert_ptr_nonnull(value_get(value_get(item, "note"), "$word"));
}
END_TEST

START_TEST(mercy_drops_what_is_optional_and_wrong)
{
	test.check.is_lenient = true;
	assert_errors("{\"text\":\"hi\",\"wiki\":null,\"yes\":1,\"x\":2,\"list\":[{},{\"id\":\"" ID
		      "\"}],"
		      "\"who\":{\"user\":\"a\",\"body\":\"b\"},\"ids\":[\"" ID "\",\"" ID "\",\"" ID
		      "\"]}",
		      "");
	ck_assert(test.check.has_dropped);
	ck_assert_ptr_null(value_get(test.args, "yes"));
	ck_assert_ptr_null(value_get(test.args, "who"));
	ck_assert_uint_eq(value_count(value_get(test.args, "list")), 1);
	ck_assert_uint_eq(value_count(value_get(test.args, "ids")), 2);
	/* The name of what was dropped went with it. */
	ck_assert_uint_eq(test.check.words.n_items, 1);
}
END_TEST

START_TEST(mercy_does_not_reach_what_is_needed)
{
	test.check.is_lenient = true;
	assert_errors("{\"text\":7,\"wiki\":null}", "/text must be a text\n");
	assert_errors("[]", " must be an object\n");
}
END_TEST

START_TEST(a_sound_body_is_not_noted)
{
	test.check.is_lenient = true;
	assert_errors("{\"text\":\"hi\",\"wiki\":\"enwiki\"}", "");
	ck_assert(!test.check.has_dropped);
}
END_TEST

START_TEST(errors_are_counted_to_a_limit)
{
	CLEANUP(buffer_deinit) struct buffer json = BUFFER_NULL;
	struct value *errors;

	buffer_append_text(&json, "{");
	for (int i = 0; i < 500; i++)
		buffer_printf(&json, "\"x%d\":0,", i);
	buffer_append_text(&json, "\"text\":\"hi\",\"wiki\":null}");
	form_test_check(&test, form, json.at);
	ck_assert_uint_eq(test.check.n_errors, FORM_ERRORS_MAX);
	errors = form_write_errors(&test.check);
	ck_assert_uint_eq(value_count(errors), FORM_ERRORS_MAX);
	ck_assert_str_eq(value_get_string(value_at(errors, 0), "pointer"), "/x0");
	ck_assert_str_eq(value_get_string(value_at(errors, 0), "detail"), "is not known here");
	value_free(errors);
}
END_TEST

SUITE_EACH("cases/form", setup, teardown, a_word_leaves_an_id_in_its_place,
	   text_is_normalised_before_it_is_counted, every_error_is_named_at_once,
	   what_has_no_row_is_refused, a_body_is_an_object, each_type_refuses_what_it_is_not,
	   a_blank_text_is_missing_where_it_is_needed_and_nothing_elsewhere,
	   null_and_absent_are_one_where_a_member_is_optional,
	   the_number_of_a_revision_becomes_a_word, a_user_becomes_a_word_and_indexes,
	   one_name_in_two_spellings_has_one_index,
	   a_person_is_an_id_or_becomes_indexes_without_a_word,
	   words_in_stored_json_stay_as_references, mercy_drops_what_is_optional_and_wrong,
	   mercy_does_not_reach_what_is_needed, a_sound_body_is_not_noted,
	   errors_are_counted_to_a_limit)
