/* Logins under way: where they may lead, and what binds a callback to its browser. */

#include "api/auth/login.h"
#include "api/http/cors.h"
#include "api/http/reply.h"
#include "daemon/base/codec.h"
#include "daemon/crypto/crypto.h"
#include "tests/unit/suite.h"

enum { NOW_S = 1800000000 };

static struct exchange *exchange;

static void deliver(struct exchange *delivered)
{
	(void)delivered;
}

static void begin(void)
{
	static const char *const origins[] = { "https://en.wikipedia.org" };
	static const struct cors cors = { origins, 1, NULL };
	static const struct exchange_gate gate = { .cors = &cors };

	ck_assert_int_eq(exchange_new(&gate, NULL, deliver, &exchange), 0);
}

START_TEST(a_login_leads_to_a_path_of_our_own_or_to_a_known_page)
{
	static const char *const paths[] = { "/",         "/r",
					     "/console/", "/console/?a=b&c=d",
					     "/x#y",      "/a/b_c-d~e.f",
					     "/?to=//x",  "/a?b=../c" };
	enum login_mode mode;

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		ck_assert_msg(login_read_return(exchange, slice_of(paths[i]), &mode) == 0, "%s",
			      paths[i]);
		ck_assert_int_eq(mode, LOGIN_PAGE);
	}
	ck_assert_int_eq(login_read_return(exchange, SLICE("https://en.wikipedia.org"), &mode), 0);
	ck_assert_int_eq(mode, LOGIN_POPUP);
	exchange_free(exchange);
}
END_TEST

START_TEST(a_login_leads_nowhere_else)
{
	static const char *const paths[] = { "",        "//x",
					     "/\\x",    "\\x",
					     "x",       "http://x",
					     "/a//b",   "/../x",
					     "/./x",    "/a/../b",
					     "/.x",     "/%2fx",
					     "/%5cx",   "/a b",
					     "/\tx",    "/\nx",
					     "/\x7f",   "/\xc3\xa9",
					     "https:x", "/<x>",
					     "/\"",     "/x\r\nA: b",
					     "/?\\",    "https://en.wikipedia.org/",
					     "null",    "https://en.wikipedia.org:443" };
	char longest[LOGIN_RETURN_MAX + 2];
	enum login_mode mode;

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		ck_assert_msg(login_read_return(exchange, slice_of(paths[i]), &mode) ==
				      LOGIN_E_REFUSED,
			      "%s", paths[i]);
	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	ck_assert_int_eq(
		login_read_return(exchange, (struct slice){ longest, LOGIN_RETURN_MAX }, &mode), 0);
	ck_assert_int_eq(
		login_read_return(exchange, (struct slice){ longest, LOGIN_RETURN_MAX + 1 }, &mode),
		LOGIN_E_REFUSED);
	exchange_free(exchange);
}
END_TEST

START_TEST(the_cookie_brings_the_login_back)
{
	struct login login, again;
	const char *cookie;
	char state[SESSION_TEXT_SIZE];

	begin();
	ck_assert_int_eq(login_new(exchange, SLICE("/r?x=1"), NOW_S, &login), 0);
	ck_assert_int_eq(login_write_cookie(exchange->arena, &login, &cookie), 0);
	ck_assert_int_eq(login_write_state(&login, state), 0);
	ck_assert_int_eq(
		login_read_cookie(exchange, slice_of(cookie), NOW_S + LOGIN_LIFE_S, &again), 0);
	ck_assert_slice_eq(again.return_to, "/r?x=1");
	ck_assert(login_is_state(&again, slice_of(state)));
	ck_assert_int_eq(
		login_read_cookie(exchange, slice_of(cookie), NOW_S + LOGIN_LIFE_S + 1, &again),
		LOGIN_E_REFUSED);
	ck_assert_int_eq(login_read_cookie(exchange, slice_of(cookie), NOW_S - 1, &again),
			 LOGIN_E_REFUSED);
	login_deinit(&login);
	exchange_free(exchange);
}
END_TEST

START_TEST(the_state_is_bound_to_secret_time_and_place)
{
	struct login login, other;
	char state[SESSION_TEXT_SIZE];

	begin();
	ck_assert_int_eq(login_new(exchange, SLICE("/"), NOW_S, &login), 0);
	ck_assert_int_eq(login_write_state(&login, state), 0);
	ck_assert(login_is_state(&login, slice_of(state)));
	ck_assert(!login_is_state(&login, (struct slice){ state, 42 }));
	ck_assert(!login_is_state(&login, (struct slice){ NULL, 0 }));
	ck_assert_int_eq(login_new(exchange, SLICE("/"), NOW_S, &other), 0);
	ck_assert(!login_is_state(&other, slice_of(state)));
	other = login;
	other.begun_s++;
	ck_assert(!login_is_state(&other, slice_of(state)));
	other = login;
	other.return_to = SLICE("/x");
	ck_assert(!login_is_state(&other, slice_of(state)));
	exchange_free(exchange);
}
END_TEST

START_TEST(a_cookie_of_another_form_is_refused)
{
	static const char secret[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	/* %s is the secret; Lw is "/", Ly94 is "//x". */
	static const char *const forms[] = { "",
					     "%s",
					     "%s.1800000000",
					     "%s.1800000000.",
					     "%s.1800000000.Ly94",
					     "%s.1800000000.L",
					     "%s..Lw",
					     "%s.18e8.Lw",
					     "%s.-1800000000.Lw",
					     "%s.9999999999999.Lw",
					     "x%s.1800000000.Lw",
					     "%s.1800000000.Lw.x",
					     ".1800000000.Lw" };
	struct login login;
	char value[200];

	begin();
	snprintf(value, sizeof(value), "%s.1800000000.Lw", secret);
	ck_assert_int_eq(login_read_cookie(exchange, slice_of(value), NOW_S, &login), 0);
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		const char *at = strstr(forms[i], "%s");

		snprintf(value, sizeof(value), "%.*s%s%s", at ? (int)(at - forms[i]) : 0, forms[i],
			 at ? secret : "", at ? at + 2 : forms[i]);
		ck_assert_msg(login_read_cookie(exchange, slice_of(value), NOW_S, &login) ==
				      LOGIN_E_REFUSED,
			      "%s", value);
	}
	exchange_free(exchange);
}
END_TEST

/* RFC 7636 section 4.2: BASE64URL(SHA256(ASCII(verifier))). */
START_TEST(the_challenge_is_the_hash_of_the_verifier)
{
	char verifier[SESSION_TEXT_SIZE], challenge[SESSION_TEXT_SIZE], state[SESSION_TEXT_SIZE];
	char expected[CRYPTO_SHA256_SIZE * 4 / 3 + 4];
	uint8_t hash[CRYPTO_SHA256_SIZE];
	struct login login;

	begin();
	ck_assert_int_eq(login_new(exchange, SLICE("/"), NOW_S, &login), 0);
	ck_assert_int_eq(login_write_verifier(&login, verifier), 0);
	ck_assert_int_eq(login_write_challenge(&login, challenge), 0);
	ck_assert_int_eq(login_write_state(&login, state), 0);
	ck_assert_uint_eq(strlen(verifier), 43);
	ck_assert_int_eq(crypto_sha256(slice_of(verifier), hash), 0);
	codec_base64url_encode(expected, hash, sizeof(hash));
	ck_assert_str_eq(challenge, expected);
	ck_assert_str_ne(state, verifier);
	exchange_free(exchange);
}
END_TEST

SUITE("auth/login", a_login_leads_to_a_path_of_our_own_or_to_a_known_page,
      a_login_leads_nowhere_else, the_cookie_brings_the_login_back,
      the_state_is_bound_to_secret_time_and_place, a_cookie_of_another_form_is_refused,
      the_challenge_is_the_hash_of_the_verifier)
