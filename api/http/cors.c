/*
 * Cross-origin reads. An origin is compared byte by byte with the list, so that nothing that looks
 * alike gets in, and credentials are never allowed: a page of a wiki can ask what everybody may
 * ask, and report. Refusals carry the headers as well, or a page could not tell its user what is
 * wrong.
 */

#include "api/http/cors.h"
#include "api/http/reply.h"

#include <string.h>
#include <strings.h>

static const char exposed_headers[] =
	"Access-Control-Expose-Headers: ETag, Location, Retry-After, X-Request-Id, RateLimit, "
	"RateLimit-Policy, Link, WWW-Authenticate\r\n";
static const char preflight_headers[] =
	"Access-Control-Allow-Headers: Authorization, Content-Type, Idempotency-Key, If-Match, "
	"If-None-Match, X-Request-Id, Api-User-Agent\r\n"
	"Access-Control-Max-Age: 7200\r\n";

static bool is_listed(const struct cors *cors, struct slice origin)
{
	for (size_t i = 0; i < cors->n_origins; i++)
		if (strlen(cors->origins[i]) == origin.length &&
		    memcmp(cors->origins[i], origin.at, origin.length) == 0)
			return true;
	return false;
}

bool cors_knows(const struct exchange *exchange, struct slice origin)
{
	const struct exchange_gate *gate = exchange->reply->gate;
	const struct cors *cors = gate ? gate->cors : NULL;

	return cors && origin.at &&
	       (is_listed(cors, origin) ||
		(cors->is_wiki && cors->is_wiki(exchange->application, origin)));
}

void cors_admit(struct exchange *exchange, struct slice origin)
{
	struct exchange_reply *reply = exchange->reply;
	char *copy;

	if (!reply->gate || !reply->gate->cors)
		return;
	reply->varies_by_origin = true;
	if (!cors_knows(exchange, origin))
		return;
	/* Out of memory the page is not told, which is safe. */
	copy = arena_strndup(exchange->arena, origin.at, origin.length);
	if (copy)
		reply->origin = copy;
}

void cors_allow(struct exchange *exchange, unsigned methods)
{
	struct buffer *headers = &exchange->reply->headers;
	const char *separator = "Access-Control-Allow-Methods: ";

	if (!exchange->reply->origin)
		return;
	for (unsigned bit = HTTP_GET; bit < HTTP_OPTIONS; bit <<= 1) {
		if (!(methods & bit))
			continue;
		buffer_append_text(headers, separator);
		buffer_append_text(headers, http_method_name((enum http_method)bit));
		separator = ", ";
	}
	buffer_append_text(headers, "\r\n");
	buffer_append_text(headers, preflight_headers);
}

/* The head may be cut or malformed; the value only ever meets the list. */
struct slice cors_find(struct slice bytes)
{
	static const char name[] = "\r\norigin:";
	struct slice found = { NULL, 0 };
	const char *end = bytes.at + bytes.length;

	for (const char *at = bytes.at; at; at = memchr(at + 1, '\r', (size_t)(end - at) - 1)) {
		const char *stop;

		if ((size_t)(end - at) < sizeof(name) - 1)
			break;
		if (strncasecmp(at, name, sizeof(name) - 1) != 0)
			continue;
		if (found.at)
			return (struct slice){ NULL, 0 };
		at += sizeof(name) - 1;
		while (at < end && (*at == ' ' || *at == '\t'))
			at++;
		stop = memchr(at, '\r', (size_t)(end - at));
		if (!stop)
			break;
		found = (struct slice){ at, (size_t)(stop - at) };
		at = stop - 1;
	}
	return found;
}

void cors_write(const struct exchange *exchange, struct buffer *head)
{
	const struct exchange_reply *reply = exchange->reply;

	if (reply->varies_by_origin)
		buffer_append_text(head, "Vary: Origin\r\n");
	if (!reply->origin)
		return;
	buffer_append_text(head, "Access-Control-Allow-Origin: ");
	buffer_append_text(head, reply->origin);
	buffer_append_text(head, "\r\n");
	buffer_append_text(head, exposed_headers);
}

bool cors_is_origin(const char *text)
{
	static const char *const schemes[] = { "https://", "http://" };
	const char *host = NULL, *port;
	size_t length;

	for (size_t i = 0; i < ARRAY_SIZE(schemes) && !host; i++)
		if (strncmp(text, schemes[i], strlen(schemes[i])) == 0)
			host = text + strlen(schemes[i]);
	if (!host)
		return false;
	length = *host == '[' ? 1 + strspn(host + 1, "0123456789abcdef:.")
			      : strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-");
	if (*host == '[' && host[length++] != ']')
		return false;
	if (length < 1 || length > 253)
		return false;
	if (!host[length])
		return true;
	port = host + length + 1;
	length = strspn(port, "0123456789");
	/* Browsers leave a scheme's own port out, so an origin with it would never match. */
	return port[-1] == ':' && length > 0 && length <= 5 && port[0] != '0' && !port[length] &&
	       strcmp(port, text[4] == 's' ? "443" : "80") != 0;
}
