/* What a party does: by receipt, or by account and participation; nothing here tells of others. */

#include "tests/unit/handlers/requests.h"
#include "tests/unit/suite.h"

static struct requests requests;

START_TEST(a_receipt_shows_its_side_of_the_case_without_a_tag)
{
	requests_init(&requests);
	requests_send(&requests, "GET /v1/receipt", RECEIPT, NULL);
	ck_assert_str_eq(fake_pg_statement(), "receipt_show");
	ck_assert_str_eq(fake_pg_param(0), "null");
	ck_assert_uint_eq(fake_pg_param_length(1), 32);
	ck_assert_str_eq(fake_pg_param(2), "null");
	requests_answer(&requests, 200, "{\"role\":\"reporter\",\"revision\":5}");
	ck_assert_int_eq(requests.status, 200);
	ck_assert_str_eq(requests.exchange->reply->tag, "");
	ck_assert_uint_eq(requests.exchange->reply->body.length % REPLY_PADDING, 0);
	requests_deinit(&requests);
}
END_TEST

START_TEST(an_account_names_its_participation)
{
	requests_init(&requests);
	requests_send(&requests, "GET /v1/receipt", FULL, NULL);
	ck_assert_int_eq(requests.status, 400);
	ck_assert_str_eq(requests_error(&requests), "conduct-participation-missing");
	requests_send(&requests, "GET /v1/receipt?participation=" ID, FULL, NULL);
	ck_assert_uint_eq(fake_pg_param_length(0), 32);
	ck_assert_str_eq(fake_pg_param(1), "null");
	ck_assert_str_eq(fake_pg_param(2), ID);
	requests_refuse(&requests, PG_REFUSED, 404, "conduct-not-found", NULL);
	ck_assert(requests.exchange->reply->is_slotted);
	requests_send(&requests, "GET /v1/receipt?participation=7", FULL, NULL);
	ck_assert_str_eq(fake_pg_param(2), NIL);
	requests_refuse(&requests, PG_REFUSED, 404, "conduct-not-found", NULL);
	requests_send(&requests, "GET /v1/receipt?participation=" ID, REPORT_ONLY, NULL);
	ck_assert_int_eq(requests.status, 403);
	requests_send(&requests, "GET /v1/receipt", "", NULL);
	ck_assert_int_eq(requests.status, 401);
	requests_deinit(&requests);
}
END_TEST

/* Where the words go is asked first; here it is a unit without a channel. */
static void answer_place(const char *then)
{
	ck_assert_str_eq(fake_pg_statement(), "party_place");
	ck_assert_uint_eq(fake_pg_param_length(1), 32);
	fake_pg_answer(200, "{\"unit\":\"" ID "\",\"party\":\"" ID "\"}", "{}", "{}");
	ck_assert_str_eq(fake_pg_statement(), then);
}

START_TEST(a_party_acts)
{
	requests_init(&requests);
	requests_send(&requests, "POST /v1/receipt/actions/answer", RECEIPT KEY,
		      "{\"text\":\"no\"}");
	answer_place("party_answer");
	ck_assert_uint_eq(fake_pg_param_length(3), 32);
	ck_assert_str_eq(fake_pg_param(7), "{\"text\",\"$vault\"}");
	requests_answer(&requests, 200, "{\"role\":\"respondent\"}");
	ck_assert_int_eq(requests.status, 200);
	requests_deinit(&requests);
}
END_TEST

START_TEST(an_appeal_has_its_own_address)
{
	static const char body[] = "{\"decision\":\"" ID
				   "\",\"items\":[1],\"grounds\":[\"disproportionate\"],"
				   "\"reasons\":\"r\"}";

	requests_init(&requests);
	requests_send(&requests, "POST /v1/receipt/actions/appeal", RECEIPT KEY, body);
	ck_assert_int_eq(requests.status, 404);
	requests_send(&requests, "POST /v1/receipt/appeal", RECEIPT KEY, body);
	answer_place("party_appeal");
	requests_answer(&requests, 201, "{\"role\":\"respondent\"}");
	ck_assert_int_eq(requests.status, 201);
	requests_send(&requests, "POST /v1/receipt/appeal", RECEIPT KEY, "{}");
	ck_assert_int_eq(requests.status, 422);
	ck_assert_uint_eq(value_count(value_get(requests.json, "errors")), 4);
	requests_deinit(&requests);
}
END_TEST

START_TEST(actions_of_handlers_are_none_of_a_party)
{
	static const char *const names[] = { "claim", "decide", "submit", "close", "" };

	requests_init(&requests);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char line[96];

		snprintf(line, sizeof(line), "POST /v1/receipt/actions/%s", names[i]);
		requests_send(&requests, line, RECEIPT KEY, "{}");
		ck_assert_int_eq(requests.status, 404);
		ck_assert_uint_eq(fake_pg_count(), 0);
	}
	requests_deinit(&requests);
}
END_TEST

START_TEST(one_key_of_two_participations_is_two_keys)
{
	char first[32];

	requests_init(&requests);
	requests_send(&requests, "POST /v1/receipt/actions/withdraw?participation=" ID, FULL KEY,
		      "{}");
	memcpy(first, fake_pg_call()->params[3].at, sizeof(first));
	requests_answer(&requests, 204, NULL);
	requests_send(&requests, "POST /v1/receipt/actions/withdraw?participation=" CASE, FULL KEY,
		      "{}");
	ck_assert_int_ne(memcmp(first, fake_pg_call()->params[3].at, sizeof(first)), 0);
	requests_answer(&requests, 204, NULL);
	requests_deinit(&requests);
}
END_TEST

START_TEST(lists_are_read_by_page_and_messages_written)
{
	char line[1024];

	requests_init(&requests);
	requests_send(&requests, "GET /v1/receipt/messages?limit=1", RECEIPT, NULL);
	ck_assert_str_eq(fake_pg_param(3), "1");
	requests_answer(&requests, 200,
			"{\"items\":[{}],\"next\":[\"2026-11-22T16:00:00+00:00\",\"" ID "\"]}");
	snprintf(line, sizeof(line), "GET /v1/receipt/messages?cursor=%s",
		 value_get_string(requests.json, "next"));
	requests_send(&requests, line, RECEIPT, NULL);
	ck_assert_str_eq(fake_pg_param(4), "[\"2026-11-22T16:00:00+00:00\",\"" ID "\"]");
	requests_answer(&requests, 200, "{\"items\":[],\"next\":null}");
	requests_send(&requests, "GET /v1/receipt/attachments?limit=2", RECEIPT, NULL);
	ck_assert_str_eq(fake_pg_call()->statement->name, "receipt_attachments");
	ck_assert_str_eq(fake_pg_param(3), "2");
	requests_answer(&requests, 200,
			"{\"items\":[{}],\"next\":[\"2026-11-22T16:00:00+00:00\",\"" ID "\"]}");
	/* A cursor of one list is none of another. */
	snprintf(line, sizeof(line), "GET /v1/receipt/messages?cursor=%s",
		 value_get_string(requests.json, "next"));
	requests_send(&requests, line, RECEIPT, NULL);
	ck_assert_int_eq(requests.status, 400);
	requests_send(&requests, "POST /v1/receipt/messages", RECEIPT KEY, "{\"text\":\"hello\"}");
	answer_place("receipt_message_post");
	requests_answer(&requests, 201, "{\"id\":\"" ID "\"}");
	ck_assert_int_eq(requests.status, 201);
	requests_send(&requests, "POST /v1/receipt/messages", RECEIPT KEY, "{\"text\":\" \"}");
	ck_assert_int_eq(requests.status, 422);
	requests_deinit(&requests);
}
END_TEST

START_TEST(every_absent_receipt_reads_the_same)
{
	char first[4096 + 1];
	static const char *const lines[] = { "GET /v1/receipt?participation=" ID,
					     "GET /v1/receipt?participation=x" };

	requests_init(&requests);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		requests_send(&requests, lines[i], FULL, NULL);
		requests_refuse(&requests, PG_REFUSED, 404,
				i ? "conduct-error-not-found" : "conduct-not-found", NULL);
		ck_assert_uint_eq(requests.exchange->reply->body.length, 4096);
		if (!i)
			memcpy(first, requests.exchange->reply->body.at, 4097);
		else
			ck_assert_str_eq(requests.exchange->reply->body.at, first);
	}
	requests_deinit(&requests);
}
END_TEST

SUITE("handlers/receipt", a_receipt_shows_its_side_of_the_case_without_a_tag,
      an_account_names_its_participation, a_party_acts, an_appeal_has_its_own_address,
      actions_of_handlers_are_none_of_a_party, one_key_of_two_participations_is_two_keys,
      lists_are_read_by_page_and_messages_written, every_absent_receipt_reads_the_same)
