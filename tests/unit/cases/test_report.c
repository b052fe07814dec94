/* A report: strict on the standard lane, merciful on the emergency lane. */

#include "daemon/cases/report.h"
#include "daemon/base/text.h"
#include "tests/unit/cases/forms.h"
#include "tests/unit/suite.h"

static struct form_test test;
static struct policy_set *set;

static void setup_set(void)
{
	set = form_test_policy();
}

static void teardown_set(void)
{
	policy_set_unref(set);
}

static void setup(void)
{
	form_test_init(&test);
}

static void teardown(void)
{
	form_test_deinit(&test);
}

/* The errors; is_unverified is false. */
static const char *check(const char *json)
{
	const struct value *body = form_test_parse(&test, json);

	test.args = value_free(test.args);
	form_check_init(&test.check, test.arena, &test.names);
	ck_assert_int_eq(report_check(&test.check, set, body, report_is_emergency(body, set), false,
				      &test.args),
			 0);
	return form_test_errors(&test);
}

static const char *member(const char *name)
{
	const char *text = value_get_string(test.args, name);

	return text ? text : value_get(test.args, name) ? "(no text)" : "(absent)";
}

#define NEEDED "\"wiki\":\"enwiki\",\"category\":\"doxing\",\"details\":\"d\""

START_TEST(the_least_report_is_completed)
{
	static const char *const units[] = { "report", "case_file", "identity" };

	ck_assert_str_eq(check("{" NEEDED "}"), "");
	ck_assert_str_eq(member("lane"), "standard");
	ck_assert_str_eq(member("lang"), "en");
	ck_assert_str_eq(member("privacy"), "handlers");
	ck_assert_str_eq(member("identity"), "sealed");
	ck_assert_str_eq(member("about_functionary"), "no");
	ck_assert_str_eq(member("harm_type"), "(absent)");
	ck_assert(!value_is_true(value_get(test.args, "minor_at_risk")));
	ck_assert(!value_is_true(value_get(test.args, "publish_after")));
	ck_assert(!value_is_true(value_get(test.args, "unverified")));
	ck_assert(text_is_uuid(value_text(value_get(test.args, "report"))));
	ck_assert(text_is_uuid(value_text(value_get(test.args, "case"))));
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		ck_assert(text_is_uuid(
			value_text(value_get(value_get(test.args, "units"), units[i]))));
	ck_assert_str_eq(form_test_word(&test, test.args, "details"), "d");
}
END_TEST

START_TEST(the_whole_example_of_the_interface_is_taken)
{
	ck_assert_str_eq(
		check("{\"wiki\":\"ptwiki\",\"lang\":\"pt-br\",\"lane\":\"standard\","
		      "\"harm_type\":null,\"minor_at_risk\":false,"
		      "\"incidents\":[{\"venue\":\"on_wiki\",\"wiki\":\"ptwiki\","
		      "\"page\":\"Talk:X\",\"revision\":123,"
		      "\"thread\":\"c-User-2026\",\"url\":null,"
		      "\"from\":\"2026-11-20T10:00:00Z\",\"to\":null}],\"category\":\"doxing\","
		      "\"respondents\":[{\"user\":\"Example\"}],\"targets\":[{\"self\":true}],"
		      "\"about_functionary\":\"no\","
		      "\"details\":\"a\",\"harmed\":\"b\",\"extra\":\"c\","
		      "\"contain\":[\"suppress\"],\"privacy\":\"handlers\",\"identity\":\"sealed\","
		      "\"publish_after\":false,"
		      "\"exclude_handlers\":[{\"user\":\"E\",\"reason\":\"r\"}],"
		      "\"contact\":null,\"region\":null,\"filed_for\":null}"),
		"");
	ck_assert_str_eq(member("lang"), "pt-br");
	ck_assert_uint_eq(test.check.words.n_items, 9);
}
END_TEST

START_TEST(a_standard_report_names_every_error)
{
	ck_assert_str_eq(check("{}"),
			 "/wiki is required\n/category is required\n/details is required\n");
	ck_assert_str_eq(
		check("{\"wiki\":\"nosuchwiki\",\"category\":\"doxing\",\"details\":\"d\"}"),
		"/wiki is not a known wiki\n");
	ck_assert_str_eq(check("{\"wiki\":\"enwiki\",\"category\":\"nothing\",\"details\":\"d\"}"),
			 "/category is not offered there\n");
	ck_assert_str_eq(
		check("{" NEEDED ",\"incidents\":[{\"venue\":\"on_wiki\",\"wiki\":\"nosuchwiki\"},"
		      "{\"venue\":\"event\",\"from\":\"2026-11-20T10:00:00Z\","
		      "\"to\":\"2026-11-19T10:00:00Z\"}],\"respondents\":[{\"body\":\"nobody\"}]}"),
		"/incidents/0/wiki is not a known wiki\n"
		"/incidents/1/to must not be before from\n"
		"/respondents/0/body is not a known body\n");
	ck_assert_str_eq(check("{" NEEDED ",\"respondents\":[{\"self\":true}]}"),
			 "/respondents/0/self is not known here\n");
}
END_TEST

START_TEST(nobody_sets_what_only_the_daemon_sets)
{
	static const char *const names[] = { "state",    "reporter_id",    "units",
					     "report",   "case",           "unverified",
					     "severity", "sealed_receipt", "name" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ck_assert_str_eq(
			check(arena_printf(test.arena, "{" NEEDED ",\"%s\":{}}", names[i])),
			arena_printf(test.arena, "/%s is not known here\n", names[i]));
}
END_TEST

START_TEST(no_wiki_is_for_what_happened_on_none)
{
	static const char refused[] =
		"/wiki may be null only for what happened off wiki or at an event\n";

	ck_assert_str_eq(check("{\"wiki\":null,\"category\":\"doxing\",\"details\":\"d\"}"),
			 refused);
	ck_assert_str_eq(
		check("{\"wiki\":null,\"category\":\"doxing\",\"details\":\"d\",\"incidents\":"
		      "[{\"venue\":\"off_wiki\"},{\"venue\":\"on_wiki\"}]}"),
		refused);
	ck_assert_str_eq(
		check("{\"wiki\":null,\"category\":\"doxing\",\"details\":\"d\",\"incidents\":"
		      "[{\"venue\":\"off_wiki\"},{\"venue\":\"event\"}]}"),
		"");
	ck_assert(value_is(value_get(test.args, "wiki"), VALUE_NULL));
	ck_assert_str_eq(member("lang"), "en");
}
END_TEST

static const char *with_details(const char *head, size_t n)
{
	char *text = arena_alloc(test.arena, n + 1);

	memset(text, 'x', n);
	return arena_printf(test.arena, "{%s,\"details\":\"%s\"}", head, text);
}

START_TEST(details_have_the_length_of_their_lane)
{
	static const char standard[] = "\"wiki\":\"enwiki\",\"category\":\"doxing\"";
	static const char emergency[] = "\"lane\":\"emergency\",\"harm_type\":\"self_harm\"";

	ck_assert_str_eq(check(with_details(standard, 10000)), "");
	ck_assert_str_eq(check(with_details(standard, 10001)),
			 "/details must not be longer than 10000 characters\n");
	ck_assert_str_eq(check(with_details(emergency, 4000)), "");
	ck_assert_str_eq(check(with_details(emergency, 4001)),
			 "/details must not be longer than 4000 characters\n");
	/* Who did not ask for the lane is not held to its length. */
	ck_assert_str_eq(check(with_details("\"minor_at_risk\":true", 10000)), "");
}
END_TEST

START_TEST(a_danger_is_an_emergency_whatever_the_lane)
{
	static const char *const rows[] = {
		"{\"lane\":\"emergency\",\"harm_type\":\"public_harm\",\"details\":\"d\"}",
		"{\"lane\":\"standard\",\"harm_type\":\"physical_harm\",\"details\":\"d\"}",
		"{\"minor_at_risk\":true,\"details\":\"d\"}",
		"{\"wiki\":\"enwiki\",\"category\":\"self-harm\",\"details\":\"d\"}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ck_assert_str_eq(check(rows[i]), "");
		ck_assert_str_eq(member("lane"), "emergency");
	}
	ck_assert_str_eq(member("harm_type"), "self_harm");
}
END_TEST

START_TEST(an_emergency_needs_a_danger_and_words)
{
	ck_assert_str_eq(check("{\"lane\":\"emergency\"}"), "/details is required\n");
	ck_assert_str_eq(check("{\"lane\":\"emergency\",\"details\":\"d\"}"),
			 "/harm_type is required, or minor_at_risk\n");
	ck_assert_str_eq(
		check("{\"lane\":\"emergency\",\"harm_type\":\"bad mood\",\"details\":\"d\"}"),
		"/harm_type is required, or minor_at_risk\n");
}
END_TEST

START_TEST(an_emergency_is_stored_without_what_is_wrong_in_it)
{
	ck_assert_str_eq(
		check("{\"lane\":\"emergency\",\"harm_type\":\"physical_harm\",\"details\":\"d\","
		      "\"wiki\":\"nosuchwiki\",\"category\":\"nothing\",\"lang\":7,\"state\":\"x\","
		      "\"respondents\":[{\"user\":\"A\"},{\"nobody\":1},{\"body\":\"no-body\"}],"
		      "\"incidents\":[{\"venue\":\"moon\"},"
		      "{\"venue\":\"on_wiki\",\"wiki\":\"zz\"}]}"),
		"");
	ck_assert(value_is(value_get(test.args, "wiki"), VALUE_NULL));
	ck_assert_str_eq(member("category"), "(absent)");
	ck_assert_str_eq(member("state"), "(absent)");
	ck_assert_str_eq(member("lang"), "en");
	ck_assert(value_is_true(value_get(test.args, "unverified")));
	ck_assert_uint_eq(value_count(value_get(test.args, "respondents")), 2);
	ck_assert_uint_eq(value_count(value_get(test.args, "incidents")), 1);
	ck_assert_ptr_null(value_get(value_at(value_get(test.args, "incidents"), 0), "wiki"));
	ck_assert_str_eq(
		form_test_word(&test, value_at(value_get(test.args, "respondents"), 1), "unknown"),
		"no-body");
}
END_TEST

START_TEST(a_sound_emergency_is_not_noted_but_a_dropped_credential_is)
{
	const char *json = "{\"lane\":\"emergency\",\"minor_at_risk\":true,\"details\":\"d\"}";

	ck_assert_str_eq(check(json), "");
	ck_assert(!value_is_true(value_get(test.args, "unverified")));
	test.args = value_free(test.args);
	ck_assert_int_eq(report_check(&test.check, set, form_test_parse(&test, json), true, true,
				      &test.args),
			 0);
	ck_assert(value_is_true(value_get(test.args, "unverified")));
}
END_TEST

START_TEST(an_emergency_is_taken_before_any_policy_is_read)
{
	const struct value *body = form_test_parse(
		&test, "{\"lane\":\"emergency\",\"minor_at_risk\":true,\"details\":\"d\","
		       "\"wiki\":\"enwiki\",\"category\":\"doxing\"}");

	form_check_init(&test.check, test.arena, &test.names);
	ck_assert(report_is_emergency(body, NULL));
	ck_assert_int_eq(report_check(&test.check, NULL, body, true, false, &test.args), 0);
	ck_assert_str_eq(form_test_errors(&test), "");
	ck_assert(value_is(value_get(test.args, "wiki"), VALUE_NULL));
	ck_assert_str_eq(member("lane"), "emergency");
}
END_TEST

START_TEST(text_is_kept_in_its_normal_form)
{
	ck_assert_str_eq(
		check("{\"wiki\":\"enwiki\",\"category\":\"doxing\",\"details\":\"e\xcc\x81\"}"),
		"");
	ck_assert_str_eq(form_test_word(&test, test.args, "details"), "\xc3\xa9");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		the_least_report_is_completed,
		the_whole_example_of_the_interface_is_taken,
		a_standard_report_names_every_error,
		nobody_sets_what_only_the_daemon_sets,
		no_wiki_is_for_what_happened_on_none,
		details_have_the_length_of_their_lane,
		a_danger_is_an_emergency_whatever_the_lane,
		an_emergency_needs_a_danger_and_words,
		an_emergency_is_stored_without_what_is_wrong_in_it,
		a_sound_emergency_is_not_noted_but_a_dropped_credential_is,
		an_emergency_is_taken_before_any_policy_is_read,
		text_is_kept_in_its_normal_form,
	};
	Suite *suite = suite_create("cases/report");
	TCase *tcase = tcase_create("report");
	SRunner *runner;
	int n_failed;

	tcase_add_unchecked_fixture(tcase, setup_set, teardown_set);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
