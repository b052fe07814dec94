/*
 * Answers on the wire. Every answer carries the same security headers: conductd's API is read by
 * scripts, never rendered, so a browser that is tricked into showing one shows nothing. The few
 * pages that are rendered bring a policy of their own.
 */

#include "api/http/wire.h"
#include "api/http/cors.h"
#include "api/http/shared.h"
#include "daemon/base/log.h"

#include <event2/buffer.h>
#include <stdio.h>

static const char security_headers[] = "X-Content-Type-Options: nosniff\r\n"
				       "Referrer-Policy: no-referrer\r\n"
				       "X-Frame-Options: DENY\r\n"
				       "Cross-Origin-Resource-Policy: same-origin\r\n"
				       "Permissions-Policy: interest-cohort=()\r\n";

static const char api_policy[] = "default-src 'none'; frame-ancestors 'none'";

/* RFC 6797, over TLS alone: a browser that came once by TLS comes by nothing else for a year. */
static const char transport_header[] = "Strict-Transport-Security: max-age=31536000\r\n";

/* The interim answer to Expect: 100-continue. */
void wire_write_continue(struct evbuffer *output)
{
	static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";

	evbuffer_add(output, line, sizeof(line) - 1);
}

/* IMF-fixdate (RFC 9110 section 5.6.7), whatever the locale. */
static const char *write_date(struct wire *wire)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t now = time(NULL);
	struct tm tm;

	if (wire->date[0] && now == wire->second)
		return wire->date;
	gmtime_r(&now, &tm);
	snprintf(wire->date, sizeof(wire->date), "%s, %02d %s %04d %02d:%02d:%02d GMT",
		 days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour,
		 tm.tm_min, tm.tm_sec);
	wire->second = now;
	return wire->date;
}

static void append_line(struct buffer *head, const char *name, const char *value)
{
	buffer_append_text(head, name);
	buffer_append_text(head, value);
	buffer_append(head, "\r\n", 2);
}

static void append_number(struct buffer *head, const char *name, int64_t number)
{
	buffer_append_text(head, name);
	buffer_append_number(head, number);
	buffer_append(head, "\r\n", 2);
}

static void append_status(struct buffer *head, int status)
{
	buffer_append_text(head, "HTTP/1.1 ");
	buffer_append_number(head, status);
	append_line(head, " ", http_status_reason(status));
}

/* Why it is written by hand: formatting took as long as all else that is done for an answer. */
int wire_write_head(struct wire *wire, const struct exchange *exchange, bool is_last, bool is_tls)
{
	const struct exchange_reply *reply = exchange->reply;
	struct buffer *head = &wire->head;

	buffer_clear(head);
	append_status(head, reply->status);
	append_line(head, "Date: ", write_date(wire));
	if (reply->type)
		append_line(head, "Content-Type: ", reply->type);
	if (reply->status != 204 && reply->status != 304)
		append_number(head, "Content-Length: ",
			      reply->is_stream ? (int64_t)reply->length
					       : (int64_t)wire_body(exchange, false).length);
	if (reply->is_public)
		append_number(head, "Cache-Control: public, max-age=", reply->max_age_s);
	else
		buffer_append_text(head, "Cache-Control: no-store\r\n");
	buffer_append(head, security_headers, sizeof(security_headers) - 1);
	append_line(head, "Content-Security-Policy: ",
		    reply->page_policy ? reply->page_policy : api_policy);
	if (is_tls)
		buffer_append(head, transport_header, sizeof(transport_header) - 1);
	append_line(head, "X-Request-Id: ", exchange->request_id);
	cors_write(exchange, head);
	if (is_last)
		buffer_append_text(head, "Connection: close\r\n");
	if (reply->headers.length)
		buffer_append(head, reply->headers.at, reply->headers.length);
	buffer_append(head, "\r\n", 2);
	return buffer_finish(head);
}

struct slice wire_body(const struct exchange *exchange, bool is_head)
{
	const struct exchange_reply *reply = exchange->reply;

	if (is_head)
		return (struct slice){ NULL, 0 };
	if (reply->shared)
		return reply->shared->bytes;
	return (struct slice){ reply->body.at, reply->body.length };
}

static void on_sent(const void *bytes, size_t length, void *shared)
{
	shared_unref(shared);
}

int wire_add(const struct exchange *exchange, struct slice head, struct slice body,
	     struct evbuffer *output)
{
	struct shared *shared = exchange->reply->shared;

	if (head.length && evbuffer_add(output, head.at, head.length))
		return -ENOMEM;
	if (!body.length)
		return 0;
	if (!shared)
		return evbuffer_add(output, body.at, body.length) ? -ENOMEM : 0;
	if (evbuffer_add_reference(output, body.at, body.length, on_sent, shared))
		return -ENOMEM;
	shared_ref(shared);
	return 0;
}

/* One line a request: the route's template instead of the path; never an address, a token, a query,
 * an id of the path, or a body. */
void wire_log(const struct exchange *exchange, bool is_head, int64_t duration_us)
{
	const struct log_field fields[] = {
		{ "http.request.method",
		  is_head            ? "HEAD"
		  : exchange->method ? http_method_name(exchange->method)
				     : "-",
		  0 },
		{ "url.path", exchange->route ? exchange->route->path : "-", 0 },
		{ "http.response.status_code", NULL, exchange->reply->status },
		{ "event.duration", NULL, duration_us * 1000 },
		{ "http.request.id", exchange->request_id, 0 },
	};

	log_event(LOG_LEVEL_INFO, "request", fields, ARRAY_SIZE(fields));
}
