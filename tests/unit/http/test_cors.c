/* Origins: what may be listed, and what is found in a head that cannot be read. */

#include "api/http/cors.h"
#include "api/http/reply.h"
#include "tests/unit/suite.h"

START_TEST(origins_are_written_as_browsers_write_them)
{
	static const char *const good[] = { "https://en.wikipedia.org", "http://127.0.0.1:8080",
					    "http://[::1]:23490", "https://localhost",
					    "https://xn--wiki-9ra.example:8443" };
	static const char *const bad[] = {
		"null",
		"*",
		"",
		"https://",
		"en.wikipedia.org",
		"//en.wikipedia.org",
		"https://en.wikipedia.org/",
		"https://en.wikipedia.org/wiki",
		"https://*.wikipedia.org",
		"https://EN.wikipedia.org",
		"HTTPS://en.wikipedia.org",
		"https://en.wikipedia.org:443",
		"http://en.wikipedia.org:80",
		"https://en.wikipedia.org:",
		"https://en.wikipedia.org:0",
		"https://a@en.wikipedia.org",
		"https://en.wikipedia.org?x",
		"https://[::1",
		"https://en.wikipedia.org:123456",
		"ftp://en.wikipedia.org",
		"https://en.wiki pedia.org",
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		ck_assert_msg(cors_is_origin(good[i]), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(!cors_is_origin(bad[i]), "%s", bad[i]);
}
END_TEST

static const char *echoed(const char *origin)
{
	static const char *const list[] = { "https://en.wikipedia.org", "http://127.0.0.1:8080" };
	static const struct cors cors = { list, ARRAY_SIZE(list), NULL };
	static const struct exchange_gate gate = { .cors = &cors };
	static char text[256];
	struct exchange *exchange;

	ck_assert_int_eq(exchange_new(&gate, NULL, NULL, &exchange), 0);
	cors_admit(exchange, slice_of(origin));
	ck_assert(exchange->reply->varies_by_origin);
	snprintf(text, sizeof(text), "%s", exchange->reply->origin ? exchange->reply->origin : "");
	exchange_free(exchange);
	return text;
}

START_TEST(only_a_listed_origin_is_echoed)
{
	static const char *const others[] = {
		"null",
		"",
		"https://en.wikipedia.org.evil.example",
		"https://evil-en.wikipedia.org",
		"https://en.wikipedia.org:443",
		"http://en.wikipedia.org",
		"https://EN.wikipedia.org",
		"https://en.wikipedia.org/",
		"https://en.wikipedia.orgevil",
		"https://n.wikipedia.org",
		"http://127.0.0.1",
		"http://127.0.0.1:80801",
		"https://en.wikipedia.org, null",
	};

	ck_assert_str_eq(echoed("https://en.wikipedia.org"), "https://en.wikipedia.org");
	ck_assert_str_eq(echoed("http://127.0.0.1:8080"), "http://127.0.0.1:8080");
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		ck_assert_str_eq(echoed(others[i]), "");
}
END_TEST

START_TEST(the_origin_of_a_broken_head_is_found_once)
{
	static const char good[] =
		"GET /\xff HTTP/1.1\r\nHost: a\r\nORIGIN: \thttps://a.example\r\n";
	static const char *const none[] = {
		"",
		"\r",
		"GET / HTTP/1.1\r\nHost: a\r\n",
		"GET / HTTP/1.1\r\nOrigin: https://a.ex",
		"GET / HTTP/1.1\r\nOrigin: https://a\r\nOrigin: https://b\r\n\r\n",
		"GET /?Origin:https://a\r\n",
	};

	ck_assert_slice_eq(cors_find(SLICE(good)), "https://a.example");
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		struct slice copy = { strdup(none[i]), strlen(none[i]) };

		ck_assert_ptr_null(cors_find(copy).at);
		free((char *)(uintptr_t)copy.at);
	}
}
END_TEST

SUITE("http/cors", origins_are_written_as_browsers_write_them, only_a_listed_origin_is_echoed,
      the_origin_of_a_broken_head_is_found_once)
