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
#include <time.h>

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
static void format_date(char ret_text[40])
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	snprintf(ret_text, 40, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday,
		 months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void append_cache_control(struct buffer *head, const struct exchange_reply *reply)
{
	if (reply->is_public)
		buffer_printf(head, "Cache-Control: public, max-age=%u\r\n", reply->max_age_s);
	else
		buffer_append_text(head, "Cache-Control: no-store\r\n");
}

static void on_sent(const void *bytes, size_t length, void *shared)
{
	shared_unref(shared);
}

static int write_shared(struct shared *shared, struct evbuffer *output)
{
	if (evbuffer_add_reference(output, shared->bytes.at, shared->bytes.length, on_sent, shared))
		return -ENOMEM;
	shared_ref(shared);
	return 0;
}

/**
 * wire_write() - the answer of an exchange
 * @is_head: HEAD; the length is told, the body is not sent
 * @is_last: the connection closes after it
 * @is_tls: it leaves over TLS
 *
 * Return: 0 or -ENOMEM.
 */
int wire_write(const struct exchange *exchange, bool is_head, bool is_last, bool is_tls,
	       struct evbuffer *output)
{
	CLEANUP(buffer_deinit) struct buffer head = BUFFER_NULL;
	const struct exchange_reply *reply = exchange->reply;
	char date[40];

	format_date(date);
	buffer_printf(&head, "HTTP/1.1 %d %s\r\nDate: %s\r\n", reply->status,
		      http_status_reason(reply->status), date);
	if (reply->type)
		buffer_printf(&head, "Content-Type: %s\r\n", reply->type);
	if (reply->status != 204 && reply->status != 304)
		buffer_printf(&head, "Content-Length: %zu\r\n",
			      reply->shared ? reply->shared->bytes.length : reply->body.length);
	append_cache_control(&head, reply);
	buffer_append_text(&head, security_headers);
	buffer_printf(&head, "Content-Security-Policy: %s\r\n",
		      reply->page_policy ? reply->page_policy : api_policy);
	if (is_tls)
		buffer_append_text(&head, transport_header);
	buffer_printf(&head, "X-Request-Id: %s\r\n", exchange->request_id);
	cors_write(exchange, &head);
	if (is_last)
		buffer_append_text(&head, "Connection: close\r\n");
	if (reply->headers.length)
		buffer_append(&head, reply->headers.at, reply->headers.length);
	buffer_append_text(&head, "\r\n");
	if (buffer_finish(&head) || evbuffer_add(output, head.at, head.length))
		return -ENOMEM;
	if (!is_head && reply->shared)
		return write_shared(reply->shared, output);
	if (!is_head && reply->body.length &&
	    evbuffer_add(output, reply->body.at, reply->body.length))
		return -ENOMEM;
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
