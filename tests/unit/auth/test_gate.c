/* The gate with a wiki and a database behind it: tokens that are asked about, and sessions. */

#include "api/auth/actor.h"
#include "api/auth/cookie.h"
#include "api/auth/session.h"
#include "api/http/cors.h"
#include "api/http/reply.h"
#include "daemon/base/codec.h"
#include "daemon/base/text.h"
#include "tests/unit/auth/fake_wiki.h"
#include "tests/unit/auth/forge.h"
#include "tests/unit/cases/fake_pg.h"

#include "tests/unit/suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GADGET "https://en.wikipedia.org"
#define OWN "https://conduct.example"
#define SECRET "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static struct forge forge;
static struct index_key index_key;
static struct actor_gate gate;
static struct exchange_gate exchange_gate;
static struct buffer token;
static struct exchange *exchange;
static char own_wiki; /* any address: the fake asks nobody */

static int64_t now_us(void)
{
	return (int64_t)FORGE_NOW_S * 1000000;
}

static void setup(void)
{
	static const char *const origins[] = { GADGET };
	static const struct cors cors = { origins, 1, NULL };

	forge_init(&forge);
	forge.issuer.is_demo = false;
	ck_assert_int_eq(index_key_new(&index_key), 0);
	gate = (struct actor_gate){ .issuers = forge.issuers,
				    .index_key = &index_key,
				    .wiki = (struct wiki *)(void *)&own_wiki,
				    .own_origin = OWN,
				    .now_us = now_us };
	exchange_gate = (struct exchange_gate){ .authenticate = actor_authenticate,
						.context = &gate,
						.cors = &cors };
	token = (struct buffer)BUFFER_NULL;
	forge_token(forge.key, FORGE_HEADER, FORGE_PAYLOAD, &token);
	fake_pg_reset();
	fake_wiki_reset();
}

static void teardown(void)
{
	exchange = exchange_free(exchange);
	buffer_deinit(&token);
	forge_deinit(&forge);
}

static void deliver(struct exchange *delivered)
{
	(void)delivered;
}

static void admitted(struct exchange *passed)
{
	passed->state = &exchange_gate; /* any mark */
}

static void begin(enum http_method method)
{
	exchange_free(exchange);
	fake_pg_reset();
	ck_assert_int_eq(exchange_new(&exchange_gate, NULL, deliver, &exchange), 0);
	exchange->method = method;
	exchange->headers[HTTP_HEADER_HOST] = text_slice("conduct.example");
}

static void set(enum http_header_id id, const char *format, const char *value)
{
	char *text = arena_printf(exchange->arena, "%s%s", format, value);

	exchange->headers[id] = text_slice(text);
}

static bool is_admitted(void)
{
	ck_assert((exchange->state != NULL) != (exchange->reply->status != 0));
	return exchange->state;
}

static void ask_by_token(enum audience audience)
{
	begin(HTTP_GET);
	set(HTTP_HEADER_AUTHORIZATION, "Bearer ", token.at);
	exchange_authenticate(exchange, audience, admitted);
	ck_assert_ptr_nonnull(fake_wiki_call());
	ck_assert_str_eq(fake_wiki_token(), token.at);
	ck_assert(!fake_pg_call());
}

static void ask_by_cookie(enum http_method method, enum audience audience)
{
	begin(method);
	set(HTTP_HEADER_COOKIE, COOKIE_SESSION "=", SECRET);
	if (method != HTTP_GET)
		set(HTTP_HEADER_SEC_FETCH_SITE, "", "same-origin");
	exchange_authenticate(exchange, audience, admitted);
}

/* The database finds the session of SECRET, which seals `text` as a token. */
static void find(enum session_kind kind, const char *text)
{
	struct session_content content = { text_slice(forge.issuer.iss), text_slice("42"),
					   text_slice(text), FORGE_NOW_S + 600 };
	struct session_secret secret;
	struct slice sealed;
	char *hex, *body;

	ck_assert_str_eq(fake_pg_statement(), "session_find");
	ck_assert_str_eq(fake_pg_param(1), session_kind_name(kind));
	ck_assert_int_eq(session_secret_read(text_slice(SECRET), &secret), 0);
	ck_assert_int_eq(session_seal(exchange->arena, &secret, kind, &content, &sealed), 0);
	hex = arena_alloc(exchange->arena, 2 * sealed.length + 1);
	codec_hex_encode(hex, sealed.at, sealed.length);
	body = arena_printf(exchange->arena, "{\"sealed\":\"%s\"}", hex);
	fake_pg_answer(200, body, NULL, NULL);
}

static void find_nothing(void)
{
	fake_pg_answer(401, "{\"errorKey\":\"conduct-unauthorized\"}", NULL, NULL);
}

START_TEST(a_token_is_good_while_its_wiki_says_so)
{
	ask_by_token(AUDIENCE_ACCOUNT);
	fake_wiki_answer(WIKI_LIVE, "42", "Ada", NULL);
	ck_assert(is_admitted());
	ck_assert(exchange->actor->is_full);
	ck_assert_str_eq(exchange->actor->user.at, "Ada");
	ask_by_token(AUDIENCE_ACCOUNT);
	fake_wiki_answer(WIKI_LIVE, "42", "", NULL);
	ck_assert(is_admitted());
	ck_assert(!exchange->actor->user.at);
	ask_by_token(AUDIENCE_ACCOUNT);
	fake_wiki_answer(WIKI_REFUSED, NULL, NULL, NULL);
	ck_assert(!is_admitted());
	ck_assert_int_eq(exchange->reply->status, 401);
	ask_by_token(AUDIENCE_ACCOUNT);
	fake_wiki_answer(WIKI_LIVE, "43", "Mallory", NULL);
	ck_assert(!is_admitted());
	ck_assert_int_eq(exchange->reply->status, 401);
}
END_TEST

START_TEST(a_wiki_that_is_away_makes_nobody_a_stranger)
{
	ask_by_token(AUDIENCE_REPORTER);
	fake_wiki_answer(WIKI_AWAY, NULL, NULL, NULL);
	ck_assert(!is_admitted());
	ck_assert_int_eq(exchange->reply->status, 503);
	ck_assert_ptr_nonnull(strstr(exchange->reply->headers.at, "Retry-After: 7\r\n"));
	ask_by_token(AUDIENCE_EMERGENCY);
	ck_assert(fake_wiki_call()->is_urgent);
	fake_wiki_answer(WIKI_AWAY, NULL, NULL, NULL);
	ck_assert(is_admitted());
	ck_assert(exchange->actor->is_unverified);
}
END_TEST

START_TEST(a_session_is_worth_its_token)
{
	ask_by_cookie(HTTP_GET, AUDIENCE_ACCOUNT);
	ck_assert_str_eq(fake_pg_param(2), "null");
	find(SESSION_COOKIE, token.at);
	ck_assert_str_eq(fake_wiki_token(), token.at);
	fake_wiki_answer(WIKI_LIVE, "42", "Ada", NULL);
	ck_assert(is_admitted());
	ck_assert(exchange->actor->is_full);
	/* The key was withdrawn meanwhile, or the token forged. */
	ask_by_cookie(HTTP_GET, AUDIENCE_ACCOUNT);
	find(SESSION_COOKIE, "a.b.c");
	ck_assert_ptr_null(fake_wiki_call());
	ck_assert_str_eq(fake_pg_statement(), "session_close");
	fake_pg_answer(204, NULL, NULL, NULL);
	ck_assert(!is_admitted());
	ck_assert_int_eq(exchange->reply->status, 401);
}
END_TEST

START_TEST(a_revoked_account_ends_its_session)
{
	for (int i = 0; i < 2; i++) {
		ask_by_cookie(HTTP_POST, AUDIENCE_ACCOUNT);
		find(SESSION_COOKIE, token.at);
		fake_wiki_answer(WIKI_REFUSED, NULL, NULL, NULL);
		ck_assert_str_eq(fake_pg_statement(), "session_close");
		ck_assert_str_eq(fake_pg_param(1), "false");
		/* Refused whether or not closing came through. */
		if (i)
			fake_pg_answer(204, NULL, NULL, NULL);
		else
			fake_pg_refuse(PG_UNAVAILABLE, 503, "conduct-error-unavailable", NULL);
		ck_assert(!is_admitted());
		ck_assert_int_eq(exchange->reply->status, 401);
	}
	/* A wiki that is away ends nothing. */
	ask_by_cookie(HTTP_POST, AUDIENCE_ACCOUNT);
	find(SESSION_COOKIE, token.at);
	fake_wiki_answer(WIKI_AWAY, NULL, NULL, NULL);
	ck_assert_ptr_null(fake_pg_call());
	ck_assert_int_eq(exchange->reply->status, 503);
}
END_TEST

START_TEST(a_session_that_is_not_there_is_401_and_its_cookie_goes)
{
	ask_by_cookie(HTTP_GET, AUDIENCE_REPORTER);
	find_nothing();
	ck_assert_int_eq(exchange->reply->status, 401);
	ck_assert_ptr_nonnull(strstr(exchange->reply->headers.at, "__Host-conductd=; Max-Age=0;"));
	ask_by_cookie(HTTP_GET, AUDIENCE_REPORTER);
	fake_pg_refuse(PG_UNAVAILABLE, 503, "conduct-error-unavailable", NULL);
	ck_assert_int_eq(exchange->reply->status, 503);
	ck_assert_ptr_null(strstr(exchange->reply->headers.at, "Set-Cookie"));
	ask_by_cookie(HTTP_POST, AUDIENCE_EMERGENCY);
	fake_pg_refuse(PG_UNAVAILABLE, 503, "conduct-error-unavailable", NULL);
	ck_assert(is_admitted());
	ck_assert(exchange->actor->is_unverified);
}
END_TEST

START_TEST(a_seal_of_another_secret_opens_nothing)
{
	ask_by_cookie(HTTP_GET, AUDIENCE_ACCOUNT);
	fake_pg_answer(200,
		       "{\"sealed\":\"000102030405060708090a0b0c0d0e0f"
		       "101112131415161718191a1b1c1d1e1f20\"}",
		       NULL, NULL);
	ck_assert_int_eq(exchange->reply->status, 401);
	ask_by_cookie(HTTP_GET, AUDIENCE_ACCOUNT);
	fake_pg_answer(200, "{\"sealed\":\"xyz\"}", NULL, NULL);
	ck_assert_int_eq(exchange->reply->status, 401);
	ask_by_cookie(HTTP_GET, AUDIENCE_ACCOUNT);
	fake_pg_answer(200, "{}", NULL, NULL);
	ck_assert_int_eq(exchange->reply->status, 401);
}
END_TEST

START_TEST(a_foreign_page_uses_no_cookie)
{
	begin(HTTP_POST);
	set(HTTP_HEADER_COOKIE, COOKIE_SESSION "=", SECRET);
	set(HTTP_HEADER_ORIGIN, "", GADGET);
	exchange_authenticate(exchange, AUDIENCE_REPORTER, admitted);
	ck_assert_int_eq(exchange->reply->status, 403);
	ck_assert_ptr_null(fake_pg_call());
	begin(HTTP_POST);
	set(HTTP_HEADER_COOKIE, COOKIE_SESSION "=", SECRET);
	exchange_authenticate(exchange, AUDIENCE_EMERGENCY, admitted);
	ck_assert(is_admitted());
	ck_assert(exchange->actor->is_unverified);
	ck_assert_ptr_null(fake_pg_call());
}
END_TEST

START_TEST(a_gadgets_bearer_is_bound_to_its_page_and_may_only_report)
{
	static const char *const origins[] = { NULL, "null", "https://evil.example", OWN };

	for (size_t i = 0; i < ARRAY_SIZE(origins); i++) {
		begin(HTTP_POST);
		set(HTTP_HEADER_AUTHORIZATION, "Bearer cd_", SECRET);
		if (origins[i])
			set(HTTP_HEADER_ORIGIN, "", origins[i]);
		exchange_authenticate(exchange, AUDIENCE_REPORTER, admitted);
		ck_assert_int_eq(exchange->reply->status, 401);
		ck_assert_ptr_null(fake_pg_call());
	}
	for (int i = 0; i < 2; i++) {
		begin(HTTP_POST);
		set(HTTP_HEADER_AUTHORIZATION, "Bearer cd_", SECRET);
		set(HTTP_HEADER_ORIGIN, "", GADGET);
		exchange_authenticate(exchange, i ? AUDIENCE_ACCOUNT : AUDIENCE_REPORTER, admitted);
		ck_assert_str_eq(fake_pg_param(2), GADGET);
		find(SESSION_BEARER, token.at);
		fake_wiki_answer(WIKI_LIVE, "42", "Ada", NULL);
		ck_assert_int_eq(exchange->reply->status, i ? 403 : 0);
	}
}
END_TEST

START_TEST(a_demo_session_needs_no_token)
{
	forge.issuer.is_demo = true;
	for (int i = 0; i < 2; i++) {
		begin(HTTP_GET);
		if (i)
			set(HTTP_HEADER_HOST, "", "127.0.0.1:8480");
		set(HTTP_HEADER_COOKIE, COOKIE_SESSION "=", SECRET);
		exchange_authenticate(exchange, AUDIENCE_ACCOUNT, admitted);
		find(SESSION_COOKIE, "");
		if (!i)
			fake_pg_answer(204, NULL, NULL, NULL);
		ck_assert_int_eq(exchange->reply->status, i ? 0 : 401);
	}
	/* What was a demo issuer's is nobody's where there is none. */
	forge.issuer.is_demo = false;
	begin(HTTP_GET);
	set(HTTP_HEADER_COOKIE, COOKIE_SESSION "=", SECRET);
	exchange_authenticate(exchange, AUDIENCE_ACCOUNT, admitted);
	find(SESSION_COOKIE, "");
	ck_assert_int_eq(exchange->reply->status, 401);
}
END_TEST

START_TEST(a_database_that_takes_no_call_is_told_as_a_failure)
{
	begin(HTTP_GET);
	fake_pg_break(-ENOMEM);
	set(HTTP_HEADER_COOKIE, COOKIE_SESSION "=", SECRET);
	exchange_authenticate(exchange, AUDIENCE_ACCOUNT, admitted);
	ck_assert_int_eq(exchange->reply->status, 503);
}
END_TEST

SUITE_ONCE("auth/gate", setup, teardown, a_token_is_good_while_its_wiki_says_so,
	   a_wiki_that_is_away_makes_nobody_a_stranger, a_session_is_worth_its_token,
	   a_revoked_account_ends_its_session,
	   a_session_that_is_not_there_is_401_and_its_cookie_goes,
	   a_seal_of_another_secret_opens_nothing, a_foreign_page_uses_no_cookie,
	   a_gadgets_bearer_is_bound_to_its_page_and_may_only_report, a_demo_session_needs_no_token,
	   a_database_that_takes_no_call_is_told_as_a_failure)
