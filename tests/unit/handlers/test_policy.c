/* The policy for everybody: from memory, with tags, and old versions byte for byte. */

#include "api/http/shared.h"
#include "tests/unit/handlers/requests.h"
#include "tests/unit/suite.h"

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct requests requests;

START_TEST(the_policy_of_a_wiki_is_public_and_tagged)
{
	char header[128];

	requests_init(&requests);
	requests_send(&requests, "GET /v1/policy?wiki=enwiki&lang=de", "", NULL);
	ck_assert_int_eq(requests.status, 200);
	ck_assert_str_eq(value_get_string(requests.json, "wiki"), "enwiki");
	ck_assert(requests.exchange->reply->is_public);
	ck_assert(requests_has_header(&requests, "Vary: Accept-Language\r\n"));
	snprintf(header, sizeof(header), "If-None-Match: %s\r\n", requests.exchange->reply->tag);
	requests_send(&requests, "GET /v1/policy?wiki=enwiki&lang=de", header, NULL);
	ck_assert_int_eq(requests.status, 304);
	requests_send(&requests, "GET /v1/policy?wiki=dewiki&lang=de", header, NULL);
	ck_assert_int_eq(requests.status, 200);
	requests_deinit(&requests);
}
END_TEST

START_TEST(without_wiki_it_is_the_base_layer)
{
	requests_init(&requests);
	requests_send(&requests, "GET /v1/policy", "", NULL);
	ck_assert_int_eq(requests.status, 200);
	ck_assert(value_is(value_get(requests.json, "wiki"), VALUE_NULL));
	requests_deinit(&requests);
}
END_TEST

static const struct shared *shown(const char *target, const char *headers)
{
	requests_send(&requests, target, headers, NULL);
	ck_assert_int_eq(requests.status, 200);
	ck_assert_ptr_nonnull(requests.exchange->reply->shared);
	return requests.exchange->reply->shared;
}

START_TEST(what_means_the_same_is_rendered_once)
{
	const struct shared *first;

	requests_init(&requests);
	first = shown("GET /v1/policy?wiki=enwiki&lang=de", "");
	ck_assert_ptr_eq(shown("GET /v1/policy?wiki=enwiki&lang=de", ""), first);
	ck_assert_ptr_eq(shown("GET /v1/policy?lang=DE&wiki=enwiki", ""), first);
	ck_assert_ptr_eq(shown("GET /v1/policy?lang=de&wiki=enwiki", "Accept-Language: xx\r\n"),
			 first);
	ck_assert_ptr_ne(shown("GET /v1/policy?wiki=enwiki&lang=ar", ""), first);
	ck_assert_ptr_ne(shown("GET /v1/policy?wiki=dewiki&lang=de", ""), first);
	ck_assert_ptr_ne(shown("GET /v1/policy?lang=de", ""), first);
	requests_deinit(&requests);
}
END_TEST

/* More documents than there is room for: every answer is the right one all the same. */
START_TEST(the_cache_mixes_nothing_up)
{
	char target[128], wanted[64];

	requests_init(&requests);
	for (size_t i = 0; i < 160; i++) {
		const struct policy_wiki *wiki = policy_set_wiki_at(requests.handlers.policy,
								    i % 80);

		snprintf(target, sizeof(target), "GET /v1/policy?wiki=%s&lang=%s", wiki->dbname,
			 i % 3 ? "de" : "en");
		snprintf(wanted, sizeof(wanted), "\"wiki\":\"%s\"", wiki->dbname);
		ck_assert_ptr_nonnull(strstr(shown(target, "")->bytes.at, wanted));
	}
	requests_deinit(&requests);
}
END_TEST

START_TEST(another_set_is_never_answered_from_the_last_one)
{
	requests_init(&requests);
	(void)shown("GET /v1/policy?wiki=enwiki", "");
	handlers_swap_policy_take(&requests.handlers, NULL);
	requests_send(&requests, "GET /v1/policy?wiki=enwiki", "", NULL);
	ck_assert_int_eq(requests.status, 503);
	requests_deinit(&requests);
}
END_TEST

START_TEST(what_is_unknown_is_said)
{
	requests_init(&requests);
	requests_send(&requests, "GET /v1/policy?wiki=nosuchwiki", "", NULL);
	ck_assert_int_eq(requests.status, 404);
	ck_assert_str_eq(requests_error(&requests), "conduct-unknown-wiki");
	requests_send(&requests, "GET /v1/policy?page=2", "", NULL);
	ck_assert_int_eq(requests.status, 400);
	requests_send(&requests, "GET /v1/policy/rules/ucoc/9.9/none", "", NULL);
	ck_assert_int_eq(requests.status, 404);
	requests_send(&requests, "POST /v1/policy", "", NULL);
	ck_assert_int_eq(requests.status, 405);
	requests_deinit(&requests);
}
END_TEST

START_TEST(a_rule_is_found_by_its_id_with_slashes)
{
	requests_init(&requests);
	requests_send(&requests, "GET /v1/policy/rules/ucoc/3.1/doxing?lang=ar", "", NULL);
	ck_assert_int_eq(requests.status, 200);
	ck_assert_str_eq(value_get_string(requests.json, "id"), "ucoc/3.1/doxing");
	requests_deinit(&requests);
}
END_TEST

START_TEST(before_a_set_is_read_it_is_503)
{
	requests_init(&requests);
	handlers_swap_policy_take(&requests.handlers, NULL);
	requests_send(&requests, "GET /v1/policy", "", NULL);
	ck_assert_int_eq(requests.status, 503);
	ck_assert(requests_has_header(&requests, "Retry-After: "));
	requests_deinit(&requests);
}
END_TEST

START_TEST(versions_are_listed)
{
	requests_init(&requests);
	requests_send(&requests, "GET /v1/policy/versions", "", NULL);
	ck_assert_str_eq(fake_pg_statement(), "policy_versions");
	requests_answer(&requests, 200, "{\"items\":[]}");
	ck_assert_int_eq(requests.status, 200);
	ck_assert(value_is(value_get(requests.json, "next"), VALUE_NULL));
	requests_deinit(&requests);
}
END_TEST

START_TEST(an_old_version_is_served_byte_for_byte)
{
	requests_init(&requests);
	requests_send(&requests, "GET /v1/policy/versions/" SHA, "", NULL);
	ck_assert_str_eq(fake_pg_statement(), "policy_version");
	ck_assert_str_eq(fake_pg_param(0), SHA);
	requests_answer(&requests, 200, "{\"canonical\":\"{\\\"b\\\":1,  \\\"a\\\":2}\"}");
	ck_assert_str_eq(requests.exchange->reply->body.at, "{\"b\":1,  \"a\":2}");
	ck_assert_str_eq(requests.exchange->reply->tag, "\"" SHA "\"");
	requests_send(&requests, "GET /v1/policy/versions/" SHA, "", NULL);
	requests_refuse(&requests, PG_REFUSED, 404, "conduct-not-found", NULL);
	ck_assert_int_eq(requests.status, 404);
	ck_assert(!requests.exchange->reply->is_public);
	requests_deinit(&requests);
}
END_TEST

START_TEST(what_is_no_version_is_not_looked_up)
{
	requests_init(&requests);
	requests_send(&requests, "GET /v1/policy/versions/latest", "", NULL);
	ck_assert_int_eq(requests.status, 404);
	requests_send(&requests,
		      "GET /v1/policy/versions/"
		      "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
		      "", NULL);
	ck_assert_int_eq(requests.status, 404);
	ck_assert_uint_eq(fake_pg_count(), 0);
	requests_deinit(&requests);
}
END_TEST

SUITE("handlers/policy", the_policy_of_a_wiki_is_public_and_tagged,
      without_wiki_it_is_the_base_layer, what_means_the_same_is_rendered_once,
      the_cache_mixes_nothing_up, another_set_is_never_answered_from_the_last_one,
      what_is_unknown_is_said, a_rule_is_found_by_its_id_with_slashes,
      before_a_set_is_read_it_is_503, versions_are_listed, an_old_version_is_served_byte_for_byte,
      what_is_no_version_is_not_looked_up)
