/* Cookies as browsers write and read them (RFC 6265 sections 4.1 and 4.2, RFC 6265bis for the
 * prefix and SameSite). */

#include "api/auth/cookie.h"

#include <string.h>

static struct slice trim(struct slice text)
{
	while (text.length && (*text.at == ' ' || *text.at == '\t')) {
		text.at++;
		text.length--;
	}
	while (text.length && strchr(" \t", text.at[text.length - 1]))
		text.length--;
	return text;
}

/* Names are compared as they stand: "__host-conductd" is another cookie, without the prefix's
 * guarantees. */
int cookie_read(const struct exchange *exchange, const char *name, struct slice *ret_value)
{
	struct slice rest = exchange->headers[HTTP_HEADER_COOKIE], found = { NULL, 0 };
	size_t length = strlen(name);

	while (rest.at && rest.length) {
		const char *end = memchr(rest.at, ';', rest.length);
		size_t n = end ? (size_t)(end - rest.at) : rest.length;
		struct slice pair = trim((struct slice){ rest.at, n });

		rest.at += end ? n + 1 : n;
		rest.length -= end ? n + 1 : n;
		if (pair.length <= length || pair.at[length] != '=' ||
		    memcmp(pair.at, name, length) != 0)
			continue;
		if (found.at)
			return COOKIE_E_TWICE;
		found = (struct slice){ pair.at + length + 1, pair.length - length - 1 };
	}
	if (!found.at)
		return COOKIE_E_ABSENT;
	*ret_value = found;
	return 0;
}

#define COOKIE_KIND "; Path=/; Secure; HttpOnly; SameSite=Lax"

/* `value` is of base64url digits and dots. An age of 0 lasts until the browser closes. */
void cookie_set(struct exchange *exchange, const char *name, const char *value, unsigned age_s)
{
	const char *line = age_s ? arena_printf(exchange->arena, "%s=%s; Max-Age=%u" COOKIE_KIND,
						name, value, age_s)
				 : arena_printf(exchange->arena, "%s=%s" COOKIE_KIND, name, value);

	/* Without memory for the header the answer must not go out as if it had it. */
	exchange_set_header(exchange, "Set-Cookie", line ? line : "\n");
}

void cookie_clear(struct exchange *exchange, const char *name)
{
	const char *line = arena_printf(exchange->arena, "%s=; Max-Age=0" COOKIE_KIND, name);

	exchange_set_header(exchange, "Set-Cookie", line ? line : "\n");
}
