/* Cookies: how the line is read, and what is written. */

#include "api/auth/cookie.h"
#include "api/http/reply.h"
#include "tests/unit/suite.h"

static void deliver(struct exchange *exchange)
{
	(void)exchange;
}

static struct exchange *make(const char *line)
{
	static const struct exchange_gate gate;
	struct exchange *exchange;

	ck_assert_int_eq(exchange_new(&gate, NULL, deliver, &exchange), 0);
	if (line)
		exchange->headers[HTTP_HEADER_COOKIE] = slice_of(line);
	return exchange;
}

static void assert_read(const char *line, int outcome, const char *expected)
{
	struct exchange *exchange = make(line);
	struct slice value = { NULL, 0 };

	ck_assert_msg(cookie_read(exchange, COOKIE_SESSION, &value) == outcome, "%s",
		      line ? line : "none");
	if (expected)
		ck_assert_slice_eq(value, expected);
	exchange_free(exchange);
}

START_TEST(a_cookie_is_found_by_its_very_name)
{
	assert_read(COOKIE_SESSION "=abc", 0, "abc");
	assert_read("a=b; " COOKIE_SESSION "=abc; c=d", 0, "abc");
	assert_read("a=b;" COOKIE_SESSION "=abc;c=d", 0, "abc");
	assert_read("  " COOKIE_SESSION "=abc\t;", 0, "abc");
	assert_read(COOKIE_SESSION "=", 0, "");
	assert_read(COOKIE_SESSION "=a=b", 0, "a=b");
	assert_read(COOKIE_LOGIN "=x; " COOKIE_SESSION "=abc", 0, "abc");
	assert_read("a=" COOKIE_SESSION "=abc", COOKIE_E_ABSENT, NULL);
	assert_read("__host-conductd=abc", COOKIE_E_ABSENT, NULL);
	assert_read("x" COOKIE_SESSION "=abc", COOKIE_E_ABSENT, NULL);
	assert_read(COOKIE_SESSION " =abc", COOKIE_E_ABSENT, NULL);
	assert_read(COOKIE_SESSION, COOKIE_E_ABSENT, NULL);
	assert_read(COOKIE_SESSION ",x=abc", COOKIE_E_ABSENT, NULL);
	assert_read(";;;", COOKIE_E_ABSENT, NULL);
	assert_read("", COOKIE_E_ABSENT, NULL);
	assert_read(NULL, COOKIE_E_ABSENT, NULL);
}
END_TEST

START_TEST(of_two_with_one_name_none_is_taken)
{
	assert_read(COOKIE_SESSION "=a; " COOKIE_SESSION "=b", COOKIE_E_TWICE, NULL);
	assert_read(COOKIE_SESSION "=a; x=y; " COOKIE_SESSION "=a", COOKIE_E_TWICE, NULL);
}
END_TEST

START_TEST(a_cookie_is_of_this_host_and_of_no_script)
{
	struct exchange *exchange = make(NULL);

	cookie_set(exchange, COOKIE_SESSION, "abc", 0);
	cookie_set(exchange, COOKIE_LOGIN, "def", 600);
	cookie_clear(exchange, COOKIE_SESSION);
	ck_assert_int_eq(buffer_finish(&exchange->reply->headers), 0);
	ck_assert_str_eq(exchange->reply->headers.at,
			 "Set-Cookie: __Host-conductd=abc; Path=/; Secure; HttpOnly; "
			 "SameSite=Lax\r\n"
			 "Set-Cookie: __Host-conductd-login=def; Max-Age=600; Path=/; Secure; "
			 "HttpOnly; SameSite=Lax\r\n"
			 "Set-Cookie: __Host-conductd=; Max-Age=0; Path=/; Secure; HttpOnly; "
			 "SameSite=Lax\r\n");
	exchange_free(exchange);
}
END_TEST

SUITE("auth/cookie", a_cookie_is_found_by_its_very_name, of_two_with_one_name_none_is_taken,
      a_cookie_is_of_this_host_and_of_no_script)
