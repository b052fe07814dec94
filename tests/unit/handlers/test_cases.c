/* Cases, actions, conversations, the queue: parameters, preconditions, cursors, answers. */

#include "tests/unit/handlers/requests.h"
#include "tests/unit/suite.h"

static struct requests requests;

static void assert_refused(const char *line, const char *headers, const char *body, int status,
			   const char *key)
{
	requests_send(&requests, line, headers, body);
	ck_assert_msg(requests.status == status, "%s: %d", line, requests.status);
	ck_assert_str_eq(requests_error(&requests), key);
	ck_assert_uint_eq(fake_pg_count(), 0);
}

START_TEST(a_case_is_shown_with_its_revision_as_tag)
{
	requests_init(&requests);
	requests_send(&requests, "GET /v1/cases/" CASE, FULL "If-None-Match: \"7\"\r\n", NULL);
	ck_assert_str_eq(fake_pg_statement(), "case_show");
	ck_assert_str_eq(fake_pg_call()->many->name, "cases_show");
	ck_assert(fake_pg_call()->may_share);
	ck_assert_str_eq(fake_pg_param(1), CASE);
	requests_answer(&requests, 200, "{\"id\":\"" CASE "\",\"revision\":7}");
	/* Votes and messages do not count as moves: the tag must not hide them. */
	ck_assert_int_eq(requests.status, 200);
	ck_assert_str_eq(requests.exchange->reply->tag, "\"7\"");
	ck_assert(!requests.exchange->reply->is_public);
	requests_deinit(&requests);
}
END_TEST

START_TEST(what_is_no_id_is_looked_up_like_one_that_is_absent)
{
	requests_init(&requests);
	requests_send(&requests, "GET /v1/cases/1", FULL, NULL);
	ck_assert_str_eq(fake_pg_param(1), NIL);
	requests_refuse(&requests, PG_REFUSED, 404, "conduct-not-found", NULL);
	ck_assert_int_eq(requests.status, 404);
	ck_assert(requests.exchange->reply->is_slotted);
	requests_deinit(&requests);
}
END_TEST

START_TEST(a_token_that_may_only_report_reads_no_case)
{
	requests_init(&requests);
	assert_refused("GET /v1/cases", REPORT_ONLY, NULL, 403, "conduct-wrong-scope");
	assert_refused("GET /v1/cases/" CASE, REPORT_ONLY, NULL, 403, "conduct-wrong-scope");
	assert_refused("GET /v1/cases", RECEIPT, NULL, 401, "conduct-unauthorized");
	assert_refused("GET /v1/cases", "", NULL, 401, "conduct-unauthorized");
	requests_deinit(&requests);
}
END_TEST

START_TEST(an_action_reaches_its_function)
{
	requests_init(&requests);
	requests_send(&requests, "POST /v1/cases/" CASE "/actions/send_back",
		      FULL KEY "If-Match: \"3\"\r\n", "{\"reason\":\"why\"}");
	ck_assert_str_eq(fake_pg_statement(), "case_send_back");
	ck_assert_int_eq(fake_pg_call()->lane, PG_LANE_ACT);
	ck_assert_uint_eq(fake_pg_param_length(0), INDEX_SIZE);
	ck_assert_str_eq(fake_pg_param(1), CASE);
	ck_assert_str_eq(fake_pg_param(2), "3");
	ck_assert_uint_eq(fake_pg_param_length(3), 32);
	ck_assert_uint_eq(fake_pg_param_length(4), 32);
	ck_assert_str_eq(fake_pg_param(7), "{\"reason\",\"$vault\"}");
	/* The case file's unit has the id of the case. */
	ck_assert_ptr_nonnull(strstr(fake_pg_param(6), CASE));
	ck_assert_ptr_null(strstr(fake_pg_param(8), "776879"));
	requests_answer(&requests, 200, "{\"revision\":4}");
	ck_assert_int_eq(requests.status, 200);
	ck_assert_str_eq(requests.exchange->reply->tag, "\"4\"");
	requests_deinit(&requests);
}
END_TEST

START_TEST(refusals_of_an_act_come_in_their_order)
{
	static const char line[] = "POST /v1/cases/" CASE "/actions/claim";

	requests_init(&requests);
	assert_refused(line, "", "{", 400, "conduct-idempotency-key-missing");
	assert_refused(line, KEY, "{", 400, "conduct-malformed-json");
	assert_refused(line, KEY, "{\"x\":1}", 401, "conduct-unauthorized");
	assert_refused("POST /v1/cases/" CASE "/actions/close", FULL KEY, "{\"x\":1}", 404,
		       "conduct-not-found");
	assert_refused(line, FULL KEY, "{\"x\":1}", 428, "conduct-precondition-required");
	assert_refused(line, FULL KEY "If-Match: *\r\n", "{\"x\":1}", 428,
		       "conduct-precondition-required");
	assert_refused(line, FULL KEY "If-Match: \"1\"\r\n", "{\"x\":1}", 422,
		       "conduct-invalid-body");
	ck_assert_str_eq(
		value_get_string(value_at(value_get(requests.json, "errors"), 0), "pointer"), "/x");
	requests_deinit(&requests);
}
END_TEST

START_TEST(a_tag_that_is_no_revision_is_stale_in_its_turn)
{
	static const char *const tags[] = { "\"x\"", "3", "W/\"3\"", "\"1\", \"2\"",
					    "\"99999999999\"" };

	requests_init(&requests);
	for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
		char headers[256];

		snprintf(headers, sizeof(headers), FULL KEY "If-Match: %s\r\n", tags[i]);
		requests_send(&requests, "POST /v1/cases/" CASE "/actions/claim", headers, "{}");
		ck_assert_str_eq(fake_pg_param(2), "-1");
		requests_refuse(&requests, PG_REFUSED, 412, "conduct-precondition-failed", NULL);
		ck_assert_int_eq(requests.status, 412);
	}
	requests_deinit(&requests);
}
END_TEST

START_TEST(what_moves_nothing_needs_no_tag)
{
	requests_init(&requests);
	requests_send(&requests, "POST /v1/cases/" CASE "/actions/acknowledge", FULL KEY, "{}");
	ck_assert_str_eq(fake_pg_param(2), "null");
	requests_answer(&requests, 204, NULL);
	ck_assert_int_eq(requests.status, 204);
	requests_deinit(&requests);
}
END_TEST

START_TEST(the_first_of_two_people_gets_the_pending_act)
{
	requests_init(&requests);
	requests_send(&requests, "POST /v1/cases/" CASE "/actions/decline",
		      FULL KEY "If-Match: \"1\"\r\n",
		      "{\"reason_code\":\"bad_faith\",\"reason\":\"r\",\"refer_to\":\"u4c\"}");
	requests_answer(&requests, 202, "{\"pending\":\"" ID "\"}");
	ck_assert_int_eq(requests.status, 202);
	ck_assert_str_eq(requests.exchange->reply->tag, "");
	requests_deinit(&requests);
}
END_TEST

START_TEST(every_conflict_says_what_may_be_done)
{
	requests_init(&requests);
	requests_send(&requests, "POST /v1/cases/" CASE "/actions/acknowledge", FULL KEY, "{}");
	requests_refuse(&requests, PG_REFUSED, 409, "conduct-transition-illegal",
			"{\"allowed_actions\":[\"claim\"]}");
	ck_assert_int_eq(requests.status, 409);
	ck_assert_str_eq(value_string(value_at(value_get(requests.json, "allowed_actions"), 0)),
			 "claim");
	requests_send(&requests, "POST /v1/cases/" CASE "/actions/acknowledge", FULL KEY, "{}");
	requests_refuse(&requests, PG_REFUSED, 409, "conduct-idempotency-running", "{}");
	ck_assert(value_is(value_get(requests.json, "allowed_actions"), VALUE_ARRAY));
	requests_deinit(&requests);
}
END_TEST

START_TEST(what_only_the_case_tells_is_named_like_the_rest)
{
	requests_init(&requests);
	requests_send(&requests, "POST /v1/cases/" CASE "/actions/acknowledge", FULL KEY, "{}");
	requests_refuse(&requests, PG_REFUSED, 422, "conduct-ambiguous-proceedings",
			"{\"errors\":[{\"pointer\":\"/proceedings\",\"detail\":\"x\"}]}");
	ck_assert_int_eq(requests.status, 422);
	ck_assert_uint_eq(value_count(value_get(requests.json, "errors")), 1);
	requests_deinit(&requests);
}
END_TEST

START_TEST(one_key_on_two_cases_or_actions_is_two_keys)
{
	static const char *const lines[] = {
		"POST /v1/cases/" CASE "/actions/acknowledge",
		"POST /v1/cases/" ID "/actions/acknowledge",
		"POST /v1/cases/" CASE "/actions/accept_appeal",
	};
	char scopes[ARRAY_SIZE(lines)][32];

	requests_init(&requests);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		requests_send(&requests, lines[i], FULL KEY "If-Match: \"1\"\r\n", "{}");
		memcpy(scopes[i], fake_pg_call()->params[3].at, 32);
		requests_answer(&requests, 204, NULL);
		for (size_t k = 0; k < i; k++)
			ck_assert_int_ne(memcmp(scopes[i], scopes[k], 32), 0);
	}
	requests_deinit(&requests);
}
END_TEST

START_TEST(filters_of_the_queue_are_checked_and_names_become_indexes)
{
	static const char *const wrong[] = {
		"stage=Report", "state=x'y",    "lane=fast",       "wiki=en-wiki",
		"body=U4C",     "assigned=you", "due_before=soon", "respondent=%20",
	};

	requests_init(&requests);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		char line[64];

		snprintf(line, sizeof(line), "GET /v1/cases?%s", wrong[i]);
		assert_refused(line, FULL, NULL, 400, "conduct-bad-parameter");
	}
	assert_refused("GET /v1/cases?offset=3", FULL, NULL, 400, "conduct-unknown-parameter");
	assert_refused("GET /v1/cases?limit=0", FULL, NULL, 400, "conduct-bad-limit");
	requests_send(&requests, "GET /v1/cases?state=triage&assigned=me&respondent=Ada&limit=7",
		      FULL, NULL);
	ck_assert_str_eq(fake_pg_statement(), "case_queue");
	ck_assert_ptr_nonnull(strstr(fake_pg_param(1), "\"state\":\"triage\""));
	ck_assert_ptr_null(strstr(fake_pg_param(1), "Ada"));
	ck_assert_str_eq(fake_pg_param(2), "null");
	ck_assert_str_eq(fake_pg_param(3), "7");
	requests_answer(&requests, 200, "{\"items\":[],\"next\":null}");
	ck_assert_int_eq(requests.status, 200);
	ck_assert(value_is(value_get(requests.json, "next"), VALUE_NULL));
	ck_assert(!requests_has_header(&requests, "Link:"));
	requests_deinit(&requests);
}
END_TEST

/* Goes through one page of a list; writes the line of the next page. */
static void read_page(const char *line, const char *next, char *ret_line, size_t size)
{
	char body[256];

	requests_send(&requests, line, FULL, NULL);
	snprintf(body, sizeof(body), "{\"items\":[],\"next\":%s}", next);
	requests_answer(&requests, 200, body);
	ck_assert_int_eq(requests.status, 200);
	ck_assert(requests_has_header(&requests, "rel=\"next\""));
	snprintf(ret_line, size, "%s%ccursor=%s", line, strchr(line, '?') ? '&' : '?',
		 value_get_string(requests.json, "next"));
}

START_TEST(a_cursor_brings_back_the_sort_key)
{
	static const struct {
		const char *line, *next;
		unsigned after;
	} rows[] = {
		{ "GET /v1/cases?state=triage",
		  "[1,\"2026-11-22T16:00:00.123456+00:00\",\"" CASE "\"]", 2 },
		{ "GET /v1/cases", "[0,\"infinity\",\"" CASE "\"]", 2 },
		{ "GET /v1/cases/" CASE "/events", "[\"2026-11-22T16:00:00+00:00\",\"" ID "\",3]",
		  3 },
		{ "GET /v1/cases/" CASE "/messages?channel=internal",
		  "[\"2026-11-22T16:00:00+00:00\",\"" ID "\"]", 5 },
		{ "GET /v1/admin/grants", "[\"2026-11-22T16:00:00+00:00\",\"" ID "\"]", 2 },
	};

	requests_init(&requests);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char line[1024];

		read_page(rows[i].line, rows[i].next, line, sizeof(line));
		requests_send(&requests, line, FULL, NULL);
		ck_assert_str_eq(fake_pg_param(rows[i].after), rows[i].next);
		requests_answer(&requests, 200, "{\"items\":[],\"next\":null}");
	}
	requests_deinit(&requests);
}
END_TEST

START_TEST(a_cursor_holds_for_its_own_list_and_filters)
{
	char line[1024], other[1200];
	const char *cursor;

	requests_init(&requests);
	read_page("GET /v1/cases?state=triage", "[1,\"infinity\",\"" CASE "\"]", line,
		  sizeof(line));
	cursor = strstr(line, "cursor=");
	snprintf(other, sizeof(other), "GET /v1/cases?state=received&%s", cursor);
	assert_refused(other, FULL, NULL, 400, "conduct-bad-cursor");
	snprintf(other, sizeof(other), "GET /v1/cases?%s", cursor);
	assert_refused(other, FULL, NULL, 400, "conduct-bad-cursor");
	snprintf(other, sizeof(other), "GET /v1/admin/grants?%s", cursor);
	assert_refused(other, FULL, NULL, 400, "conduct-bad-cursor");
	/* The size of a page is no filter. */
	snprintf(other, sizeof(other), "GET /v1/cases?state=triage&limit=2&%s", cursor);
	requests_send(&requests, other, FULL, NULL);
	ck_assert_str_eq(fake_pg_param(3), "2");
	requests_answer(&requests, 200, "{\"items\":[],\"next\":null}");
	assert_refused("GET /v1/cases?cursor=AQ", FULL, NULL, 400, "conduct-bad-cursor");
	assert_refused("GET /v1/cases?cursor=", FULL, NULL, 400, "conduct-bad-cursor");
	requests_deinit(&requests);
}
END_TEST

START_TEST(a_sort_key_of_another_type_is_our_fault)
{
	requests_init(&requests);
	requests_send(&requests, "GET /v1/cases", FULL, NULL);
	requests_answer(&requests, 200, "{\"items\":[],\"next\":[\"x\",\"y\",\"z\"]}");
	ck_assert_int_eq(requests.status, 500);
	requests_deinit(&requests);
}
END_TEST

START_TEST(a_conversation_is_named_by_channel_and_party)
{
	requests_init(&requests);
	assert_refused("GET /v1/cases/" CASE "/messages", FULL, NULL, 400, "conduct-bad-parameter");
	assert_refused("GET /v1/cases/" CASE "/messages?channel=public", FULL, NULL, 400,
		       "conduct-bad-parameter");
	assert_refused("GET /v1/cases/" CASE "/messages?channel=reporter&party=1", FULL, NULL, 400,
		       "conduct-bad-parameter");
	requests_send(&requests, "GET /v1/cases/" CASE "/messages?channel=reporter&party=" ID, FULL,
		      NULL);
	ck_assert_str_eq(fake_pg_param(2), "reporter");
	ck_assert_str_eq(fake_pg_param(3), ID);
	requests_answer(&requests, 200, "{\"items\":[],\"next\":null}");
	requests_send(&requests, "POST /v1/cases/" CASE "/messages?channel=internal", FULL KEY,
		      "{\"text\":\"note\"}");
	ck_assert_str_eq(fake_pg_statement(), "case_place");
	ck_assert_str_eq(fake_pg_param(2), "internal");
	ck_assert_str_eq(fake_pg_param(3), "null");
	fake_pg_answer(200, "{\"unit\":\"" CASE "\",\"party\":null}", "{}", "{}");
	ck_assert_str_eq(fake_pg_statement(), "case_message_post");
	ck_assert_ptr_nonnull(strstr(fake_pg_param(4), "\"channel\":\"internal\""));
	ck_assert_ptr_null(strstr(fake_pg_param(4), "party"));
	requests_answer(&requests, 201, "{\"id\":\"" ID "\"}");
	ck_assert_int_eq(requests.status, 201);
	requests_deinit(&requests);
}
END_TEST

SUITE("handlers/cases", a_case_is_shown_with_its_revision_as_tag,
      what_is_no_id_is_looked_up_like_one_that_is_absent,
      a_token_that_may_only_report_reads_no_case, an_action_reaches_its_function,
      refusals_of_an_act_come_in_their_order, a_tag_that_is_no_revision_is_stale_in_its_turn,
      what_moves_nothing_needs_no_tag, the_first_of_two_people_gets_the_pending_act,
      every_conflict_says_what_may_be_done, what_only_the_case_tells_is_named_like_the_rest,
      one_key_on_two_cases_or_actions_is_two_keys,
      filters_of_the_queue_are_checked_and_names_become_indexes, a_cursor_brings_back_the_sort_key,
      a_cursor_holds_for_its_own_list_and_filters, a_sort_key_of_another_type_is_our_fault,
      a_conversation_is_named_by_channel_and_party)
