/*
 * Origins (RFC 6454) compared byte by byte: browsers write them in one form only, so everything
 * that would have to be normalised first is somebody else's. What stands against cross-site
 * requests with a cookie is what browsers say and pages cannot forge: Sec-Fetch-Site, or Origin
 * where a browser does not know it. A request that has neither is refused.
 */

#include "api/auth/origin.h"
#include "daemon/base/text.h"

#include <string.h>
#include <strings.h>

static bool is_digits_and_dots(struct slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.at[i] != '.' && (text.at[i] < '0' || text.at[i] > '9'))
			return false;
	return true;
}

/* Only the host part counts. A name that merely begins with 127. is not an address. */
bool origin_is_loopback(struct slice host)
{
	const char *colon;

	if (!host.at)
		return false;
	if (host.length >= 5 && memcmp(host.at, "[::1]", 5) == 0)
		return host.length == 5 || host.at[5] == ':';
	colon = memchr(host.at, ':', host.length);
	if (colon)
		host.length = (size_t)(colon - host.at);
	if (host.length == 9 && strncasecmp(host.at, "localhost", 9) == 0)
		return true;
	return host.length > 4 && memcmp(host.at, "127.", 4) == 0 && is_digits_and_dots(host);
}

struct slice origin_own(const char *configured, const struct exchange *exchange)
{
	struct slice host = exchange->headers[HTTP_HEADER_HOST];

	if (configured && *configured)
		return text_slice(configured);
	if (!origin_is_loopback(host))
		return (struct slice){ NULL, 0 };
	return text_slice(arena_printf(exchange->arena, "http://%s", host.at));
}

bool origin_is_same(const char *configured, const struct exchange *exchange)
{
	struct slice site = exchange->headers[HTTP_HEADER_SEC_FETCH_SITE];
	struct slice origin = exchange->headers[HTTP_HEADER_ORIGIN];
	struct slice own;

	if (site.at && !text_equals(site, text_slice("same-origin")))
		return false;
	if (!origin.at)
		return site.at;
	own = origin_own(configured, exchange);
	return own.at && text_equals(origin, own);
}
