/*
 * Sessions at work: opened after a login, given to a gadget for its code, and ended by logout. The
 * database holds hashes and seals; what is checked here is who may have which secret.
 */

#include "api/handlers/auth_session.h"
#include "api/auth/account.h"
#include "api/auth/cookie.h"
#include "api/auth/origin.h"
#include "api/handlers/auth.h"
#include "api/handlers/auth_page.h"
#include "api/handlers/verb.h"
#include "api/http/cors.h"
#include "daemon/base/text.h"

#include <string.h>
#include <strings.h>

static const struct actor_gate *gate_of(const struct exchange *exchange)
{
	return verb_handlers(exchange)->gate;
}

static int64_t now_s(const struct actor_gate *gate)
{
	return actor_now_us(gate) / 1000000;
}

static struct slice bytes_of(const void *at, size_t length)
{
	return (struct slice){ at, length };
}

/* Adds the parameters of session_open() and sends it. 0 or negative. */
int auth_open_session(struct exchange *exchange, const struct session_secret *secret,
		      enum session_kind kind, const struct session_content *content,
		      const uint8_t *id_ix, struct slice origin, struct slice from,
		      void (*done)(struct call *call, const struct call_answer *answer),
		      void *userdata)
{
	struct call *call = arena_alloc(exchange->arena, sizeof(*call));
	uint8_t *hash = arena_alloc(exchange->arena, SESSION_HASH_SIZE);
	uint8_t *account = arena_memdup(exchange->arena, id_ix, INDEX_SIZE);
	int64_t seconds = content->ends_s - now_s(gate_of(exchange));
	struct slice sealed;
	int r;

	if (!call || !hash || !account)
		return -ENOMEM;
	r = session_secret_hash(secret, hash);
	if (!r)
		r = session_seal(exchange->arena, secret, kind, content, &sealed);
	if (r)
		return r;
	call_init(call, exchange->arena, STATEMENT_SESSION_OPEN, PG_LANE_ACT);
	call_add_bytes(call, bytes_of(hash, SESSION_HASH_SIZE));
	call_add_text(call, text_slice(session_kind_name(kind)));
	call_add_bytes(call, bytes_of(account, INDEX_SIZE));
	call_add_bytes(call, sealed);
	call_add_text(call, origin);
	call_add_integer(call, seconds < SESSION_LIFE_S ? seconds : SESSION_LIFE_S);
	call_add_bytes(call, from);
	return call_submit(call, verb_handlers(exchange)->pool, done, userdata);
}

/* Redeem -----------------------------------------------------------------------------------------
 */

/* A code on its way to a bearer. */
struct redeeming {
	struct exchange *exchange;
	struct slice origin;
	struct session_secret code, bearer;
	uint8_t hash[SESSION_HASH_SIZE];
};

static void forget_redeeming(struct redeeming *redeeming)
{
	session_secret_deinit(&redeeming->code);
	session_secret_deinit(&redeeming->bearer);
}

static void finish_redeeming(struct call *call, const struct call_answer *answer)
{
	CLEANUP(value_freep) struct value *body = value_new_object();
	struct redeeming *redeeming = call->userdata;
	struct exchange *exchange = redeeming->exchange;
	char text[sizeof(SESSION_BEARER_PREFIX) + SESSION_TEXT_SIZE] = SESSION_BEARER_PREFIX;
	int r = body ? 0 : -ENOMEM;

	if (answer->status != 201) {
		forget_redeeming(redeeming);
		verb_refuse(exchange, answer);
		return;
	}
	session_secret_write(&redeeming->bearer, text + sizeof(SESSION_BEARER_PREFIX) - 1);
	forget_redeeming(redeeming);
	if (!r)
		r = value_set_string(body, "token", text);
	if (!r)
		r = value_set_string(body, "token_type", "Bearer");
	if (!r)
		r = value_set_string(body, "scope", "report");
	if (!r)
		r = value_set_integer(body, "expires_in",
				      value_integer(value_get(answer->body, "seconds"), 0));
	if (!r)
		r = value_set_string(body, "expires_at", value_get_string(answer->body, "ends_at"));
	if (r)
		exchange_fail(exchange, r);
	else
		exchange_reply_json(exchange, 200, body);
}

static int open_bearer(struct redeeming *redeeming, const struct session_content *content)
{
	struct exchange *exchange = redeeming->exchange;
	const struct actor_gate *gate = gate_of(exchange);
	uint8_t id_ix[INDEX_SIZE];
	int r = ACCOUNT_E_REFUSED;

	for (size_t i = 0; i < gate->issuers.n_issuers; i++) {
		const struct issuer *issuer = &gate->issuers.issuers[i];

		if (text_equals(text_slice(issuer->iss), content->iss))
			r = index_of_id(gate->index_key, content->iss, text_slice(issuer->scope),
					content->id, id_ix);
	}
	if (!r)
		r = session_secret_new(&redeeming->bearer);
	if (r)
		return r;
	return auth_open_session(exchange, &redeeming->bearer, SESSION_BEARER, content, id_ix,
				 redeeming->origin, bytes_of(redeeming->hash, SESSION_HASH_SIZE),
				 finish_redeeming, redeeming);
}

static void on_taken(struct call *call, const struct call_answer *answer)
{
	struct redeeming *redeeming = call->userdata;
	struct exchange *exchange = redeeming->exchange;
	struct session_content content;
	int r;

	if (answer->status != 200) {
		forget_redeeming(redeeming);
		verb_refuse(exchange, answer);
		return;
	}
	r = session_unseal(exchange->arena, &redeeming->code, SESSION_CODE,
			   value_text(value_get(answer->body, "sealed")), &content);
	if (!r)
		r = open_bearer(redeeming, &content);
	if (!r)
		return;
	forget_redeeming(redeeming);
	if (r > 0)
		exchange_refuse(exchange, 401, "conduct-unauthorized");
	else
		exchange_fail(exchange, r);
}

/* {"code": text}; false: 422 has been sent. */
static bool read_code(struct exchange *exchange, struct slice *ret_code)
{
	struct form_check *check = arena_alloc(exchange->arena, sizeof(*check));
	struct value *member;
	struct slice key;

	if (!check) {
		exchange_fail(exchange, -ENOMEM);
		return false;
	}
	form_check_init(check, exchange->arena, &verb_handlers(exchange)->names);
	*ret_code = value_text(value_get(exchange->json, "code"));
	if (!value_is(exchange->json, VALUE_OBJECT))
		form_refuse(check, "", "must be an object");
	else if (!ret_code->at)
		form_refuse(check, "/code", "must be a text");
	for (void *at = NULL; value_each(exchange->json, &at, &key, &member);)
		if (!text_equals(key, text_slice("code")))
			form_refuse(check, "", "has an unknown member");
	if (!check->n_errors)
		return true;
	verb_refuse_body(exchange, check);
	return false;
}

/* Who has the code and is the page that it was made for. */
void auth_redeem(struct exchange *exchange)
{
	struct redeeming *redeeming = arena_alloc(exchange->arena, sizeof(*redeeming));
	struct call *call = verb_begin(exchange, STATEMENT_SESSION_TAKE_CODE, PG_LANE_ACT);
	struct slice code;

	if (!call || !read_code(exchange, &code))
		return;
	if (!redeeming) {
		exchange_fail(exchange, -ENOMEM);
		return;
	}
	redeeming->exchange = exchange;
	redeeming->origin = exchange->headers[HTTP_HEADER_ORIGIN];
	if (!cors_knows(exchange, redeeming->origin)) {
		exchange_refuse(exchange, 403, "conduct-foreign-origin");
		return;
	}
	if (session_secret_read(code, &redeeming->code) ||
	    session_secret_hash(&redeeming->code, redeeming->hash)) {
		exchange_refuse(exchange, 401, "conduct-unauthorized");
		return;
	}
	call_add_bytes(call, bytes_of(redeeming->hash, SESSION_HASH_SIZE));
	call_add_text(call, redeeming->origin);
	if (call_submit(call, verb_handlers(exchange)->pool, on_taken, redeeming)) {
		forget_redeeming(redeeming);
		exchange_fail(exchange, -ENOMEM);
	}
}

/* Logout -----------------------------------------------------------------------------------------
 */

static void finish_logout(struct exchange *exchange)
{
	if (auth_page_is_wanted(exchange)) {
		exchange_set_header(exchange, "Location", "/");
		exchange_reply_empty(exchange, 303);
	} else {
		exchange_reply_empty(exchange, 204);
	}
}

static void on_closed(struct call *call, const struct call_answer *answer)
{
	struct exchange *exchange = call->userdata;

	if (answer->status >= 400)
		verb_refuse(exchange, answer);
	else
		finish_logout(exchange);
}

static void close_session(struct exchange *exchange, struct slice text, bool is_everywhere)
{
	CLEANUP(session_secret_deinit) struct session_secret secret = { 0 };
	struct call *call = verb_begin(exchange, STATEMENT_SESSION_CLOSE, PG_LANE_ACT);
	uint8_t *hash = arena_alloc(exchange->arena, SESSION_HASH_SIZE);

	if (!call)
		return;
	if (!hash) {
		exchange_fail(exchange, -ENOMEM);
	} else if (session_secret_read(text, &secret) || session_secret_hash(&secret, hash)) {
		finish_logout(exchange);
	} else {
		call_add_bytes(call, bytes_of(hash, SESSION_HASH_SIZE));
		call_add_text(call, text_slice(is_everywhere ? "true" : "false"));
		verb_submit(exchange, call, on_closed);
	}
}

/* Ends the gadget's bearer that Authorization names; or with the cookie's session every other one
 * of its account, on every host. Needs no wiki: who wants to leave can leave. Who has nothing to
 * end has left already. */
void auth_logout(struct exchange *exchange)
{
	static const char scheme[] = "Bearer ", prefix[] = SESSION_BEARER_PREFIX;
	struct slice header = exchange->headers[HTTP_HEADER_AUTHORIZATION], cookie = { 0 };
	size_t n_scheme = sizeof(scheme) - 1, n = n_scheme + sizeof(prefix) - 1;
	int r;

	if (header.at) {
		if (header.length > n && strncasecmp(header.at, scheme, n_scheme) == 0 &&
		    memcmp(header.at + n_scheme, prefix, n - n_scheme) == 0)
			close_session(exchange, (struct slice){ header.at + n, header.length - n },
				      false);
		else
			finish_logout(exchange);
		return;
	}
	r = cookie_read(exchange, COOKIE_SESSION, &cookie);
	if (r != COOKIE_E_ABSENT && !origin_is_same(gate_of(exchange)->own_origin, exchange)) {
		auth_page_refuse(exchange, 403, "conduct-cross-site", 0);
		return;
	}
	if (r != COOKIE_E_ABSENT)
		cookie_clear(exchange, COOKIE_SESSION);
	if (r)
		finish_logout(exchange);
	else
		close_session(exchange, cookie, true);
}
