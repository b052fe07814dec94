/* Requests in a test: everything is real but the socket, the gate and the database. */

#include "tests/unit/handlers/requests.h"
#include "api/auth/actor.h"
#include "api/handlers/routes.h"
#include "api/http/shared.h"
#include "daemon/base/text.h"
#include "tests/unit/cases/fake_vault.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct requests *current;

static bool is_audience(const struct actor *actor, enum audience audience)
{
	switch (audience) {
	case AUDIENCE_PARTY:
		return actor->kind == ACTOR_RECEIPT || actor->kind == ACTOR_ACCOUNT;
	case AUDIENCE_ACCOUNT:
		return actor->kind == ACTOR_ACCOUNT;
	default:
		return true;
	}
}

/* What api/auth does with real tokens, with three names instead. */
static void authenticate(void *context, struct exchange *exchange, enum audience audience,
			 void (*next)(struct exchange *exchange))
{
	struct slice header = exchange->headers[HTTP_HEADER_AUTHORIZATION];
	struct actor *actor = arena_alloc(exchange->arena, sizeof(*actor));

	ck_assert_ptr_nonnull(actor);
	if (text_equals(header, text_slice("Bearer full")))
		*actor = (struct actor){ ACTOR_ACCOUNT, .is_full = true };
	else if (text_equals(header, text_slice("Bearer report")))
		*actor = (struct actor){ ACTOR_ACCOUNT, .is_full = false };
	else if (text_equals(header, text_slice("Receipt any")))
		*actor = (struct actor){ ACTOR_RECEIPT, .is_full = false };
	else if (header.at && audience == AUDIENCE_EMERGENCY)
		*actor = (struct actor){ ACTOR_ANONYMOUS, .is_unverified = true };
	else if (header.at)
		actor = NULL;
	if (!actor || !is_audience(actor, audience)) {
		exchange_refuse(exchange, 401, "conduct-unauthorized");
		return;
	}
	if (actor->kind == ACTOR_ACCOUNT && !actor->is_full && audience != AUDIENCE_REPORTER &&
	    audience != AUDIENCE_EMERGENCY) {
		exchange_refuse(exchange, 403, "conduct-wrong-scope");
		return;
	}
	memset(actor->id_ix, 0x11, sizeof(actor->id_ix));
	memset(actor->receipt_hash, 0x22, sizeof(actor->receipt_hash));
	exchange->actor = actor;
	next(exchange);
}

static const struct exchange_gate gate = { .authenticate = authenticate };

static void deliver(struct exchange *exchange)
{
	const struct exchange_reply *reply = exchange->reply;
	struct slice body = reply->shared ? reply->shared->bytes
					  : (struct slice){ reply->body.at, reply->body.length };

	ck_assert_ptr_eq(exchange, current->exchange);
	ck_assert_int_eq(current->status, 0);
	current->status = exchange->reply->status;
	if (body.length)
		ck_assert_int_eq(value_parse(body, &current->json, NULL), 0);
}

void requests_init(struct requests *requests)
{
	static const char *const directories[] = { POLICY_DATA_DIR };
	static const struct issuer_table issuers;
	CLEANUP(policy_errors_deinit) struct policy_errors errors = { 0 };

	*requests = (struct requests){ .handlers = HANDLERS_NULL };
	current = requests;
	fake_pg_reset();
	ck_assert_int_eq(index_key_new(&requests->key), 0);
	fake_vault_start(&requests->sealer);
	ck_assert_int_eq(handlers_init(&requests->handlers, NULL, &requests->key, &requests->sealer,
				       &issuers),
			 0);
	ck_assert_int_eq(policy_set_load(directories, 1, &requests->set, &errors), 0);
	handlers_swap_policy_take(&requests->handlers, policy_set_ref(requests->set));
}

static void forget(struct requests *requests)
{
	requests->exchange = exchange_free(requests->exchange);
	requests->json = value_free(requests->json);
	requests->status = 0;
}

void requests_deinit(struct requests *requests)
{
	forget(requests);
	handlers_deinit(&requests->handlers);
	policy_set_unref(requests->set);
	sealer_deinit(&requests->sealer);
}

static void admit(struct requests *requests, const struct http_request *head, const char *body)
{
	struct exchange_refusal refusal = { 0 };
	struct exchange *exchange = requests->exchange;
	struct router *router;

	ck_assert_int_eq(router_new(routes, routes_n, &router), 0);
	ck_assert_int_eq(exchange_admit_head(exchange, head, router, &refusal), 0);
	exchange->body = text_slice(body);
	if (refusal.status)
		exchange_refuse(exchange, refusal.status, refusal.key);
	else
		exchange_admit_body(exchange);
	router_free(router);
}

void requests_ask(struct requests *requests, const char *line, const char *headers,
		  const char *body)
{
	struct http_parser parser = HTTP_PARSER_NULL;
	struct http_request head;
	char bytes[HTTP_HEAD_MAX];
	char type[96] = "";
	size_t length;
	int n, status;

	forget(requests);
	fake_pg_reset();
	if (body)
		snprintf(type, sizeof(type),
			 "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
	n = snprintf(bytes, sizeof(bytes), "%s HTTP/1.1\r\nHost: localhost\r\n%s%s\r\n", line,
		     headers, type);
	ck_assert_int_eq(http_parse_head(&parser, (struct slice){ bytes, (size_t)n }, &head,
					 &length, &status),
			 0);
	ck_assert_int_eq(exchange_new(&gate, &requests->handlers, deliver, &requests->exchange), 0);
	admit(requests, &head, body ? body : "");
}

void requests_send(struct requests *requests, const char *line, const char *headers,
		   const char *body)
{
	requests_ask(requests, line, headers, body);
	ck_assert_msg((requests->status != 0) != (fake_pg_call() != NULL),
		      "answered %d and %s call", requests->status, fake_pg_call() ? "a" : "no");
}

void requests_answer(struct requests *requests, int status, const char *body)
{
	fake_pg_answer(status, body, "{}", "{}");
	ck_assert_int_ne(requests->status, 0);
}

void requests_refuse(struct requests *requests, enum pg_outcome outcome, int status,
		     const char *key, const char *detail)
{
	fake_pg_refuse(outcome, status, key, detail);
	ck_assert_int_ne(requests->status, 0);
}

const char *requests_error(const struct requests *requests)
{
	const char *key = value_get_string(requests->json, "errorKey");

	return key ? key : "";
}

bool requests_has_header(const struct requests *requests, const char *line)
{
	const char *headers = requests->exchange->reply->headers.at;

	return headers && strstr(headers, line);
}
