/*
 * What handlers read of a request, and how they answer it. Owned by its connection; the answer is
 * built here completely, so that running out of memory half-way turns into a 503, never into a
 * broken reply.
 */

#include "api/http/exchange.h"
#include "api/http/limits.h"
#include "api/http/problem.h"
#include "api/http/reply.h"
#include "api/http/shared.h"
#include "daemon/base/log.h"
#include "daemon/crypto/crypto.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	EXCHANGE_LIMIT_DEFAULT = 50,
	EXCHANGE_LIMIT_MAX = 100,
	RETRY_AFTER_S = 1,
	EXCHANGE_ID_MIN = 8
};

static int make_id(struct exchange_ids *ids, char ret_id[TEXT_UUID_LENGTH + 1])
{
	int r;

	if (!ids)
		return text_new_uuid(ret_id);
	if (!ids->n_left) {
		r = crypto_random(ids->bytes, sizeof(ids->bytes));
		if (r)
			return r;
		ids->n_left = REPLY_IDS;
	}
	text_make_uuid(ret_id, ids->bytes[--ids->n_left]);
	return 0;
}

/**
 * exchange_new() - an exchange without a request yet
 * @deliver: called once, when the answer is complete
 *
 * Return: 0, or negative when memory or random bytes are missing.
 */
int exchange_new(const struct exchange_gate *gate, void *application,
		 void (*deliver)(struct exchange *exchange), struct exchange **ret_exchange)
{
	struct arena *arena = NULL;
	struct exchange *exchange;
	int r;

	r = arena_new(&arena);
	if (r)
		return r;
	exchange = arena_alloc(arena, sizeof(*exchange));
	if (exchange)
		exchange->reply = arena_alloc(arena, sizeof(*exchange->reply));
	if (!exchange || !exchange->reply) {
		arena_free(arena);
		return -ENOMEM;
	}
	exchange->arena = arena;
	exchange->application = application;
	exchange->reply->gate = gate;
	exchange->reply->deliver = deliver;
	r = make_id(gate ? gate->ids : NULL, exchange->request_id);
	if (r) {
		exchange_free(exchange);
		return r;
	}
	*ret_exchange = exchange;
	return 0;
}

/* Takes the name that a trusted proxy has for the request; one that is no plain name is not taken.
 */
void exchange_take_id(struct exchange *exchange, struct slice id)
{
	if (!id.at || id.length < EXCHANGE_ID_MIN || id.length > EXCHANGE_ID_MAX)
		return;
	for (size_t i = 0; i < id.length; i++)
		if (!isalnum((unsigned char)id.at[i]) && !strchr("-._", id.at[i]))
			return;
	memcpy(exchange->request_id, id.at, id.length);
	exchange->request_id[id.length] = '\0';
}

/* Takes NULL; returns NULL. */
struct exchange *exchange_free(struct exchange *exchange)
{
	if (!exchange)
		return NULL;
	shared_unref(exchange->reply->shared);
	buffer_deinit(&exchange->reply->body);
	buffer_deinit(&exchange->reply->headers);
	arena_free(exchange->arena);
	return NULL;
}

/* The decoded path parameter, counted from 0; at is NULL when the route has fewer. */
struct slice exchange_param(const struct exchange *exchange, size_t index)
{
	return index < ROUTE_PARAMS_MAX ? exchange->params[index] : (struct slice){ NULL, 0 };
}

/* The decoded query parameter; at is NULL when it is absent. */
struct slice exchange_query(const struct exchange *exchange, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < exchange->n_query; i++)
		if (exchange->query[i].name.length == length &&
		    memcmp(exchange->query[i].name.at, name, length) == 0)
			return exchange->query[i].value;
	return (struct slice){ NULL, 0 };
}

/* If-Match as a case's ETag: one strong tag that holds a revision. "*" names no revision, so it is
 * as good as none. */
int exchange_read_if_match(const struct exchange *exchange, int64_t *ret_revision)
{
	struct slice tag = exchange->headers[HTTP_HEADER_IF_MATCH];
	int64_t revision = 0;

	if (!tag.at || (tag.length == 1 && *tag.at == '*'))
		return EXCHANGE_E_ABSENT;
	if (tag.length < 3 || tag.length > 20 || tag.at[0] != '"' || tag.at[tag.length - 1] != '"')
		return EXCHANGE_E_STALE;
	if (tag.at[1] == '0' && tag.length > 3)
		return EXCHANGE_E_STALE;
	for (size_t i = 1; i < tag.length - 1; i++) {
		if (tag.at[i] < '0' || tag.at[i] > '9')
			return EXCHANGE_E_STALE;
		revision = revision * 10 + (tag.at[i] - '0');
	}
	*ret_revision = revision;
	return 0;
}

/* ?limit=; on false the exchange has been answered. */
bool exchange_read_limit(struct exchange *exchange, unsigned *ret_limit)
{
	struct slice text = exchange_query(exchange, "limit");
	unsigned limit = 0;

	if (!text.at) {
		*ret_limit = EXCHANGE_LIMIT_DEFAULT;
		return true;
	}
	for (size_t i = 0; i < text.length && limit <= EXCHANGE_LIMIT_MAX; i++)
		limit = text.at[i] >= '0' && text.at[i] <= '9'
				? limit * 10 + (unsigned)(text.at[i] - '0')
				: EXCHANGE_LIMIT_MAX + 1;
	if (limit < 1 || limit > EXCHANGE_LIMIT_MAX || text.at[0] == '0') {
		exchange_refuse(exchange, 400, "conduct-bad-limit");
		return false;
	}
	*ret_limit = limit;
	return true;
}

/* On false the exchange has been answered. */
bool exchange_require_key(struct exchange *exchange)
{
	if (exchange->key_state == IDEMPOTENCY_PRESENT)
		return true;
	exchange_refuse(exchange, 400,
			exchange->key_state == IDEMPOTENCY_ABSENT
				? "conduct-idempotency-key-missing"
				: "conduct-idempotency-key-malformed");
	return false;
}

/* On a case that is an emergency there is always room: for the report, and for what opens one. */
static bool is_emergency(const struct exchange *exchange, enum audience audience)
{
	static const char act[] = "open_emergency";

	for (size_t i = 0; i < ROUTE_PARAMS_MAX && exchange->params[i].at; i++)
		if (exchange->params[i].length == sizeof(act) - 1 &&
		    memcmp(exchange->params[i].at, act, sizeof(act) - 1) == 0)
			return true;
	return audience == AUDIENCE_EMERGENCY;
}

static bool begins_with(struct slice text, const char *start)
{
	size_t n = strlen(start);

	return text.at && text.length >= n && strncasecmp(text.at, start, n) == 0;
}

static bool is_receipt(const struct exchange *exchange)
{
	return begins_with(exchange->headers[HTTP_HEADER_AUTHORIZATION], "receipt ");
}

/* True: there is room. False: 503 has been sent. */
static bool have_room(struct exchange *exchange)
{
	const struct exchange_gate *gate = exchange->reply->gate;

	if (!exchange->reply->is_reserve &&
	    !(gate->is_overloaded && gate->is_overloaded(gate->context)))
		return true;
	if (gate->n_overloaded)
		atomic_fetch_add(gate->n_overloaded, 1);
	exchange_refuse(exchange, 503, "conduct-unavailable");
	return false;
}

/* For rows that ask nobody who they are, and yet cost the database or begin a login. */
bool exchange_admit_public(struct exchange *exchange)
{
	const struct route *route = exchange->route;

	if (!(route->flags & ROUTE_COUNTED))
		return true;
	return have_room(exchange) &&
	       limits_take(exchange,
			   strncmp(route->path, "/v1/auth/", 9) == 0 ? LIMIT_AUTH : LIMIT_READS);
}

/* The gate knows who it is. */
static void go_on(struct exchange *exchange)
{
	const struct exchange_reply *reply = exchange->reply;

	if (reply->gate->subject)
		exchange->subject = reply->gate->subject(exchange);
	if (is_emergency(exchange, reply->audience) ||
	    limits_take(exchange, exchange->method == HTTP_GET ? LIMIT_READS : LIMIT_ACTS))
		reply->next(exchange);
}

/* Hands over to the gate; without one nobody has a name, and public rows alone can be served. */
void exchange_authenticate(struct exchange *exchange, enum audience audience,
			   void (*next)(struct exchange *exchange))
{
	const struct exchange_gate *gate = exchange->reply->gate;

	exchange->reply->audience = audience;
	exchange->reply->next = next;
	if (!is_emergency(exchange, audience)) {
		if (!have_room(exchange))
			return;
		if ((exchange->headers[HTTP_HEADER_AUTHORIZATION].at ||
		     exchange->headers[HTTP_HEADER_COOKIE].at) &&
		    !limits_have(exchange, is_receipt(exchange) ? LIMIT_RECEIPTS : LIMIT_AUTH))
			return;
	}
	if (gate->authenticate)
		gate->authenticate(gate->context, exchange, audience, go_on);
	else
		exchange_refuse(exchange, 401, "conduct-unauthorized");
}

static void append_header(struct buffer *headers, const char *name, const char *value)
{
	buffer_append_text(headers, name);
	buffer_append(headers, ": ", 2);
	buffer_append_text(headers, value);
	buffer_append(headers, "\r\n", 2);
}

/* Adds a header line. Line breaks in a value would start a header of somebody else's. */
void exchange_set_header(struct exchange *exchange, const char *name, const char *value)
{
	if (strpbrk(value, "\r\n")) {
		exchange->reply->has_failed = true;
		return;
	}
	append_header(&exchange->reply->headers, name, value);
}

/* `tag` is visible ASCII without quotes, at most REPLY_TAG_MAX - 3 bytes. */
void exchange_set_etag(struct exchange *exchange, const char *tag)
{
	size_t length = strlen(tag);
	char *at = exchange->reply->tag;

	if (length > REPLY_TAG_MAX - 3) {
		exchange->reply->has_failed = true;
		return;
	}
	at[0] = '"';
	memcpy(at + 1, tag, length);
	at[length + 1] = '"';
	at[length + 2] = '\0';
}

/* The ETag of a case. */
void exchange_set_revision(struct exchange *exchange, int64_t revision)
{
	char tag[24];

	snprintf(tag, sizeof(tag), "%" PRId64, revision);
	exchange_set_etag(exchange, tag);
}

/* For what is the same for everybody; every other answer is no-store. */
void exchange_set_public(struct exchange *exchange, unsigned max_age_s)
{
	exchange->reply->is_public = true;
	exchange->reply->max_age_s = max_age_s;
}

/* For answers that browsers render. */
void exchange_set_page_policy(struct exchange *exchange, const char *policy)
{
	exchange->reply->page_policy = policy;
}

static void append_encoded(struct buffer *buffer, struct slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c && strchr("-._~", c)))
			buffer_append_char(buffer, (char)c);
		else
			buffer_printf(buffer, "%%%02X", c);
	}
}

/* Link: the same list from `cursor` on. Relative, so that it holds behind any proxy. */
void exchange_set_next(struct exchange *exchange, const char *cursor)
{
	struct buffer *headers = &exchange->reply->headers;

	buffer_append_text(headers, "Link: <?");
	for (size_t i = 0; i < exchange->n_query; i++) {
		const struct exchange_query *query = &exchange->query[i];

		if (query->name.length == 6 && memcmp(query->name.at, "cursor", 6) == 0)
			continue;
		append_encoded(headers, query->name);
		buffer_append_char(headers, '=');
		append_encoded(headers, query->value);
		buffer_append_char(headers, '&');
	}
	buffer_printf(headers, "cursor=%s>; rel=\"next\"\r\n", cursor);
}

/* Weak comparison (RFC 9110 section 13.1.2). */
static bool is_unchanged(const struct exchange *exchange)
{
	struct slice header = exchange->headers[HTTP_HEADER_IF_NONE_MATCH];
	const char *tag = exchange->reply->tag;
	size_t length = strlen(tag);

	if (!header.at || !length || exchange->method != HTTP_GET)
		return false;
	if (header.length == 1 && *header.at == '*')
		return true;
	for (const char *at = strstr(header.at, tag); at; at = strstr(at + 1, tag)) {
		const char *before = at, *after = at + length;

		if (before - header.at >= 2 && before[-1] == '/' && before[-2] == 'W')
			before -= 2;
		if ((before == header.at || strchr(", \t", before[-1])) &&
		    (*after == '\0' || strchr(", \t", *after)))
			return true;
	}
	return false;
}

bool exchange_is_head_enough(const struct exchange *exchange)
{
	return exchange->is_head || is_unchanged(exchange);
}

/* When memory is gone even the refusal must cost none. */
static void give_up(struct exchange_reply *reply)
{
	static const char body[] =
		"{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,"
		"\"detail\":\"The service is overloaded. Try again.\","
		"\"instance\":\"about:blank\",\"errorKey\":\"conduct-unavailable\","
		"\"messageTranslations\":{\"en\":\"The service is overloaded. Try again.\"},"
		"\"httpCode\":503,\"httpReason\":\"Service Unavailable\"}";

	buffer_deinit(&reply->headers);
	buffer_deinit(&reply->body);
	reply->shared = shared_unref(reply->shared);
	reply->is_stream = false;
	reply->headers = (struct buffer)BUFFER_NULL;
	reply->body = (struct buffer)BUFFER_NULL;
	buffer_append_text(&reply->headers, "Retry-After: 1\r\n");
	buffer_append_text(&reply->body, body);
	reply->status = 503;
	reply->type = "application/problem+json";
	reply->tag[0] = '\0';
	reply->is_public = false;
	reply->is_slotted = false;
}

static void finish(struct exchange *exchange, int status, const char *type)
{
	struct exchange_reply *reply = exchange->reply;

	reply->status = status;
	reply->type = type;
	if (type && exchange->route && (exchange->route->flags & ROUTE_PADDED))
		while (reply->body.length % REPLY_PADDING && !reply->body.has_failed)
			buffer_append_char(&reply->body, ' ');
	if (reply->tag[0])
		append_header(&reply->headers, "ETag", reply->tag);
	if (reply->has_failed || buffer_finish(&reply->body) || buffer_finish(&reply->headers)) {
		give_up(reply);
	} else if (status == 200 && is_unchanged(exchange)) {
		reply->status = 304;
		reply->type = NULL;
		buffer_clear(&reply->body);
		reply->shared = shared_unref(reply->shared);
		reply->is_stream = false;
	}
	reply->deliver(exchange);
}

/* Answers with a JSON document; `value` stays the caller's. */
void exchange_reply_json(struct exchange *exchange, int status, const struct value *value)
{
	int r = value ? value_write(value, &exchange->reply->body) : -ENOMEM;

	if (r) {
		buffer_clear(&exchange->reply->body);
		exchange_fail(exchange, r);
		return;
	}
	finish(exchange, status, "application/json; charset=utf-8");
}

/* Answers with bytes of any type; `type` must outlive the exchange. */
void exchange_reply_bytes(struct exchange *exchange, int status, const char *type,
			  struct slice bytes)
{
	buffer_append(&exchange->reply->body, bytes.at, bytes.length);
	finish(exchange, status, type);
}

/* A 200 of bytes that outlive the exchange; `type` must, too. */
void exchange_reply_shared(struct exchange *exchange, const char *type, struct shared *shared)
{
	exchange_set_etag(exchange, shared->tag);
	exchange->reply->shared = shared_ref(shared);
	finish(exchange, 200, type);
}

/* The head of an answer whose body comes piece by piece; `type` must outlive the exchange. */
void exchange_begin_stream(struct exchange *exchange, int status, const char *type, uint64_t length,
			   void (*want)(struct exchange *exchange, bool is_wanted))
{
	exchange->reply->is_stream = true;
	exchange->reply->length = length;
	exchange->stream = (struct exchange_stream){ .left = length, .next = want };
	finish(exchange, status, type);
}

/* 204 and the like. */
void exchange_reply_empty(struct exchange *exchange, int status)
{
	finish(exchange, status, NULL);
}

/* Refuses. Public caching and an ETag that were set before do not hold for a refusal. */
void exchange_reply_problem(struct exchange *exchange, const struct problem *problem)
{
	struct exchange_reply *reply = exchange->reply;
	char seconds[16];

	reply->is_public = false;
	reply->tag[0] = '\0';
	reply->is_slotted = problem->status == 404 && exchange->route &&
			    (exchange->route->flags & ROUTE_SLOT);
	if (problem->retry_after_s) {
		snprintf(seconds, sizeof(seconds), "%u", problem->retry_after_s);
		exchange_set_header(exchange, "Retry-After", seconds);
	}
	if (problem->status == 401 && exchange->headers[HTTP_HEADER_AUTHORIZATION].at)
		limits_note(exchange, LIMIT_AUTH);
	if (problem->status == 404 && is_receipt(exchange))
		limits_note(exchange, LIMIT_RECEIPTS);
	if (problem->status == 401)
		exchange_set_header(exchange, "WWW-Authenticate", "Bearer");
	if (problem_write(exchange, problem, &reply->body))
		reply->has_failed = true;
	finish(exchange, problem->status, "application/problem+json");
}

/* A refusal that needs nothing but its key. */
void exchange_refuse(struct exchange *exchange, int status, const char *key)
{
	exchange_reply_problem(exchange, &(struct problem){
						 .status = status,
						 .key = key,
						 .retry_after_s = status == 503 ? RETRY_AFTER_S : 0,
					 });
}

/* Something of ours is broken; what, stands in the log alone. */
void exchange_fail(struct exchange *exchange, int error)
{
	const struct log_field fields[] = {
		{ "http.request.id", exchange->request_id, 0 },
		{ "error.message", strerror(-error), 0 },
	};

	log_event(LOG_LEVEL_ERROR, "a request failed", fields, ARRAY_SIZE(fields));
	if (error == -ENOMEM || error == -EKEYREJECTED)
		exchange_refuse(exchange, 503, "conduct-unavailable");
	else
		exchange_refuse(exchange, 500, "conduct-internal");
}
