/* Exchanges: preconditions, paging, caching and refusals as handlers use them. */

#include "api/http/exchange.h"
#include "api/http/reply.h"

#include "tests/unit/suite.h"
#include <string.h>

static void deliver(struct exchange *exchange)
{
	exchange->state = exchange; /* a mark: delivered */
}

static void handle(struct exchange *exchange)
{
}

static const struct route plain = { HTTP_GET, "/v1/things", AUDIENCE_PUBLIC, 0,
				    0,        handle,       { "lang" } };
static const struct route slotted = { HTTP_GET,   "/v1/cases/{id}", AUDIENCE_PUBLIC, 0,
				      ROUTE_SLOT, handle,           { NULL } };
static const struct route padded = { HTTP_GET,     "/v1/receipt", AUDIENCE_PUBLIC, 0,
				     ROUTE_PADDED, handle,        { NULL } };

static struct exchange *make(const struct route *route)
{
	static const struct exchange_gate gate;
	struct exchange *exchange;

	ck_assert_int_eq(exchange_new(&gate, NULL, deliver, &exchange), 0);
	exchange->route = route;
	exchange->method = HTTP_GET;
	return exchange;
}

static void set_header(struct exchange *exchange, enum http_header_id id, const char *value)
{
	exchange->headers[id] = (struct slice){ value, strlen(value) };
}

static int read_if_match(const char *value, int64_t *ret_revision)
{
	struct exchange *exchange = make(&plain);
	int r;

	if (value)
		set_header(exchange, HTTP_HEADER_IF_MATCH, value);
	r = exchange_read_if_match(exchange, ret_revision);
	exchange_free(exchange);
	return r;
}

START_TEST(if_match_is_one_strong_tag_of_a_revision)
{
	int64_t revision = -1;

	ck_assert_int_eq(read_if_match("\"17\"", &revision), 0);
	ck_assert_int_eq(revision, 17);
	ck_assert_int_eq(read_if_match("\"0\"", &revision), 0);
	ck_assert_int_eq(read_if_match(NULL, &revision), EXCHANGE_E_ABSENT);
	ck_assert_int_eq(read_if_match("*", &revision), EXCHANGE_E_ABSENT);
	ck_assert_int_eq(read_if_match("17", &revision), EXCHANGE_E_STALE);
	ck_assert_int_eq(read_if_match("W/\"17\"", &revision), EXCHANGE_E_STALE);
	ck_assert_int_eq(read_if_match("\"17\", \"18\"", &revision), EXCHANGE_E_STALE);
	ck_assert_int_eq(read_if_match("\"017\"", &revision), EXCHANGE_E_STALE);
	ck_assert_int_eq(read_if_match("\"-1\"", &revision), EXCHANGE_E_STALE);
	ck_assert_int_eq(read_if_match("\"99999999999999999999\"", &revision), EXCHANGE_E_STALE);
	ck_assert_int_eq(read_if_match("\"\"", &revision), EXCHANGE_E_STALE);
	ck_assert_int_eq(revision, 0);
}
END_TEST

/* The status that a 200 with this tag leaves with. */
static int status_for(const char *if_none_match, const char *tag)
{
	struct exchange *exchange = make(&plain);
	int status;

	set_header(exchange, HTTP_HEADER_IF_NONE_MATCH, if_none_match);
	if (tag)
		exchange_set_etag(exchange, tag);
	exchange_reply_bytes(exchange, 200, "text/plain", (struct slice){ "x", 1 });
	status = exchange->reply->status;
	ck_assert_uint_eq(exchange->reply->body.length, status == 304 ? 0 : 1);
	exchange_free(exchange);
	return status;
}

START_TEST(if_none_match_compares_weakly)
{
	ck_assert_int_eq(status_for("\"a\"", "a"), 304);
	ck_assert_int_eq(status_for("W/\"a\"", "a"), 304);
	ck_assert_int_eq(status_for("\"b\", \"a\"", "a"), 304);
	ck_assert_int_eq(status_for("*", "a"), 304);
	ck_assert_int_eq(status_for("\"b\"", "a"), 200);
	ck_assert_int_eq(status_for("a", "a"), 200);
	ck_assert_int_eq(status_for("x\"a\"", "a"), 200);
	ck_assert_int_eq(status_for("*", NULL), 200);
}
END_TEST

START_TEST(limits_are_numbers_from_1_to_100)
{
	static const struct {
		const char *text;
		unsigned limit; /* 0: refused */
	} rows[] = { { "1", 1 },  { "100", 100 }, { "101", 0 }, { "0", 0 },         { "", 0 },
		     { "-1", 0 }, { "1e1", 0 },   { "010", 0 }, { "4294967297", 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct exchange *exchange = make(&plain);
		unsigned limit = 0;

		exchange->query[0] = (struct exchange_query){
			{ "limit", 5 }, { rows[i].text, strlen(rows[i].text) }
		};
		exchange->n_query = 1;
		ck_assert(exchange_read_limit(exchange, &limit) == (rows[i].limit != 0));
		ck_assert_uint_eq(limit, rows[i].limit);
		ck_assert_int_eq(exchange->reply->status, rows[i].limit ? 0 : 400);
		exchange_free(exchange);
	}
}
END_TEST

START_TEST(a_header_cannot_be_split)
{
	struct exchange *exchange = make(&plain);

	exchange_set_header(exchange, "Location", "/x\r\nSet-Cookie: a=b");
	exchange_reply_empty(exchange, 204);
	ck_assert_int_eq(exchange->reply->status, 503);
	ck_assert_ptr_null(strstr(exchange->reply->headers.at, "Set-Cookie"));
	exchange_free(exchange);
}
END_TEST

START_TEST(the_next_page_keeps_the_filters)
{
	struct exchange *exchange = make(&plain);

	exchange->query[0] = (struct exchange_query){ { "wiki", 4 }, { "a&b c", 5 } };
	exchange->query[1] = (struct exchange_query){ { "cursor", 6 }, { "old", 3 } };
	exchange->n_query = 2;
	exchange_set_next(exchange, "new");
	exchange_reply_empty(exchange, 204);
	ck_assert_str_eq(exchange->reply->headers.at,
			 "Link: <?wiki=a%26b%20c&cursor=new>; rel=\"next\"\r\n");
	exchange_free(exchange);
}
END_TEST

START_TEST(padded_routes_answer_in_steps_of_4_kib)
{
	struct exchange *exchange = make(&padded);
	struct value *value = value_new_object();

	exchange_reply_json(exchange, 200, value);
	ck_assert_uint_eq(exchange->reply->body.length, 4096);
	ck_assert_int_eq(exchange->reply->body.at[4095], ' ');
	value_free(value);
	exchange_free(exchange);
}
END_TEST

START_TEST(a_404_of_a_slotted_route_names_no_request)
{
	struct exchange *first = make(&slotted), *second = make(&slotted);

	exchange_refuse(first, 404, "conduct-not-found");
	exchange_refuse(second, 404, "conduct-not-found");
	ck_assert_str_eq(first->reply->body.at, second->reply->body.at);
	ck_assert(first->reply->is_slotted);
	exchange_free(first);
	exchange_free(second);
}
END_TEST

START_TEST(other_refusals_leave_at_once)
{
	struct exchange *exchange = make(&slotted);

	exchange_refuse(exchange, 403, "conduct-forbidden");
	ck_assert(!exchange->reply->is_slotted);
	ck_assert_ptr_nonnull(strstr(exchange->reply->body.at, exchange->request_id));
	exchange_free(exchange);
}
END_TEST

START_TEST(a_refusal_is_never_cached)
{
	struct exchange *exchange = make(&plain);

	exchange_set_public(exchange, 60);
	exchange_set_etag(exchange, "a");
	set_header(exchange, HTTP_HEADER_IF_NONE_MATCH, "\"a\"");
	exchange_refuse(exchange, 404, "conduct-not-found");
	ck_assert(!exchange->reply->is_public);
	ck_assert_int_eq(exchange->reply->status, 404);
	ck_assert_ptr_null(exchange->reply->headers.at ? strstr(exchange->reply->headers.at, "ETag")
						       : NULL);
	exchange_free(exchange);
}
END_TEST

START_TEST(further_members_cannot_replace_the_problem_s_own)
{
	struct exchange *exchange = make(&plain);
	struct value *extra = value_new_object(), *body;

	value_set_string(extra, "status", "200");
	value_set_string(extra, "allowed", "yes");
	exchange_reply_problem(
		exchange, &(struct problem){ .status = 409, .key = "conduct-x", .extra = extra });
	ck_assert_int_eq(value_parse((struct slice){ exchange->reply->body.at,
						     exchange->reply->body.length },
				     &body, NULL),
			 0);
	ck_assert_int_eq(value_integer(value_get(body, "status"), 0), 409);
	ck_assert_str_eq(value_get_string(body, "allowed"), "yes");
	ck_assert_str_eq(value_get_string(body, "detail"), "Conflict");
	value_free(body);
	value_free(extra);
	exchange_free(exchange);
}
END_TEST

START_TEST(a_broken_machine_is_500_and_short_memory_503)
{
	struct exchange *exchange = make(&plain);

	exchange_fail(exchange, -ENOMEM);
	ck_assert_int_eq(exchange->reply->status, 503);
	ck_assert_ptr_nonnull(strstr(exchange->reply->headers.at, "Retry-After: 1\r\n"));
	exchange_free(exchange);
	exchange = make(&plain);
	exchange_fail(exchange, -EIO);
	ck_assert_int_eq(exchange->reply->status, 500);
	ck_assert_ptr_null(strstr(exchange->reply->body.at, "Input/output"));
	exchange_free(exchange);
}
END_TEST

SUITE("http/exchange", if_match_is_one_strong_tag_of_a_revision, if_none_match_compares_weakly,
      limits_are_numbers_from_1_to_100, a_header_cannot_be_split, the_next_page_keeps_the_filters,
      padded_routes_answer_in_steps_of_4_kib, a_404_of_a_slotted_route_names_no_request,
      other_refusals_leave_at_once, a_refusal_is_never_cached,
      further_members_cannot_replace_the_problem_s_own,
      a_broken_machine_is_500_and_short_memory_503)
