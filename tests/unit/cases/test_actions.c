/* Every action: a body that fits, each needed member missing, and nothing that has no row. */

#include "daemon/cases/actions.h"
#include "tests/unit/cases/forms.h"
#include "tests/unit/suite.h"

#define ID "\"00000000-0000-4000-8000-00000000000a\""
#define TIME "\"2026-11-20T10:00:00Z\""

static const struct {
	enum action_audience audience;
	const char *action;
	const char *needed;   /* a body with nothing but what is needed */
	const char *optional; /* further members, without braces */
} rows[] = {
	{ ACTION_HANDLER, "claim", "{}", "" },
	{ ACTION_HANDLER, "acknowledge", "{}", "" },
	{ ACTION_HANDLER, "assign", "{\"person\":" ID "}", "" },
	{ ACTION_HANDLER, "accept",
	  "{\"severity\":\"S2\",\"allegations\":[{\"rule\":\"ucoc/3.1/doxing\",\"respondent\":" ID
	  ",\"incident\":" ID "}],\"reason\":\"r\"}",
	  "\"proposal\":" ID },
	{ ACTION_HANDLER, "decline", "{\"reason_code\":\"no_rule\",\"reason\":\"r\"}",
	  "\"refer_to\":\"u4c\",\"confirm\":" ID },
	{ ACTION_HANDLER, "dismiss", "{\"reason_code\":\"bad_faith\",\"reason\":\"r\"}",
	  "\"refer_to\":\"u4c\",\"confirm\":" ID },
	{ ACTION_HANDLER, "escalate", "{\"to\":\"ts\",\"reason\":\"r\"}", "" },
	{ ACTION_HANDLER, "hand_back",
	  "{\"outcome\":\"acted\",\"to_state\":\"handed_over\",\"reason\":\"r\"}", "" },
	{ ACTION_HANDLER, "resume", "{}", "" },
	{ ACTION_HANDLER, "add_respondent",
	  "{\"respondent\":{\"user\":\"Ada\"},"
	  "\"allegations\":[{\"rule\":\"ucoc/3.1/doxing\",\"incident\":" ID "}]}",
	  "" },
	{ ACTION_HANDLER, "notify_respondent",
	  "{\"respondent\":" ID ",\"text\":\"t\",\"lang\":\"en\"}", "\"redactions\":[" ID "]" },
	{ ACTION_HANDLER, "record_service", "{\"respondent\":" ID ",\"how\":\"talk_page\"}",
	  "\"revision\":12345" },
	{ ACTION_HANDLER, "grant_extension", "{\"party\":" ID "}", "" },
	{ ACTION_HANDLER, "waive_hearing",
	  "{\"respondent\":" ID ",\"kind\":\"none\",\"reason\":\"r\"}", "\"confirm\":" ID },
	{ ACTION_HANDLER, "set_severity", "{\"severity\":\"S4\",\"reason\":\"r\"}", "" },
	{ ACTION_HANDLER, "recuse", "{\"kind\":\"full\"}", "\"reason\":\"r\"" },
	{ ACTION_HANDLER, "open_identity", "{\"party\":" ID ",\"reason\":\"r\"}",
	  "\"confirm\":" ID },
	{ ACTION_HANDLER, "hold", "{\"reason\":\"r\",\"until\":\"2099-01-01T00:00:00Z\"}", "" },
	{ ACTION_HANDLER, "invite_witness", "{\"question\":\"q\"}",
	  "\"user\":\"Ada\",\"name\":\"B\"" },
	{ ACTION_HANDLER, "propose",
	  "{\"items\":[{\"kind\":\"finding\",\"text\":\"t\"}],\"dispositions\":[{\"respondent\":" ID
	  ",\"disposition\":\"sanction\"}],\"reasons\":\"r\"}",
	  "" },
	{ ACTION_HANDLER, "send_back", "{\"reason\":\"r\"}", "" },
	{ ACTION_HANDLER, "decide",
	  "{\"proposal\":" ID ",\"notices\":[{\"party\":" ID ",\"text\":\"t\",\"lang\":\"en\"}]}",
	  "\"confirm\":" ID },
	{ ACTION_HANDLER, "resolve_informally", "{\"advice\":\"a\"}", "" },
	{ ACTION_HANDLER, "form_panel", "{\"members\":[" ID "]}", "" },
	{ ACTION_HANDLER, "put_to_vote", "{\"motion\":\"accept\",\"reasons\":\"r\"}",
	  "\"items\":[{\"item\":1,\"outcome\":\"ratified\",\"text\":\"t\"}]" },
	{ ACTION_HANDLER, "vote", "{\"proposal\":" ID ",\"item\":0,\"vote\":\"support\"}",
	  "\"reason\":\"r\"" },
	{ ACTION_HANDLER, "close_vote", "{\"proposal\":" ID "}", "" },
	{ ACTION_HANDLER, "accept_appeal", "{}", "\"panel\":[" ID "],\"proposal\":" ID },
	{ ACTION_HANDLER, "decline_appeal", "{\"reason_code\":\"insufficient\",\"reason\":\"r\"}",
	  "" },
	{ ACTION_HANDLER, "decide_appeal",
	  "{\"proposal\":" ID ",\"notices\":[{\"party\":" ID ",\"text\":\"t\",\"lang\":\"en\"}]}",
	  "" },
	{ ACTION_HANDLER, "remand", "{\"reason\":\"r\"}", "\"proposal\":" ID },
	{ ACTION_HANDLER, "take_up", "{\"reason\":\"r\"}", "\"proposal\":" ID },
	{ ACTION_PARTY, "withdraw", "{}", "\"reason\":\"r\"" },
	{ ACTION_PARTY, "resume", "{}", "\"reason\":\"r\"" },
	{ ACTION_PARTY, "object", "{}", "\"reason\":\"r\"" },
	{ ACTION_PARTY, "extend", "{}", "\"reason\":\"r\"" },
	{ ACTION_PARTY, "answer", "{\"text\":\"t\"}", "" },
	{ ACTION_PARTY, "withdraw_appeal", "{}", "\"reason\":\"r\"" },
	{ ACTION_PARTY, "appeal",
	  "{\"decision\":" ID ",\"items\":[1],\"grounds\":[\"factual_error\"],\"reasons\":\"r\"}",
	  "" },
};

static const struct action *find(size_t row)
{
	const struct action *action = action_find(rows[row].audience, slice_of(rows[row].action));

	ck_assert_msg(action, "%s", rows[row].action);
	return action;
}

/* The body with more members before its last brace. */
static const char *extend(struct form_test *test, const char *body, const char *more)
{
	int length = (int)strlen(body) - 1;

	return arena_printf(test->arena, "%.*s%s%s}", length, body, length > 1 && *more ? "," : "",
			    more);
}

START_TEST(every_action_has_a_row_here)
{
	ck_assert_uint_eq(ARRAY_SIZE(rows), actions_n);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t k = 0; k < i; k++)
			ck_assert_ptr_ne(find(i), find(k));
}
END_TEST

START_TEST(every_action_takes_what_it_needs_and_may_have)
{
	struct form_test test;

	form_test_init(&test);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct form *form = find(i)->body;

		ck_assert_str_eq(form_test_check(&test, form, rows[i].needed), "");
		ck_assert_str_eq(form_test_check(&test, form,
						 extend(&test, rows[i].needed, rows[i].optional)),
				 "");
		ck_assert_str_eq(
			form_test_check(&test, form,
					extend(&test, rows[i].needed, "\"proceedings\":[" ID "]")),
			"");
		ck_assert_str_eq(value_string(value_at(value_get(test.args, "proceedings"), 0)),
				 "00000000-0000-4000-8000-00000000000a");
	}
	form_test_deinit(&test);
}
END_TEST

START_TEST(every_needed_member_is_missed)
{
	struct form_test test;
	size_t n = 0;

	form_test_init(&test);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct value *body = form_test_parse(&test, rows[i].needed);
		struct value *member;
		struct slice key;

		for (void *at = NULL; value_each(body, &at, &key, &member); n++) {
			CLEANUP(buffer_deinit) struct buffer json = BUFFER_NULL;
			CLEANUP(value_freep) struct value *lacking = value_copy(body);

			ck_assert_int_eq(value_remove(lacking, key.at), 0);
			ck_assert_int_eq(value_write(lacking, &json), 0);
			ck_assert_str_eq(form_test_check(&test, find(i)->body, json.at),
					 arena_printf(test.arena, "/%s is required\n", key.at));
		}
	}
	ck_assert_uint_gt(n, 40);
	form_test_deinit(&test);
}
END_TEST

START_TEST(no_action_sets_what_the_interface_does_not_name)
{
	static const char *const names[] = { "state", "reporter_id", "actor",   "role",
					     "case",  "units",       "name_ix", "$word",
					     "at",    "revision_",   "id" };
	struct form_test test;

	form_test_init(&test);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
			const char *more = arena_printf(test.arena, "\"%s\":\"x\"", names[k]);

			ck_assert_str_eq(
				form_test_check(&test, find(i)->body,
						extend(&test, rows[i].needed, more)),
				arena_printf(test.arena, "/%s is not known here\n", names[k]));
		}
	form_test_deinit(&test);
}
END_TEST

START_TEST(an_empty_list_of_proceedings_means_nothing_and_is_refused)
{
	struct form_test test;

	form_test_init(&test);
	ck_assert_str_eq(form_test_check(&test, find(0)->body, "{\"proceedings\":[]}"),
			 "/proceedings must not be empty\n");
	form_test_deinit(&test);
}
END_TEST

START_TEST(a_name_counts_for_one_audience_only)
{
	ck_assert_ptr_null(action_find(ACTION_PARTY, SLICE("claim")));
	ck_assert_ptr_null(action_find(ACTION_HANDLER, SLICE("withdraw")));
	ck_assert_ptr_null(action_find(ACTION_HANDLER, SLICE("submit")));
	ck_assert_ptr_null(action_find(ACTION_HANDLER, SLICE("Claim")));
	ck_assert_ptr_null(action_find(ACTION_HANDLER, SLICE("")));
	ck_assert_ptr_ne(action_find(ACTION_HANDLER, SLICE("resume")),
			 action_find(ACTION_PARTY, SLICE("resume")));
}
END_TEST

START_TEST(what_moves_a_case_needs_its_revision)
{
	static const char *const moving[] = {
		"claim",         "accept",         "decline",       "dismiss",
		"escalate",      "hand_back",      "resume",        "add_respondent",
		"propose",       "send_back",      "decide",        "resolve_informally",
		"accept_appeal", "decline_appeal", "decide_appeal", "remand",
		"take_up"
	};
	size_t n = 0;

	for (size_t i = 0; i < actions_n; i++)
		n += actions[i].needs_revision;
	ck_assert_uint_eq(n, ARRAY_SIZE(moving));
	for (size_t i = 0; i < ARRAY_SIZE(moving); i++)
		ck_assert(action_find(ACTION_HANDLER, slice_of(moving[i]))->needs_revision);
}
END_TEST

START_TEST(a_grant_names_a_person_a_role_and_an_end)
{
	struct form_test test;

	form_test_init(&test);
	ck_assert_str_eq(
		form_test_check(
			&test, action_grant,
			"{\"person\":{\"user\":\"Ada\"},\"role\":\"steward\",\"body\":\"stewards\","
			"\"from\":" TIME ",\"until\":" TIME "}"),
		"");
	ck_assert_uint_eq(test.check.words.n_items, 0);
	ck_assert_str_eq(
		form_test_check(&test, action_grant, "{\"role\":\"king\",\"body\":\"U4C\"}"),
		"/person is required\n"
		"/role must be one of functionary, oversighter, clerk, mediator, translator, "
		"arbitrator, steward, u4c_member, u4c_nonvoting, ts_staff, legal, "
		"event_coordinator, crc_member, auditor, ombud, policy_maintainer, admin\n"
		"/body must be an id\n"
		"/until is required\n");
	form_test_deinit(&test);
}
END_TEST

SUITE("cases/actions", every_action_has_a_row_here, every_action_takes_what_it_needs_and_may_have,
      every_needed_member_is_missed, no_action_sets_what_the_interface_does_not_name,
      an_empty_list_of_proceedings_means_nothing_and_is_refused,
      a_name_counts_for_one_audience_only, what_moves_a_case_needs_its_revision,
      a_grant_names_a_person_a_role_and_an_end)
