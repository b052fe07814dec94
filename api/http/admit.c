/*
 * What is refused before a handler runs, in the one order that is documented: no such route (404),
 * not this method (405), malformed (400), too large (413), of another type (415), then who is
 * asking (401, 403: the gate). The head's refusals wait for the body to be read, so that the
 * connection can go on.
 */

#include "api/http/cors.h"
#include "api/http/reply.h"

#include <string.h>
#include <strings.h>

static const char nil_uuid[] = "00000000-0000-0000-0000-000000000000";

/* Decoded, in the arena, NUL-terminated. */
static int decode(struct exchange *exchange, struct slice text, bool is_form,
		  struct slice *ret_text)
{
	char *decoded = arena_alloc(exchange->arena, text.length + 1);
	size_t length;

	if (!decoded)
		return -ENOMEM;
	if (!http_percent_decode(text, is_form, decoded, &length))
		return -EINVAL; /* the parser has checked the escapes */
	*ret_text = (struct slice){ decoded, length };
	return 0;
}

/* True when the row takes the parameter that starts at the index-th brace as a UUID. */
static bool is_id_param(const struct route *route, size_t index)
{
	const char *at = route->path, *close;

	if (!(route->flags & ROUTE_UUIDS))
		return false;
	for (size_t i = 0; (at = strchr(at, '{')); i++, at++) {
		close = strchr(at, '}');
		if (i == index)
			return close - at > 2 && close[-1] == 'd' && close[-2] == 'i';
	}
	return false;
}

/* An id that cannot exist is looked up like one that does not: the nil UUID is nobody's. */
static int read_params(struct exchange *exchange, const struct route_match *match)
{
	for (size_t i = 0; i < match->n_params; i++) {
		struct slice *param = &exchange->params[i];
		int r = decode(exchange, match->params[i], false, param);

		if (r)
			return r;
		if (is_id_param(match->route, i) && !text_is_uuid(*param))
			*param = (struct slice){ nil_uuid, sizeof(nil_uuid) - 1 };
	}
	return 0;
}

static bool is_known_query(const struct route *route, struct slice name)
{
	for (size_t i = 0; i < ROUTE_QUERY_MAX && route->query[i]; i++)
		if (strlen(route->query[i]) == name.length &&
		    memcmp(route->query[i], name.at, name.length) == 0)
			return true;
	return false;
}

/* Each parameter once and only those of the row; *ret_is_sound is false otherwise. */
static int read_query(struct exchange *exchange, struct slice query, bool *ret_is_sound)
{
	*ret_is_sound = true;
	while (query.length) {
		const char *end = memchr(query.at, '&', query.length);
		struct slice pair = { query.at, end ? (size_t)(end - query.at) : query.length };
		const char *equals = memchr(pair.at, '=', pair.length);
		struct slice name = { pair.at, equals ? (size_t)(equals - pair.at) : pair.length };
		struct slice value = { "", 0 };
		int r;

		query.at += end ? pair.length + 1 : pair.length;
		query.length -= end ? pair.length + 1 : pair.length;
		if (equals)
			value = (struct slice){ equals + 1, pair.length - name.length - 1 };
		r = decode(exchange, name, true, &name);
		if (!r)
			r = decode(exchange, value, true, &value);
		if (r)
			return r;
		if (!is_known_query(exchange->route, name) ||
		    exchange_query(exchange, name.at).at || exchange->n_query == ROUTE_QUERY_MAX) {
			*ret_is_sound = false;
			return 0;
		}
		exchange->query[exchange->n_query++] = (struct exchange_query){ name, value };
	}
	return 0;
}

static int copy_headers(struct exchange *exchange, const struct http_request *request)
{
	for (size_t i = 0; i < _HTTP_HEADER_N; i++) {
		struct slice value = request->headers[i];

		/* An address is read where the connection is, and kept by nobody. */
		if (!value.at || i == HTTP_HEADER_X_FORWARDED_FOR)
			continue;
		exchange->headers[i].at = arena_strndup(exchange->arena, value.at, value.length);
		exchange->headers[i].length = value.length;
		if (!exchange->headers[i].at)
			return -ENOMEM;
	}
	exchange->key_state = idempotency_read(exchange->headers[HTTP_HEADER_IDEMPOTENCY_KEY],
					       &exchange->key);
	return 0;
}

/* "application/json", with nothing behind it but charset=utf-8. */
static bool is_json_type(struct slice type)
{
	static const char name[] = "application/json", charset[] = "charset=utf-8";
	const char *at = type.at;

	if (!at || strncasecmp(at, name, sizeof(name) - 1) != 0)
		return false;
	at += sizeof(name) - 1;
	at += strspn(at, " \t");
	if (*at == '\0')
		return true;
	if (*at++ != ';')
		return false;
	at += strspn(at, " \t");
	return strcasecmp(at, charset) == 0 || strcasecmp(at, "charset=\"utf-8\"") == 0;
}

static void set_allow(struct exchange *exchange, unsigned allowed)
{
	struct buffer *headers = &exchange->reply->headers;
	const char *separator = "Allow: ";

	for (unsigned bit = HTTP_GET; bit <= HTTP_OPTIONS; bit <<= 1) {
		if (!(allowed & bit))
			continue;
		buffer_append_text(headers, separator);
		buffer_append_text(headers, http_method_name((enum http_method)bit));
		separator = ", ";
	}
	buffer_append_text(headers, "\r\n");
}

/* The method that a preflight asks about; 0: it asks about none that exists. */
static unsigned asked_method(const struct exchange *exchange)
{
	struct slice name = exchange->headers[HTTP_HEADER_ACCESS_CONTROL_REQUEST_METHOD];

	for (unsigned bit = HTTP_GET; bit < HTTP_OPTIONS; bit <<= 1) {
		const char *method = http_method_name((enum http_method)bit);

		if (name.at && strlen(method) == name.length &&
		    memcmp(method, name.at, name.length) == 0)
			return bit;
	}
	return 0;
}

/* What pages of other origins learn: of rows that let them, and that there is nothing. */
static void admit_page(struct exchange *exchange, enum http_method method,
		       const struct route_match *match)
{
	bool is_asking = method == HTTP_OPTIONS &&
			 exchange->headers[HTTP_HEADER_ACCESS_CONTROL_REQUEST_METHOD].at;
	bool applies = !match->allowed || (is_asking      ? match->cors & asked_method(exchange)
					   : match->route ? match->route->flags & ROUTE_CORS
							  : match->cors);

	if (!applies)
		return;
	cors_admit(exchange, exchange->headers[HTTP_HEADER_ORIGIN]);
	if (is_asking)
		cors_allow(exchange, match->cors);
}

static struct exchange_refusal refuse(int status, const char *key)
{
	return (struct exchange_refusal){ status, key };
}

/* The checks of a row on a head that reached it. */
static struct exchange_refusal check_head(const struct exchange *exchange,
					  const struct http_request *request)
{
	const struct route *route = exchange->route;
	bool has_body = request->content_length > 0;

	if ((route->flags & ROUTE_KEY) && exchange->key_state == IDEMPOTENCY_ABSENT)
		return refuse(400, "conduct-idempotency-key-missing");
	if ((route->flags & ROUTE_KEY) && exchange->key_state == IDEMPOTENCY_MALFORMED)
		return refuse(400, "conduct-idempotency-key-malformed");
	if (has_body && !route->body_max)
		return refuse(400, "conduct-body-unexpected");
	if (request->content_length > route->body_max)
		return refuse(413, "conduct-body-too-large");
	if (exchange->headers[HTTP_HEADER_CONTENT_ENCODING].at)
		return refuse(415, "conduct-content-encoding");
	if (has_body && !(route->flags & ROUTE_RAW) &&
	    !is_json_type(exchange->headers[HTTP_HEADER_CONTENT_TYPE]))
		return refuse(415, "conduct-content-type");
	return refuse(0, NULL);
}

/**
 * exchange_admit_head() - find the row and make the checks that need no body
 * @ret_refusal: status 0 when the request may go on to its body
 *
 * OPTIONS is "refused" with 204 and Allow: it never reaches a handler. Return: 0 or negative.
 */
int exchange_admit_head(struct exchange *exchange, const struct http_request *request,
			const struct router *router, struct exchange_refusal *ret_refusal)
{
	struct route_match match;
	bool is_sound;
	int r;

	exchange->is_head = request->method == HTTP_HEAD;
	exchange->method = exchange->is_head ? HTTP_GET : request->method;
	r = copy_headers(exchange, request);
	if (r)
		return r;
	router_find(router, request->method, request->path, &match);
	exchange->route = match.route;
	admit_page(exchange, request->method, &match);
	if (!match.route) {
		if (match.allowed)
			set_allow(exchange, match.allowed);
		*ret_refusal = !match.allowed ? refuse(404, "conduct-not-found")
			       : request->method == HTTP_OPTIONS
				       ? refuse(204, NULL)
				       : refuse(405, "conduct-method-not-allowed");
		return 0;
	}
	r = read_params(exchange, &match);
	if (!r)
		r = read_query(exchange, request->query, &is_sound);
	if (r)
		return r;
	*ret_refusal = is_sound ? check_head(exchange, request)
				: refuse(400, "conduct-unknown-parameter");
	return 0;
}

static void free_value(void *value)
{
	value_free(value);
}

/* True: exchange->json is there if it has to be; else the exchange has been answered. */
static bool read_body(struct exchange *exchange)
{
	const struct route *route = exchange->route;
	struct value_error error = { 0 };
	struct value *json = NULL;
	int r;

	if (!route->body_max || (route->flags & ROUTE_RAW))
		return true;
	r = value_parse(exchange->body, &json, &error);
	if (!r)
		r = arena_take(exchange->arena, json, free_value);
	if (r > 0) {
		exchange_refuse(exchange, 400, "conduct-malformed-json");
		return false;
	}
	if (r < 0) {
		exchange_fail(exchange, r);
		return false;
	}
	exchange->json = json;
	return true;
}

/* Parses the body and goes on to the gate and the handler. The exchange may be gone after. */
void exchange_admit_body(struct exchange *exchange)
{
	const struct route *route = exchange->route;

	if (!read_body(exchange))
		return;
	if (route->audience == AUDIENCE_PUBLIC && !exchange_admit_public(exchange))
		return;
	if (route->audience == AUDIENCE_PUBLIC || route->audience == AUDIENCE_LATE)
		route->handle(exchange);
	else
		exchange_authenticate(exchange, route->audience, route->handle);
}
