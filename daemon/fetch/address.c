/*
 * Addresses that may be asked at all. What follows the origin is ours to write; an origin comes
 * from the configuration and is compared byte for byte, so that no other spelling of a host gets
 * by.
 */

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "daemon/fetch/fetch.h"

enum { URL_MAX = 2048, HOST_MAX = 253 };

static bool is_loopback(const char *host, size_t length)
{
	if (length == 5 && memcmp(host, "[::1]", 5) == 0)
		return true;
	if (length == 9 && strncasecmp(host, "localhost", 9) == 0)
		return true;
	if (length < 8 || memcmp(host, "127.", 4) != 0)
		return false;
	return strspn(host, "0123456789.") >= length;
}

/* Letters, digits, dots and hyphens, or an address in brackets. */
static size_t host_length(const char *at)
{
	size_t n;

	if (*at == '[') {
		n = strspn(at + 1, "0123456789abcdefABCDEF:.");
		return at[n + 1] == ']' ? n + 2 : 0;
	}
	for (n = 0; isalnum((unsigned char)at[n]) || at[n] == '-' || at[n] == '.'; n++)
		;
	return at[0] == '.' || at[0] == '-' ? 0 : n;
}

/*
 * "https://host[:port]" before a path, a query or the end. No user name, no fragment, nothing but
 * visible ASCII. Returns 0 or FETCH_ORIGIN_E_REFUSED.
 */
int fetch_origin_read(const char *url, size_t *ret_length)
{
	bool is_secure = strncmp(url, "https://", 8) == 0;
	const char *host = url + (is_secure ? 8 : 7), *at;
	size_t length, n_digits;

	if (strlen(url) > URL_MAX || (!is_secure && strncmp(url, "http://", 7) != 0))
		return FETCH_ORIGIN_E_REFUSED;
	for (at = url; *at; at++)
		if (*at <= ' ' || *at > '~' || *at == '#' || *at == '\\')
			return FETCH_ORIGIN_E_REFUSED;
	length = host_length(host);
	if (length == 0 || length > HOST_MAX || (!is_secure && !is_loopback(host, length)))
		return FETCH_ORIGIN_E_REFUSED;
	at = host + length;
	if (*at == ':') {
		n_digits = strspn(at + 1, "0123456789");
		if (n_digits < 1 || n_digits > 5)
			return FETCH_ORIGIN_E_REFUSED;
		at += 1 + n_digits;
	}
	if (*at && *at != '/' && *at != '?')
		return FETCH_ORIGIN_E_REFUSED;
	*ret_length = (size_t)(at - url);
	return 0;
}

void fetch_escape(struct buffer *buffer, struct slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c < 0x80 && (isalnum(c) || strchr("-._~", c)) && c)
			buffer_append_char(buffer, (char)c);
		else
			buffer_printf(buffer, "%%%02X", c);
	}
}
