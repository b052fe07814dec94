/* Which requests a page of our own has made. */

#include "api/auth/origin.h"
#include "api/http/reply.h"
#include "tests/unit/suite.h"

#define OWN "https://conduct.example"

static void deliver(struct exchange *exchange)
{
	(void)exchange;
}

static bool is_same(const char *configured, const char *host, const char *site, const char *origin)
{
	static const struct exchange_gate gate;
	struct exchange *exchange;
	bool is;

	ck_assert_int_eq(exchange_new(&gate, NULL, deliver, &exchange), 0);
	exchange->headers[HTTP_HEADER_HOST] = slice_of(host);
	if (site)
		exchange->headers[HTTP_HEADER_SEC_FETCH_SITE] = slice_of(site);
	if (origin)
		exchange->headers[HTTP_HEADER_ORIGIN] = slice_of(origin);
	is = origin_is_same(configured, exchange);
	exchange_free(exchange);
	return is;
}

START_TEST(browsers_say_where_a_request_comes_from)
{
	ck_assert(is_same(OWN, "conduct.example", "same-origin", OWN));
	ck_assert(is_same(OWN, "conduct.example", "same-origin", NULL));
	ck_assert(is_same(OWN, "conduct.example", NULL, OWN));
	ck_assert(is_same(OWN, "127.0.0.1:8480", NULL, OWN));
}
END_TEST

START_TEST(whoever_says_nothing_or_two_things_is_somebody_else)
{
	static const char *const sites[] = {
		"cross-site", "same-site", "none", "", "Same-Origin", "same-origin, same-origin"
	};
	static const char *const origins[] = { "null",
					       "https://conduct.example:443",
					       "http://conduct.example",
					       "",
					       "https://conduct.example/",
					       "https://CONDUCT.example",
					       "https://evil.",
					       "https://conduct.example.evil",
					       "https://xconduct.example",
					       "conduct.example" };

	ck_assert(!is_same(OWN, "conduct.example", NULL, NULL));
	for (size_t i = 0; i < ARRAY_SIZE(sites); i++) {
		ck_assert(!is_same(OWN, "conduct.example", sites[i], NULL));
		ck_assert(!is_same(OWN, "conduct.example", sites[i], OWN));
	}
	for (size_t i = 0; i < ARRAY_SIZE(origins); i++) {
		ck_assert(!is_same(OWN, "conduct.example", NULL, origins[i]));
		ck_assert(!is_same(OWN, "conduct.example", "same-origin", origins[i]));
	}
}
END_TEST

START_TEST(without_a_configured_origin_host_says_it_on_loopback_alone)
{
	ck_assert(is_same("", "127.0.0.1:8480", NULL, "http://127.0.0.1:8480"));
	ck_assert(is_same(NULL, "localhost:8480", NULL, "http://localhost:8480"));
	ck_assert(is_same("", "[::1]:8480", NULL, "http://[::1]:8480"));
	ck_assert(!is_same("", "127.0.0.1:8480", NULL, "http://localhost:8480"));
	ck_assert(!is_same("", "conduct.example", NULL, "http://conduct.example"));
	ck_assert(!is_same("", "conduct.example", NULL, "https://conduct.example"));
}
END_TEST

START_TEST(loopback_is_an_address_or_localhost)
{
	static const char *const yes[] = { "127.0.0.1",    "127.0.0.1:1", "127.9.9.9", "localhost",
					   "LOCALHOST:80", "[::1]",       "[::1]:8480" };
	static const char *const no[] = { "",
					  "127.0.0.1.evil.example",
					  "localhost.evil.example",
					  "[::1",
					  "[::2]",
					  "10.0.0.1",
					  "127.evil",
					  "127.",
					  "[::1]x" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		ck_assert_msg(origin_is_loopback(slice_of(yes[i])), "%s", yes[i]);
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		ck_assert_msg(!origin_is_loopback(slice_of(no[i])), "%s", no[i]);
}
END_TEST

SUITE("auth/origin", browsers_say_where_a_request_comes_from,
      whoever_says_nothing_or_two_things_is_somebody_else,
      without_a_configured_origin_host_says_it_on_loopback_alone,
      loopback_is_an_address_or_localhost)
