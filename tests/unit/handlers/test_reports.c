/* Reports: the lane before the credentials, one receipt for one key, help when nothing else works.
 */

#include "api/auth/receipt.h"
#include "daemon/base/codec.h"
#include "tests/unit/handlers/requests.h"
#include "tests/unit/suite.h"

#define REPORT "{\"wiki\":\"enwiki\",\"category\":\"doxing\",\"details\":\"my words\"}"
#define EMERGENCY "{\"lane\":\"emergency\",\"harm_type\":\"self_harm\",\"details\":\"my words\"}"
#define STORED                                                                     \
	"{\"report\":\"" ID                                                        \
	"\",\"state\":\"received\",\"stage\":\"report\",\"policy_version\":\"p\"," \
	"\"procedure_version\":\"p\",\"deadlines\":[],\"lane\":\"standard\"}"

static struct requests requests;

START_TEST(a_report_is_stored_and_its_receipt_shown)
{
	struct receipt receipt;
	uint8_t hash[RECEIPT_HASH_SIZE], sent[RECEIPT_HASH_SIZE];

	requests_init(&requests);
	requests_send(&requests, "POST /v1/reports", FULL KEY, REPORT);
	ck_assert_str_eq(fake_pg_statement(), "submit_report");
	ck_assert_int_eq(fake_pg_call()->lane, PG_LANE_BATCH);
	ck_assert_uint_eq(fake_pg_param_length(0), INDEX_SIZE);
	ck_assert_uint_eq(fake_pg_param_length(1), RECEIPT_HASH_SIZE);
	memcpy(sent, fake_pg_call()->params[1].at, sizeof(sent));
	ck_assert_uint_eq(fake_pg_param_length(2), 32);
	ck_assert_uint_eq(fake_pg_param_length(3), 32);
	ck_assert(fake_pg_call()->lock_key.length == 32);
	ck_assert_ptr_null(strstr(fake_pg_param(5), "my words"));
	ck_assert_str_eq(fake_pg_param(7), "{\"details\",\"$vault\",\"$receipt\"}");
	ck_assert_ptr_null(strstr(fake_pg_param(8), "6d7920776f726473"));
	requests_answer(&requests, 201, STORED);
	ck_assert_int_eq(requests.status, 201);
	ck_assert(requests_has_header(&requests, "Location: /v1/receipt\r\n"));
	ck_assert_str_eq(value_get_string(requests.json, "report"), ID);
	ck_assert_ptr_null(value_get(requests.json, "lane"));
	ck_assert_uint_eq(value_count(value_get(requests.json, "resources")), 0);
	ck_assert(value_is(value_get(requests.json, "notice"), VALUE_OBJECT));
	ck_assert_int_eq(
		receipt_read(slice_of(value_get_string(requests.json, "receipt")), &receipt), 0);
	ck_assert_int_eq(receipt_hash(&receipt, hash), 0);
	ck_assert_int_eq(memcmp(hash, sent, sizeof(hash)), 0);
	ck_assert_uint_eq(requests.exchange->reply->body.length % REPLY_PADDING, 0);
	requests_deinit(&requests);
}
END_TEST

START_TEST(a_replay_shows_the_first_receipt)
{
	char hex[512], first[RECEIPT_TEXT_SIZE], body[1024];

	requests_init(&requests);
	requests_send(&requests, "POST /v1/reports", KEY, REPORT);
	codec_hex_encode(hex, fake_pg_call()->params[4].at, fake_pg_param_length(4));
	requests_answer(&requests, 201, STORED);
	snprintf(first, sizeof(first), "%s", value_get_string(requests.json, "receipt"));
	snprintf(body, sizeof(body), "{\"report\":\"" ID "\",\"sealed_receipt\":\"%s\"}", hex);
	requests_send(&requests, "POST /v1/reports", KEY, REPORT);
	requests_answer(&requests, 201, body);
	ck_assert_str_eq(value_get_string(requests.json, "receipt"), first);
	ck_assert_ptr_null(value_get(requests.json, "sealed_receipt"));
	/* Under another key the seal does not open: that cannot be, and says nothing. */
	requests_send(&requests, "POST /v1/reports",
		      "Idempotency-Key: zzzzzzzzzzzzzzzzzzzzzzzz\r\n", REPORT);
	requests_answer(&requests, 201, body);
	ck_assert_int_eq(requests.status, 500);
	requests_deinit(&requests);
}
END_TEST

START_TEST(refusals_come_in_their_order)
{
	requests_init(&requests);
	requests_send(&requests, "POST /v1/reports", "Authorization: Bearer x\r\n", "{");
	ck_assert_int_eq(requests.status, 400);
	ck_assert_str_eq(requests_error(&requests), "conduct-malformed-json");
	requests_send(&requests, "POST /v1/reports", "Authorization: Bearer x\r\n", "{}");
	ck_assert_str_eq(requests_error(&requests), "conduct-idempotency-key-missing");
	requests_send(&requests, "POST /v1/reports", "Authorization: Bearer x\r\n" KEY, "{}");
	ck_assert_int_eq(requests.status, 401);
	requests_send(&requests, "POST /v1/reports", FULL KEY, "{}");
	ck_assert_int_eq(requests.status, 422);
	ck_assert_uint_eq(value_count(value_get(requests.json, "errors")), 3);
	ck_assert_str_eq(value_get_string(requests.json, "detail"),
			 "The request has 3 faults; see errors.");
	requests_deinit(&requests);
}
END_TEST

START_TEST(everybody_may_report)
{
	static const char *const who[] = { "", FULL, REPORT_ONLY, RECEIPT };

	requests_init(&requests);
	for (size_t i = 0; i < ARRAY_SIZE(who); i++) {
		char headers[256];

		snprintf(headers, sizeof(headers), "%s" KEY, who[i]);
		requests_send(&requests, "POST /v1/reports", headers, REPORT);
		ck_assert_str_eq(fake_pg_statement(), "submit_report");
		ck_assert_int_eq(strcmp(fake_pg_param(0), "null") == 0, i == 0 || i == 3);
		requests_answer(&requests, 201, STORED);
		ck_assert_int_eq(requests.status, 201);
	}
	requests_deinit(&requests);
}
END_TEST

START_TEST(one_key_of_two_people_is_two_keys)
{
	char mine[32];

	requests_init(&requests);
	requests_send(&requests, "POST /v1/reports", FULL KEY, REPORT);
	memcpy(mine, fake_pg_call()->params[2].at, sizeof(mine));
	requests_answer(&requests, 201, STORED);
	requests_send(&requests, "POST /v1/reports", RECEIPT KEY, REPORT);
	ck_assert_int_ne(memcmp(mine, fake_pg_call()->params[2].at, sizeof(mine)), 0);
	requests_answer(&requests, 201, STORED);
	requests_deinit(&requests);
}
END_TEST

START_TEST(an_emergency_needs_neither_key_nor_good_credentials)
{
	requests_init(&requests);
	requests_send(&requests, "POST /v1/reports", "Authorization: Bearer forged\r\n", EMERGENCY);
	ck_assert_str_eq(fake_pg_statement(), "submit_report");
	ck_assert_int_eq(fake_pg_call()->lane, PG_LANE_EMERGENCY);
	ck_assert_str_eq(fake_pg_param(0), "null");
	ck_assert_str_eq(fake_pg_param(2), "null");
	ck_assert_str_eq(fake_pg_param(4), "null");
	ck_assert_ptr_nonnull(strstr(fake_pg_param(5), "\"unverified\":true"));
	requests_answer(&requests, 201,
			"{\"report\":\"" ID "\",\"state\":\"escalated\",\"lane\":\"emergency\"}");
	ck_assert_int_eq(requests.status, 201);
	ck_assert_ptr_nonnull(value_get_string(value_get(requests.json, "notice"), "text"));
	/* Help comes first. */
	ck_assert_int_eq(strncmp(requests.exchange->reply->body.at, "{\"resources\":", 13), 0);
	requests_send(&requests, "POST /v1/reports", "Idempotency-Key: short\r\n", EMERGENCY);
	ck_assert_str_eq(fake_pg_param(2), "null");
	requests_answer(&requests, 201, STORED);
	requests_deinit(&requests);
}
END_TEST

START_TEST(an_emergency_without_database_still_says_where_help_is)
{
	const struct value *notice;

	requests_init(&requests);
	requests_send(&requests, "POST /v1/reports", "Accept-Language: de\r\n", EMERGENCY);
	requests_refuse(&requests, PG_UNAVAILABLE, 503, "conduct-error-unavailable", NULL);
	ck_assert_int_eq(requests.status, 503);
	notice = value_get(requests.json, "notice");
	ck_assert_str_eq(value_get_string(notice, "lang"), "de");
	ck_assert_ptr_nonnull(strstr(value_get_string(notice, "text"), "Notruf"));
	ck_assert(value_is(value_get(requests.json, "resources"), VALUE_ARRAY));
	ck_assert(requests_has_header(&requests, "Retry-After: 1\r\n"));
	requests_send(&requests, "POST /v1/reports", KEY, EMERGENCY);
	requests_answer(&requests, 500, "{\"errorKey\":\"conduct-internal\"}");
	ck_assert_int_eq(requests.status, 503);
	ck_assert_ptr_nonnull(value_get(requests.json, "notice"));
	requests_deinit(&requests);
}
END_TEST

START_TEST(a_standard_report_without_database_or_policy_is_a_plain_503)
{
	requests_init(&requests);
	requests_send(&requests, "POST /v1/reports", KEY, REPORT);
	requests_refuse(&requests, PG_UNKNOWN, 503, "conduct-error-outcome-unknown", NULL);
	ck_assert_int_eq(requests.status, 503);
	ck_assert_str_eq(requests_error(&requests), "conduct-unknown-outcome");
	ck_assert_ptr_null(value_get(requests.json, "notice"));
	handlers_swap_policy_take(&requests.handlers, NULL);
	requests_send(&requests, "POST /v1/reports", KEY, REPORT);
	ck_assert_int_eq(requests.status, 503);
	requests_send(&requests, "POST /v1/reports", "", EMERGENCY);
	ck_assert_str_eq(fake_pg_statement(), "submit_report");
	requests_answer(&requests, 201, STORED);
	requests_deinit(&requests);
}
END_TEST

START_TEST(what_the_database_refuses_is_passed_on)
{
	requests_init(&requests);
	requests_send(&requests, "POST /v1/reports", KEY, REPORT);
	requests_answer(&requests, 422,
			"{\"errorKey\":\"conduct-idempotency-key-reused\",\"params\":{}}");
	ck_assert_int_eq(requests.status, 422);
	ck_assert_str_eq(requests_error(&requests), "conduct-idempotency-key-reused");
	ck_assert(value_is(value_get(requests.json, "errors"), VALUE_ARRAY));
	requests_deinit(&requests);
}
END_TEST

SUITE("handlers/reports", a_report_is_stored_and_its_receipt_shown,
      a_replay_shows_the_first_receipt, refusals_come_in_their_order, everybody_may_report,
      one_key_of_two_people_is_two_keys, an_emergency_needs_neither_key_nor_good_credentials,
      an_emergency_without_database_still_says_where_help_is,
      a_standard_report_without_database_or_policy_is_a_plain_503,
      what_the_database_refuses_is_passed_on)
