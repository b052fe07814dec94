/* Budgets of accounts and networks, overload, and what is never limited. */

#include "api/http/limits.h"
#include "api/http/reply.h"
#include "tests/unit/suite.h"

enum { START = 20000 * 86400 + 600 };

static struct page *page;
static struct limits limits;
static struct exchange_gate gate;
static int64_t clock_s;
static bool is_full;
static const char *account; /* of who asks next */
static struct client_range onion;

static int64_t now_s(void)
{
	return clock_s;
}

static struct slice subject(const struct exchange *exchange)
{
	return account ? slice_of(account) : (struct slice){ NULL, 0 };
}

static bool is_overloaded(void *context)
{
	return is_full;
}

static void authenticate(void *context, struct exchange *exchange, enum audience audience,
			 void (*next)(struct exchange *exchange))
{
	struct slice header = exchange->headers[HTTP_HEADER_AUTHORIZATION];

	if (header.at && strcmp(header.at, "Bearer bad") == 0)
		exchange_refuse(exchange, 401, "conduct-unauthorized");
	else
		next(exchange);
}

static void setup(void)
{
	ck_assert_int_eq(page_new(&page), 0);
	ck_assert_int_eq(budget_turn_keys(page->budgets, START / 86400), 0);
	ck_assert_int_eq(client_range_read("10.8.0.0/16", &onion), 0);
	limits = (struct limits){
		.table = page->budgets,
		.most = { 50, 10, 5, 3, 4, 2 },
		.shared_factor = 2,
		.shared = { &onion, 1 },
		.n_refused = page->web[0].n_limited,
		.now_s = now_s,
	};
	gate = (struct exchange_gate){ .authenticate = authenticate,
				       .subject = subject,
				       .is_overloaded = is_overloaded,
				       .n_overloaded = &page->web[0].n_overloaded,
				       .limits = &limits };
	clock_s = START;
	is_full = false;
	account = NULL;
}

static void teardown(void)
{
	page = page_free(page);
}

static void deliver(struct exchange *exchange)
{
}

static void handle(struct exchange *exchange)
{
	exchange_reply_empty(exchange, 204);
}

static const struct route route = {
	HTTP_GET, "/v1/cases", AUDIENCE_ACCOUNT, 0, 0, handle, { NULL }
};
static const struct route login = { HTTP_GET,      "/v1/auth/start", AUDIENCE_PUBLIC, 0,
				    ROUTE_COUNTED, handle,           { NULL } };

static struct exchange *make(const char *address)
{
	struct exchange *exchange;

	ck_assert_int_eq(exchange_new(&gate, NULL, deliver, &exchange), 0);
	ck_assert_int_eq(client_address_read(slice_of(address), &exchange->client), 0);
	exchange->route = &route;
	exchange->method = HTTP_GET;
	return exchange;
}

/* The status that a report would get: 201 when it may be stored. */
static int report(const char *address, const char *key)
{
	struct exchange *exchange = make(address);
	int status = 201;

	if (account)
		exchange->subject = slice_of(account);
	if (!limits_take_report(exchange, key ? slice_of(key) : (struct slice){ NULL, 0 }))
		status = exchange->reply->status;
	exchange_free(exchange);
	return status;
}

static int ask(const char *address, enum http_method method, const char *authorization)
{
	struct exchange *exchange = make(address);
	int status;

	exchange->method = method;
	if (authorization)
		exchange->headers[HTTP_HEADER_AUTHORIZATION] = slice_of(authorization);
	exchange_authenticate(exchange, AUDIENCE_ACCOUNT, handle);
	status = exchange->reply->status;
	exchange_free(exchange);
	return status;
}

START_TEST(a_network_reports_ten_times_an_hour)
{
	char key[16];

	for (int i = 0; i < 10; i++) {
		snprintf(key, sizeof(key), "key %d", i);
		ck_assert_int_eq(report(i % 2 ? "192.0.2.1" : "::ffff:192.0.2.77", key), 201);
	}
	ck_assert_int_eq(report("192.0.2.200", "one more"), 429);
	ck_assert_int_eq(report("192.0.3.1", "another network"), 201);
	ck_assert_uint_eq(atomic_load(&page->web[0].n_limited[LIMIT_REPORTS_NETWORK]), 1);
	clock_s += 3600;
	ck_assert_int_eq(report("192.0.2.200", "the next hour"), 201);
}
END_TEST

START_TEST(an_ipv6_network_is_a_64)
{
	char address[64];

	for (int i = 0; i < 10; i++) {
		snprintf(address, sizeof(address), "2001:db8:1:2:%x::1", i);
		ck_assert_int_eq(report(address, NULL), 201);
	}
	ck_assert_int_eq(report("2001:db8:1:2:ffff::", NULL), 429);
	ck_assert_int_eq(report("2001:db8:1:3::1", NULL), 201);
}
END_TEST

START_TEST(an_account_reports_fifty_times_a_day_from_wherever_it_is)
{
	char address[32];

	account = "ada";
	for (int i = 0; i < 50; i++) {
		snprintf(address, sizeof(address), "192.0.%d.1", i);
		ck_assert_int_eq(report(address, NULL), 201);
	}
	ck_assert_int_eq(report("198.51.100.1", NULL), 429);
	clock_s += 3600;
	ck_assert_int_eq(report("198.51.100.1", NULL), 429);
	/* Others of the same network have their own. */
	account = NULL;
	ck_assert_int_eq(report("192.0.0.1", NULL), 201);
	account = "bob";
	ck_assert_int_eq(report("192.0.0.1", NULL), 201);
	account = "ada";
	clock_s += 86400 - 3600;
	ck_assert_int_eq(report("198.51.100.1", NULL), 201);
}
END_TEST

START_TEST(a_shared_network_has_a_larger_budget_of_its_own)
{
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(report("10.8.0.1", NULL), 201);
	ck_assert_int_eq(report("10.8.0.1", NULL), 429);
	ck_assert_int_eq(report("10.9.0.1", NULL), 201);
}
END_TEST

START_TEST(a_key_counts_once)
{
	for (int i = 0; i < 30; i++)
		ck_assert_int_eq(report("192.0.2.1", "the same key"), 201);
	for (int i = 0; i < 9; i++)
		ck_assert_int_eq(report("192.0.2.1", NULL), 201);
	ck_assert_int_eq(report("192.0.2.1", "another key"), 429);
	/* What was stored is rendered again also when nothing is left. */
	ck_assert_int_eq(report("192.0.2.1", "the same key"), 201);
	/* A refused key has not been used. */
	ck_assert_int_eq(report("192.0.2.1", "another key"), 429);
	clock_s += 3600;
	ck_assert_int_eq(report("192.0.2.1", "another key"), 201);
}
END_TEST

START_TEST(a_report_that_was_refused_does_not_count)
{
	for (int i = 0; i < 30; i++) {
		struct exchange *exchange = make("192.0.2.1");

		ck_assert(limits_take_report(exchange, SLICE("a key")));
		limits_return_report(exchange);
		limits_return_report(exchange);
		exchange_free(exchange);
	}
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(report("192.0.2.1", NULL), 201);
	ck_assert_int_eq(report("192.0.2.1", "a key"), 429);
}
END_TEST

START_TEST(answers_tell_what_is_left_and_until_when)
{
	struct exchange *exchange = make("192.0.2.1");

	ck_assert(limits_take_report(exchange, SLICE("k")));
	exchange_reply_empty(exchange, 201);
	ck_assert_str_eq(exchange->reply->headers.at,
			 "RateLimit-Policy: \"reports-network\";q=10;w=3600\r\n"
			 "RateLimit: \"reports-network\";r=9;t=3000\r\n");
	exchange_free(exchange);
	for (int i = 1; i < 10; i++)
		ck_assert_int_eq(report("192.0.2.1", NULL), 201);
	exchange = make("192.0.2.1");
	ck_assert(!limits_take_report(exchange, SLICE("l")));
	ck_assert_int_eq(exchange->reply->status, 429);
	ck_assert_str_eq(exchange->reply->headers.at,
			 "RateLimit-Policy: \"reports-network\";q=10;w=3600\r\n"
			 "RateLimit: \"reports-network\";r=0;t=3000\r\n"
			 "Retry-After: 3000\r\n");
	ck_assert_ptr_nonnull(strstr(exchange->reply->body.at, "conduct-report-limit"));
	exchange_free(exchange);
}
END_TEST

START_TEST(reads_and_acts_have_budgets_a_minute)
{
	account = "ada";
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(ask("192.0.2.1", HTTP_GET, "Bearer good"), 204);
	ck_assert_int_eq(ask("203.0.113.1", HTTP_GET, "Bearer good"), 429);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(ask("192.0.2.1", HTTP_POST, "Bearer good"), 204);
	ck_assert_int_eq(ask("192.0.2.1", HTTP_POST, "Bearer good"), 429);
	clock_s += 60;
	ck_assert_int_eq(ask("192.0.2.1", HTTP_POST, "Bearer good"), 204);
}
END_TEST

START_TEST(credentials_that_do_not_hold_are_tried_a_few_times)
{
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(ask("192.0.2.1", HTTP_GET, "Bearer bad"), 401);
	ck_assert_int_eq(ask("192.0.2.1", HTTP_GET, "Bearer bad"), 429);
	ck_assert_int_eq(ask("192.0.2.1", HTTP_GET, NULL), 204);
	ck_assert_int_eq(ask("192.0.3.1", HTTP_GET, "Bearer bad"), 401);
}
END_TEST

START_TEST(receipts_are_guessed_a_few_times)
{
	for (int i = 0; i < 4; i++) {
		struct exchange *exchange = make("192.0.2.1");

		exchange->headers[HTTP_HEADER_AUTHORIZATION] = SLICE("Receipt ABCDE");
		exchange_refuse(exchange, 404, "conduct-not-found");
		exchange_free(exchange);
	}
	ck_assert_int_eq(ask("192.0.2.9", HTTP_GET, "Receipt ABCDE"), 429);
	ck_assert_int_eq(ask("192.0.2.9", HTTP_GET, "Bearer good"), 204);
	ck_assert_int_eq(ask("192.0.3.9", HTTP_GET, "Receipt ABCDE"), 204);
}
END_TEST

START_TEST(an_emergency_is_never_limited)
{
	is_full = true;
	for (int i = 0; i < 100; i++) {
		struct exchange *exchange = make("192.0.2.1");

		exchange->method = HTTP_POST;
		exchange->headers[HTTP_HEADER_AUTHORIZATION] = SLICE("Receipt ABCDE");
		exchange->reply->is_reserve = true;
		if (i % 2)
			exchange->params[0] = SLICE("open_emergency");
		limits_note(exchange, LIMIT_RECEIPTS);
		limits_note(exchange, LIMIT_AUTH);
		exchange_authenticate(exchange, i % 2 ? AUDIENCE_PARTY : AUDIENCE_EMERGENCY,
				      handle);
		ck_assert_int_eq(exchange->reply->status, 204);
		exchange_free(exchange);
	}
}
END_TEST

START_TEST(overload_asks_everybody_else_to_come_back)
{
	struct exchange *exchange = make("192.0.2.1");

	is_full = true;
	exchange_authenticate(exchange, AUDIENCE_ACCOUNT, handle);
	ck_assert_int_eq(exchange->reply->status, 503);
	ck_assert_ptr_nonnull(strstr(exchange->reply->headers.at, "Retry-After: "));
	ck_assert_uint_eq(atomic_load(&page->web[0].n_overloaded), 1);
	exchange_free(exchange);
	is_full = false;
	exchange = make("192.0.2.1");
	exchange->reply->is_reserve = true;
	exchange_authenticate(exchange, AUDIENCE_REPORTER, handle);
	ck_assert_int_eq(exchange->reply->status, 503);
	exchange_free(exchange);
}
END_TEST

START_TEST(logins_are_counted_though_nobody_is_known_yet)
{
	for (int i = 0; i < 3; i++) {
		struct exchange *exchange = make("192.0.2.1");

		exchange->route = &login;
		ck_assert_int_eq(exchange_admit_public(exchange), i < 2);
		ck_assert_int_eq(exchange->reply->status, i < 2 ? 0 : 429);
		exchange_free(exchange);
	}
}
END_TEST

START_TEST(nothing_is_limited_without_limits)
{
	memset(limits.most, 0, sizeof(limits.most));
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(report("192.0.2.1", NULL), 201);
		ck_assert_int_eq(ask("192.0.2.1", HTTP_GET, "Bearer bad"), 401);
	}
}
END_TEST

START_TEST(the_table_holds_no_address)
{
	static const uint8_t address[] = { 0xc6, 0x33, 0x64 };
	uint8_t network[CLIENT_NETWORK_SIZE];
	struct exchange *exchange = make("198.51.100.7");

	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(report("198.51.100.7", "k"), 201);
	client_network(&exchange->client, network);
	ck_assert_mem_eq(network + 1, address, sizeof(address));
	ck_assert_ptr_null(memmem(page, sizeof(*page), network, sizeof(network)));
	ck_assert_ptr_null(memmem(page, sizeof(*page), &exchange->client, 16));
	exchange_free(exchange);
}
END_TEST

SUITE_EACH("http/limits", setup, teardown, a_network_reports_ten_times_an_hour,
	   an_ipv6_network_is_a_64, an_account_reports_fifty_times_a_day_from_wherever_it_is,
	   a_shared_network_has_a_larger_budget_of_its_own, a_key_counts_once,
	   a_report_that_was_refused_does_not_count, answers_tell_what_is_left_and_until_when,
	   reads_and_acts_have_budgets_a_minute, credentials_that_do_not_hold_are_tried_a_few_times,
	   receipts_are_guessed_a_few_times, an_emergency_is_never_limited,
	   overload_asks_everybody_else_to_come_back, logins_are_counted_though_nobody_is_known_yet,
	   nothing_is_limited_without_limits, the_table_holds_no_address)
