/* Signing in through a wiki: what the wiki is sent, what of its answers is believed, and what the
 * browser is given. The demo issuer's side is tested over HTTP. */

#include "api/auth/actor.h"
#include "api/auth/cookie.h"
#include "api/auth/login.h"
#include "api/http/cors.h"
#include "daemon/base/codec.h"
#include "daemon/base/text.h"
#include "tests/unit/auth/fake_wiki.h"
#include "tests/unit/auth/forge.h"
#include "tests/unit/handlers/requests.h"

#include "tests/unit/suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWN "https://conduct.example"
#define GADGET "https://en.wikipedia.org"
#define ANY_SECRET "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static struct requests requests;
static struct forge forge;
static struct actor_gate gate;
static char any_wiki; /* any address: the fake asks nobody */
static char cookie[1200], state[64];

static int64_t now_us(void)
{
	return (int64_t)FORGE_NOW_S * 1000000;
}

static void setup(void)
{
	forge_init(&forge);
	forge.issuer.is_demo = false;
	forge.issuer.authorize = "https://w.example/index.php?title=Special:OAuth/authorize";
	forge.issuer.login_client = "full-client";
	requests_init(&requests);
	gate = (struct actor_gate){ .issuers = forge.issuers,
				    .index_key = &requests.key,
				    .wiki = (struct wiki *)(void *)&any_wiki,
				    .own_origin = OWN,
				    .now_us = now_us };
	requests.handlers.gate = &gate;
	fake_wiki_reset();
}

static void teardown(void)
{
	requests_deinit(&requests);
	forge_deinit(&forge);
}

/* What stands in the headers between `before` and `end`. */
static void copy_between(const char *before, char end, char *ret_text, size_t size)
{
	const char *at = strstr(requests.exchange->reply->headers.at, before);
	const char *stop;

	ck_assert_msg(at, "%s is not in %s", before, requests.exchange->reply->headers.at);
	at += strlen(before);
	stop = strchr(at, end);
	ck_assert_ptr_nonnull(stop);
	ck_assert_uint_lt((size_t)(stop - at), size);
	snprintf(ret_text, size, "%.*s", (int)(stop - at), at);
}

static void start(const char *return_to)
{
	char line[300];

	snprintf(line, sizeof(line), "GET /v1/auth/start?return_to=%s", return_to);
	requests_send(&requests, line, "", NULL);
	ck_assert_int_eq(requests.status, 303);
	copy_between("Set-Cookie: " COOKIE_LOGIN "=", ';', cookie, sizeof(cookie));
	copy_between("&state=", '&', state, sizeof(state));
}

static void come_back(const char *more, const char *headers)
{
	char line[2000], all[2000];

	snprintf(line, sizeof(line), "GET /v1/auth/callback?state=%s%s", state, more);
	snprintf(all, sizeof(all), "Cookie: " COOKIE_LOGIN "=%s%s\r\n", cookie, headers);
	fake_wiki_reset();
	requests_ask(&requests, line, all, NULL);
}

static const char *honest_token(void)
{
	static struct buffer token = BUFFER_NULL;

	forge_token(forge.key, FORGE_HEADER, FORGE_PAYLOAD, &token);
	return token.at;
}

START_TEST(the_wiki_is_sent_what_has_to_come_back)
{
	struct login login;
	char challenge[SESSION_TEXT_SIZE], sent[100];

	start("%2Fr");
	ck_assert(requests_has_header(
		&requests, "Location: https://w.example/index.php?title=Special:OAuth/authorize"
			   "&response_type=code&client_id=full-client&redirect_uri=https%3A%2F%2F"
			   "conduct.example%2Fv1%2Fauth%2Fcallback&state="));
	ck_assert(requests_has_header(&requests, "&code_challenge_method=S256\r\n"));
	ck_assert_int_eq(
		login_read_cookie(requests.exchange, text_slice(cookie), FORGE_NOW_S, &login), 0);
	ck_assert_int_eq(login_write_challenge(&login, challenge), 0);
	copy_between("&code_challenge=", '&', sent, sizeof(sent));
	ck_assert_str_eq(sent, challenge);
	ck_assert(login_is_state(&login, text_slice(state)));
	/* Whoever asks Accept: text/html is sent just the same. */
	forge.issuer.authorize = "https://w.example/authorize";
	start("%2F");
	ck_assert(
		requests_has_header(&requests, "https://w.example/authorize?response_type=code&"));
	forge.issuer.authorize = "https://w.example/index.php?title=Special:OAuth/authorize";
}
END_TEST

START_TEST(a_code_becomes_a_token_and_the_token_a_session)
{
	struct login login;
	char verifier[SESSION_TEXT_SIZE];

	start("%2Fr%3Fa%3Db");
	come_back("&code=the%2Fcode", "");
	ck_assert_ptr_nonnull(fake_wiki_call());
	ck_assert_str_eq(fake_wiki_token(), "the/code");
	ck_assert_str_eq(fake_wiki_redirect(), OWN "/v1/auth/callback");
	ck_assert_int_eq(
		login_read_cookie(requests.exchange, text_slice(cookie), FORGE_NOW_S, &login), 0);
	ck_assert_int_eq(login_write_verifier(&login, verifier), 0);
	ck_assert_str_eq(fake_wiki_verifier(), verifier);
	fake_wiki_answer(WIKI_LIVE, "42", "Ada", honest_token());
	ck_assert_str_eq(fake_wiki_token(), honest_token());
	ck_assert(fake_wiki_is_privileged());
	fake_wiki_answer(WIKI_LIVE, "42", "Ada", NULL);
	ck_assert_str_eq(fake_pg_statement(), "session_open");
	ck_assert_str_eq(fake_pg_param(1), "cookie");
	ck_assert_uint_eq(fake_pg_param_length(2), INDEX_SIZE);
	ck_assert_str_eq(fake_pg_param(4), "null");
	ck_assert_str_eq(fake_pg_param(5), "3000"); /* what the token has left */
	ck_assert_str_eq(fake_pg_param(6), "null");
	requests_answer(&requests, 201, "{\"seconds\":3000,\"ends_at\":\"2027-01-15T08:50:00Z\"}");
	ck_assert_int_eq(requests.status, 303);
	ck_assert(requests_has_header(&requests, "Location: /r?a=b\r\n"));
	ck_assert(requests_has_header(&requests, "Set-Cookie: __Host-conductd-login=; Max-Age=0"));
	ck_assert(requests_has_header(&requests, "Set-Cookie: __Host-conductd="));
}
END_TEST

START_TEST(what_the_browser_had_before_goes)
{
	start("%2F");
	come_back("&code=x", "; " COOKIE_SESSION "=" ANY_SECRET);
	fake_wiki_answer(WIKI_LIVE, "42", "Ada", honest_token());
	fake_wiki_answer(WIKI_LIVE, "42", "Ada", NULL);
	ck_assert_uint_eq(fake_pg_param_length(6), SESSION_HASH_SIZE);
	requests_refuse(&requests, PG_UNAVAILABLE, 503, "conduct-error-unavailable", NULL);
	ck_assert_int_eq(requests.status, 503);
	ck_assert(!requests_has_header(&requests, "Set-Cookie: __Host-conductd="));
}
END_TEST

START_TEST(a_wiki_that_refuses_or_is_away_gives_no_session)
{
	static const struct {
		enum wiki_outcome outcome;
		const char *token;
		int status;
	} answers[] = { { WIKI_REFUSED, NULL, 403 },
			{ WIKI_AWAY, NULL, 503 },
			{ WIKI_LIVE, NULL, 403 },
			{ WIKI_LIVE, "a.b.c", 403 } };

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		start("%2F");
		come_back("&code=x", "");
		fake_wiki_answer(answers[i].outcome, "42", "Ada", answers[i].token);
		ck_assert_int_eq(requests.status, answers[i].status);
		ck_assert_ptr_null(fake_pg_call());
	}
	for (int i = 0; i < 3; i++) {
		start("%2F");
		come_back("&code=x", "");
		fake_wiki_answer(WIKI_LIVE, "42", "Ada", honest_token());
		fake_wiki_answer(i == 0   ? WIKI_REFUSED
				 : i == 1 ? WIKI_AWAY
					  : WIKI_LIVE,
				 "43", "Mallory", NULL);
		ck_assert_int_eq(requests.status, i == 1 ? 503 : 403);
		ck_assert_ptr_null(fake_pg_call());
		ck_assert(i != 1 || requests_has_header(&requests, "Retry-After: 7\r\n"));
	}
}
END_TEST

START_TEST(a_token_of_another_client_signs_nobody_in)
{
	CLEANUP(buffer_deinit) struct buffer token = BUFFER_NULL;

	forge_token(forge.key, FORGE_HEADER,
		    "{\"aud\":\"gadget\"," FORGE_JTI "," FORGE_TIMES "," FORGE_SUB "," FORGE_ISS
		    "," FORGE_SCOPES "}",
		    &token);
	start("%2F");
	come_back("&code=x", "");
	fake_wiki_answer(WIKI_LIVE, "42", "Ada", token.at);
	fake_wiki_answer(WIKI_LIVE, "42", "Ada", NULL);
	ck_assert_int_eq(requests.status, 403);
	ck_assert_ptr_null(fake_pg_call());
}
END_TEST

START_TEST(where_no_wiki_serves_logins_there_are_none)
{
	forge.issuer.login_client = NULL;
	requests_send(&requests, "GET /v1/auth/start", "", NULL);
	ck_assert_int_eq(requests.status, 404);
	ck_assert_str_eq(requests_error(&requests), "conduct-login-none");
	requests_send(&requests, "GET /v1/auth/callback?code=x", "", NULL);
	ck_assert_int_eq(requests.status, 404);
	forge.issuer.login_client = "full-client";
	gate.wiki = NULL;
	start("%2F");
	come_back("&code=x", "");
	ck_assert_int_eq(requests.status, 503);
	gate.wiki = (struct wiki *)(void *)&any_wiki;
}
END_TEST

START_TEST(logout_needs_no_wiki)
{
	requests_send(&requests, "POST /v1/auth/logout",
		      "Sec-Fetch-Site: same-origin\r\nCookie: " COOKIE_SESSION "=" ANY_SECRET
		      "\r\n",
		      NULL);
	ck_assert_str_eq(fake_pg_statement(), "session_close");
	ck_assert_str_eq(fake_pg_param(1), "true");
	requests_answer(&requests, 204, NULL);
	ck_assert_int_eq(requests.status, 204);
	requests_send(&requests, "POST /v1/auth/logout",
		      "Authorization: Bearer cd_" ANY_SECRET "\r\nCookie: " COOKIE_SESSION
		      "=" ANY_SECRET "\r\n",
		      NULL);
	ck_assert_str_eq(fake_pg_param(1), "false");
	requests_refuse(&requests, PG_UNAVAILABLE, 503, "conduct-error-unavailable", NULL);
	ck_assert_int_eq(requests.status, 503);
	requests_send(&requests, "POST /v1/auth/logout", "Authorization: Bearer a.b.c\r\n", NULL);
	ck_assert_int_eq(requests.status, 204);
}
END_TEST

START_TEST(a_page_is_for_who_would_rather_read_one)
{
	static const char *const yes[] = { "text/html",
					   "TEXT/HTML;q=0.9",
					   "a/b, text/html ;q=0.1",
					   "text/html;q=0.8, x/y;q=0, z/z",
					   "x/y;q=0,text/html",
					   "text/html;level=1" };
	static const char *const no[] = { "application/json",
					  "*/*",
					  "text/html;q=0",
					  "text/html;q=0.0, a/b",
					  "text/html; q=0.000;x=y",
					  "text/htmlx",
					  "x/text/html",
					  "",
					  "," };
	char header[128];

	for (size_t i = 0; i < ARRAY_SIZE(yes) + ARRAY_SIZE(no); i++) {
		bool is_yes = i < ARRAY_SIZE(yes);

		snprintf(header, sizeof(header), "Accept: %s\r\n",
			 is_yes ? yes[i] : no[i - ARRAY_SIZE(yes)]);
		requests_send(&requests, "POST /v1/auth/logout", header, NULL);
		ck_assert_msg(requests.status == (is_yes ? 303 : 204), "%s", header);
	}
}
END_TEST

SUITE_ONCE("handlers/auth", setup, teardown, the_wiki_is_sent_what_has_to_come_back,
	   a_code_becomes_a_token_and_the_token_a_session, what_the_browser_had_before_goes,
	   a_wiki_that_refuses_or_is_away_gives_no_session,
	   a_token_of_another_client_signs_nobody_in, where_no_wiki_serves_logins_there_are_none,
	   logout_needs_no_wiki, a_page_is_for_who_would_rather_read_one)
