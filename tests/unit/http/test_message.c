/* Messages: parameters, plurals, languages, and that the shipped ones are complete in English. */

#include "api/http/message.h"

#include "tests/unit/suite.h"
#include <string.h>

static const char *render(const char *text, const char *language, int64_t number)
{
	static char rendered[400];
	struct buffer buffer = BUFFER_NULL;
	struct value *params = value_new_array();

	ck_assert_int_eq(value_append_take(params, value_new_integer(number)), 0);
	ck_assert_int_eq(value_append_take(params, value_new_string("$1 & {{PLURAL:$1|x}}")), 0);
	message_render(text, language, params, &buffer);
	ck_assert_int_eq(buffer_finish(&buffer), 0);
	strcpy(rendered, buffer.at ? buffer.at : "");
	buffer_deinit(&buffer);
	value_free(params);
	return rendered;
}

START_TEST(parameters_are_filled_in_once)
{
	ck_assert_str_eq(render("a $1 b $2 c $3 $", "en", 5), "a 5 b $1 & {{PLURAL:$1|x}} c ? $");
}
END_TEST

START_TEST(english_has_two_plural_forms)
{
	const char *text = "{{PLURAL:$1|one fault|$1 faults}}.";

	ck_assert_str_eq(render(text, "en", 1), "one fault.");
	ck_assert_str_eq(render(text, "en", 0), "0 faults.");
	ck_assert_str_eq(render(text, "en", 2), "2 faults.");
}
END_TEST

START_TEST(arabic_has_six_plural_forms)
{
	const char *text = "{{PLURAL:$1|0|1|2|few|many|other}}";

	ck_assert_str_eq(render(text, "ar", 0), "0");
	ck_assert_str_eq(render(text, "ar", 1), "1");
	ck_assert_str_eq(render(text, "ar", 2), "2");
	ck_assert_str_eq(render(text, "ar", 3), "few");
	ck_assert_str_eq(render(text, "ar", 111), "many");
	ck_assert_str_eq(render(text, "ar", 100), "other");
}
END_TEST

START_TEST(a_missing_form_is_the_last_one_and_open_braces_are_text)
{
	ck_assert_str_eq(render("{{PLURAL:$1|one}}", "en", 5), "one");
	ck_assert_str_eq(render("{{PLURAL:$1|one", "en", 5), "{{PLURAL:5|one");
	ck_assert_str_eq(render("{{PLURAL:x}}", "en", 5), "{{PLURAL:x}}");
}
END_TEST

START_TEST(a_language_is_found_by_its_first_subtag)
{
	ck_assert_str_eq(message_language(message_find_language("de-at")), "de");
	ck_assert_str_eq(message_language(message_find_language("ar")), "ar");
	ck_assert_ptr_null(message_language(message_find_language("xx")));
	ck_assert_ptr_null(message_language(message_find_language("d")));
}
END_TEST

START_TEST(messages_are_found_by_key_and_language)
{
	ck_assert_ptr_nonnull(message_find("conduct-not-found", message_find_language("en")));
	ck_assert_str_ne(message_find("conduct-not-found", message_find_language("ar")),
			 message_find("conduct-not-found", message_find_language("en")));
	ck_assert_ptr_null(message_find("conduct-no-such-key", message_find_language("en")));
	ck_assert_ptr_null(message_find("conduct-not-found", message_n_languages()));
}
END_TEST

SUITE("http/message", parameters_are_filled_in_once, english_has_two_plural_forms,
      arabic_has_six_plural_forms, a_missing_form_is_the_last_one_and_open_braces_are_text,
      a_language_is_found_by_its_first_subtag, messages_are_found_by_key_and_language)
