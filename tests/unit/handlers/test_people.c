/* The person who asks, bodies, and roles granted. */

#include "tests/unit/handlers/requests.h"
#include "tests/unit/suite.h"

static struct requests requests;

START_TEST(a_person_asks_about_themselves)
{
	requests_init(&requests);
	requests_send(&requests, "GET /v1/me", FULL, NULL);
	ck_assert_str_eq(fake_pg_statement(), "me");
	requests_answer(&requests, 200, "{\"person\":null}");
	ck_assert_int_eq(requests.status, 200);
	requests_send(&requests, "GET /v1/me/participations", FULL, NULL);
	ck_assert_str_eq(fake_pg_statement(), "me_participations");
	requests_answer(&requests, 200, "{\"items\":[]}");
	requests_send(&requests, "GET /v1/me", RECEIPT, NULL);
	ck_assert_int_eq(requests.status, 401);
	requests_deinit(&requests);
}
END_TEST

START_TEST(a_body_is_shown_by_its_id)
{
	requests_init(&requests);
	requests_send(&requests, "GET /v1/bodies/u4c", FULL, NULL);
	ck_assert_str_eq(fake_pg_param(1), "u4c");
	requests_answer(&requests, 200, "{\"id\":\"u4c\"}");
	requests_send(&requests, "GET /v1/bodies/U4C%27", FULL, NULL);
	ck_assert_str_eq(fake_pg_param(1), "");
	requests_refuse(&requests, PG_REFUSED, 404, "conduct-not-found", NULL);
	ck_assert_int_eq(requests.status, 404);
	requests_deinit(&requests);
}
END_TEST

START_TEST(a_role_is_granted_by_name_without_keeping_it)
{
	requests_init(&requests);
	requests_send(&requests, "POST /v1/admin/grants", FULL KEY,
		      "{\"person\":{\"user\":\"Ada\"},\"role\":\"steward\",\"body\":\"stewards\","
		      "\"from\":\"2026-11-20T10:00:00Z\",\"until\":\"2027-11-20T10:00:00Z\"}");
	ck_assert_str_eq(fake_pg_statement(), "grant_add");
	ck_assert_ptr_nonnull(strstr(fake_pg_param(3), "name_ix"));
	ck_assert_ptr_null(strstr(fake_pg_param(3), "Ada"));
	ck_assert_str_eq(fake_pg_param(4), "{}");
	requests_answer(&requests, 201, "{\"id\":\"" ID "\"}");
	ck_assert_int_eq(requests.status, 201);
	requests_deinit(&requests);
}
END_TEST

START_TEST(a_grant_is_ended_with_or_without_a_key)
{
	requests_init(&requests);
	requests_send(&requests, "DELETE /v1/admin/grants/" ID, FULL, NULL);
	ck_assert_str_eq(fake_pg_statement(), "grant_end");
	ck_assert_str_eq(fake_pg_param(1), ID);
	ck_assert_str_eq(fake_pg_param(2), "null");
	requests_answer(&requests, 204, "{}");
	ck_assert_int_eq(requests.status, 204);
	ck_assert_uint_eq(requests.exchange->reply->body.length, 0);
	requests_send(&requests, "DELETE /v1/admin/grants/" ID, FULL KEY, NULL);
	ck_assert_uint_eq(fake_pg_param_length(2), 32);
	requests_answer(&requests, 204, "{}");
	requests_send(&requests, "DELETE /v1/admin/grants", FULL,
		      "{\"person\":\"" ID "\",\"role\":\"clerk\",\"body\":\"enwiki-arbcom\"}");
	ck_assert_str_eq(fake_pg_statement(), "grant_end_named");
	requests_answer(&requests, 204, "{}");
	ck_assert_int_eq(requests.status, 204);
	requests_send(&requests, "PUT /v1/admin/grants", FULL, NULL);
	ck_assert_int_eq(requests.status, 405);
	requests_deinit(&requests);
}
END_TEST

SUITE("handlers/people", a_person_asks_about_themselves, a_body_is_shown_by_its_id,
      a_role_is_granted_by_name_without_keeping_it, a_grant_is_ended_with_or_without_a_key)
