/*
 * Signing in through the wiki (OAuth 2.0 with PKCE, RFC 6749 and 7636), for conductd's own pages
 * and for the popup of a wiki's gadget. A page gets a cookie; a gadget gets a code, by a message
 * that only its own origin receives, and for the code a bearer that may report and read nothing.
 * The client's secret is the worker's: a web process never sees it.
 */

#include "api/handlers/auth.h"
#include "api/auth/account.h"
#include "api/auth/cookie.h"
#include "api/auth/login.h"
#include "api/auth/origin.h"
#include "api/handlers/auth_page.h"
#include "api/handlers/auth_session.h"
#include "api/handlers/verb.h"
#include "daemon/base/text.h"

#include <string.h>

enum { CODE_MAX = 1536, DEMO_LIFE_S = SESSION_LIFE_S };

/* A callback on its way to a session. In the exchange's arena. */
struct arrival {
	struct exchange *exchange;
	const struct actor_gate *gate;
	const struct issuer *issuer;
	struct login login;
	struct wiki_call wiki;
	struct account_check account;
	struct actor actor;
	struct slice token; /* empty under the demo issuer */
	struct session_secret secret;
	char verifier[SESSION_TEXT_SIZE];
};

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

/* Whom people sign in with; NULL: nobody, here. */
static const struct issuer *find_issuer(const struct exchange *exchange)
{
	const struct issuer_table *table = &gate_of(exchange)->issuers;

	for (size_t i = 0; i < table->n_issuers; i++) {
		const struct issuer *issuer = &table->issuers[i];

		if (issuer->is_demo ? origin_is_loopback(exchange->headers[HTTP_HEADER_HOST])
				    : issuer->authorize && issuer->login_client)
			return issuer;
	}
	return NULL;
}

/* Start ------------------------------------------------------------------------------------------
 */

static void append_parameter(struct buffer *buffer, const char *name, struct slice value)
{
	bool is_first = !strchr(buffer->at, '?');

	buffer_printf(buffer, "%c%s=", is_first ? '?' : '&', name);
	for (size_t i = 0; i < value.length; i++) {
		unsigned char c = (unsigned char)value.at[i];

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c && strchr("-._~", c)))
			buffer_append_char(buffer, (char)c);
		else
			buffer_printf(buffer, "%%%02X", c);
	}
}

static struct slice callback_of(const struct exchange *exchange)
{
	struct slice own = origin_own(gate_of(exchange)->own_origin, exchange);

	return text_slice(arena_printf(exchange->arena, "%.*s/v1/auth/callback", (int)own.length,
				       own.at ? own.at : ""));
}

/* To the wiki, with everything that has to come back or be proved there. */
static void send_away(struct exchange *exchange, const struct issuer *issuer,
		      const struct login *login, const char *state)
{
	CLEANUP(buffer_deinit) struct buffer url = BUFFER_NULL;
	char challenge[SESSION_TEXT_SIZE];
	int r = login_write_challenge(login, challenge);

	if (r) {
		exchange_fail(exchange, r);
		return;
	}
	buffer_append_text(&url, issuer->authorize);
	if (!buffer_finish(&url)) {
		append_parameter(&url, "response_type", text_slice("code"));
		append_parameter(&url, "client_id", text_slice(issuer->login_client));
		append_parameter(&url, "redirect_uri", callback_of(exchange));
		append_parameter(&url, "state", text_slice(state));
		append_parameter(&url, "code_challenge", text_slice(challenge));
		append_parameter(&url, "code_challenge_method", text_slice("S256"));
	}
	if (buffer_finish(&url)) {
		exchange_fail(exchange, -ENOMEM);
		return;
	}
	exchange_set_header(exchange, "Location", url.at);
	exchange_reply_empty(exchange, 303);
}

/* Begins a login and remembers it in this browser alone. */
void auth_start(struct exchange *exchange)
{
	CLEANUP(login_deinit) struct login login = { 0 };
	const struct actor_gate *gate = gate_of(exchange);
	const struct issuer *issuer = find_issuer(exchange);
	struct slice return_to = exchange_query(exchange, "return_to");
	char state[SESSION_TEXT_SIZE];
	const char *cookie;
	int r;

	if (!issuer) {
		auth_page_refuse(exchange, 404, "conduct-login-none", 0);
		return;
	}
	r = login_new(exchange, return_to.at ? return_to : text_slice("/"), now_s(gate), &login);
	if (!r)
		r = login_write_state(&login, state);
	if (!r)
		r = login_write_cookie(exchange->arena, &login, &cookie);
	if (r) {
		if (r > 0)
			auth_page_refuse(exchange, 400, "conduct-bad-parameter", 0);
		else
			exchange_fail(exchange, r);
		return;
	}
	cookie_set(exchange, COOKIE_LOGIN, cookie, LOGIN_LIFE_S);
	if (issuer->is_demo)
		auth_page_choose(exchange, issuer->people, state);
	else
		send_away(exchange, issuer, &login, state);
}

/* Callback ---------------------------------------------------------------------------------------
 */

static void refuse_arrival(struct arrival *arrival, int status, const char *key,
			   unsigned retry_after_s)
{
	session_secret_deinit(&arrival->secret);
	login_deinit(&arrival->login);
	auth_page_refuse(arrival->exchange, status, key, retry_after_s);
}

static void fail_arrival(struct arrival *arrival, int error)
{
	session_secret_deinit(&arrival->secret);
	login_deinit(&arrival->login);
	exchange_fail(arrival->exchange, error);
}

/* The session stands: the page gets its cookie, or the popup its code. */
static void finish_arrival(struct call *call, const struct call_answer *answer)
{
	struct arrival *arrival = call->userdata;
	struct exchange *exchange = arrival->exchange;
	char text[SESSION_TEXT_SIZE];

	if (answer->status != 201) {
		refuse_arrival(arrival, answer->status, answer->error_key,
			       answer->status == 503 ? WIKI_RETRY_S : 0);
		return;
	}
	session_secret_write(&arrival->secret, text);
	session_secret_deinit(&arrival->secret);
	cookie_clear(exchange, COOKIE_LOGIN);
	if (arrival->login.mode == LOGIN_POPUP) {
		auth_page_hand_over(exchange, text, arrival->login.return_to);
	} else {
		cookie_set(exchange, COOKIE_SESSION, text, 0);
		exchange_set_header(exchange, "Location", arrival->login.return_to.at);
		exchange_reply_empty(exchange, 303);
	}
	login_deinit(&arrival->login);
}

/* What the browser had before a login ends with it: nobody goes on with somebody else's session. */
static struct slice read_former(const struct exchange *exchange)
{
	CLEANUP(session_secret_deinit) struct session_secret former = { 0 };
	uint8_t *hash = arena_alloc(exchange->arena, SESSION_HASH_SIZE);
	struct slice text;

	if (!hash || cookie_read(exchange, COOKIE_SESSION, &text) ||
	    session_secret_read(text, &former) || session_secret_hash(&former, hash))
		return (struct slice){ NULL, 0 };
	return bytes_of(hash, SESSION_HASH_SIZE);
}

static int open_arrival(struct arrival *arrival)
{
	struct exchange *exchange = arrival->exchange;
	bool is_popup = arrival->login.mode == LOGIN_POPUP;
	struct slice none = { NULL, 0 };
	struct session_content content = {
		.iss = text_slice(arrival->issuer->iss),
		.id = arrival->actor.id,
		.token = arrival->token,
		.ends_s = arrival->token.length ? arrival->account.token.ends_s
						: now_s(arrival->gate) + DEMO_LIFE_S,
	};
	int r = session_secret_new(&arrival->secret);

	if (r)
		return r;
	return auth_open_session(exchange, &arrival->secret,
				 is_popup ? SESSION_CODE : SESSION_COOKIE, &content,
				 arrival->actor.id_ix, is_popup ? arrival->login.return_to : none,
				 is_popup ? none : read_former(exchange), finish_arrival, arrival);
}

/* The token is held to all the checks of any other, and must be the login client's own. */
static void on_account(struct account_check *check, int outcome)
{
	struct arrival *arrival = check->userdata;
	int r = outcome;

	if (!r && arrival->token.length &&
	    (check->token.issuer != arrival->issuer ||
	     strcmp(check->token.client->id, arrival->issuer->login_client) != 0))
		r = ACCOUNT_E_REFUSED;
	if (!r)
		r = open_arrival(arrival);
	if (r < 0)
		fail_arrival(arrival, r);
	else if (r == ACCOUNT_E_AWAY)
		refuse_arrival(arrival, 503, "conduct-unavailable",
			       check->retry_after_s ? check->retry_after_s : WIKI_RETRY_S);
	else if (r)
		refuse_arrival(arrival, 403, "conduct-login-denied", 0);
}

static void on_exchanged(struct wiki_call *call, enum wiki_outcome outcome,
			 const struct wiki_identity *identity, struct slice access_token)
{
	struct arrival *arrival = (struct arrival *)(void *)((char *)call -
							     offsetof(struct arrival, wiki));
	char *token;

	(void)identity;
	if (outcome != WIKI_LIVE || !access_token.length) {
		arrival->account.retry_after_s = call->retry_after_s;
		on_account(&arrival->account,
			   outcome == WIKI_AWAY ? ACCOUNT_E_AWAY : ACCOUNT_E_REFUSED);
		return;
	}
	token = arena_memdup(arrival->exchange->arena, access_token.at, access_token.length);
	if (!token) {
		fail_arrival(arrival, -ENOMEM);
		return;
	}
	arrival->token = (struct slice){ token, access_token.length };
	account_check(&arrival->account, arrival->token);
}

static void take_code(struct arrival *arrival, struct slice code)
{
	struct exchange *exchange = arrival->exchange;
	int r;

	if (arrival->issuer->is_demo) {
		if (arrival->issuer->people && people_find(arrival->issuer->people, code))
			account_check_demo(&arrival->account, arrival->issuer, code);
		else
			on_account(&arrival->account, ACCOUNT_E_REFUSED);
		return;
	}
	if (!arrival->gate->wiki) {
		on_account(&arrival->account, ACCOUNT_E_AWAY);
		return;
	}
	r = login_write_verifier(&arrival->login, arrival->verifier);
	if (r) {
		fail_arrival(arrival, r);
		return;
	}
	arrival->wiki.done = on_exchanged;
	wiki_exchange(arrival->gate->wiki, arrival->issuer, code, text_slice(arrival->verifier),
		      callback_of(exchange), &arrival->wiki);
}

/* The login that this callback belongs to; false: of another browser, or none. */
static bool find_login(struct arrival *arrival, int *ret_error)
{
	struct exchange *exchange = arrival->exchange;
	struct slice value;
	int r = cookie_read(exchange, COOKIE_LOGIN, &value);

	if (!r)
		r = login_read_cookie(exchange, value, now_s(arrival->gate), &arrival->login);
	*ret_error = r < 0 ? r : 0;
	return !r && login_is_state(&arrival->login, exchange_query(exchange, "state"));
}

void auth_callback(struct exchange *exchange)
{
	struct arrival *arrival = arena_alloc(exchange->arena, sizeof(*arrival));
	struct slice code = exchange_query(exchange, "code");
	int r;

	if (!arrival) {
		exchange_fail(exchange, -ENOMEM);
		return;
	}
	arrival->exchange = exchange;
	arrival->gate = gate_of(exchange);
	arrival->issuer = find_issuer(exchange);
	arrival->account = (struct account_check){
		.done = on_account,
		.userdata = arrival,
		.gate = arrival->gate,
		.exchange = exchange,
		.actor = &arrival->actor,
		.is_privileged = true,
	};
	if (!arrival->issuer)
		refuse_arrival(arrival, 404, "conduct-login-none", 0);
	else if (!find_login(arrival, &r) && !r)
		refuse_arrival(arrival, 400, "conduct-login-stale", 0);
	else if (r)
		fail_arrival(arrival, r);
	else if (exchange_query(exchange, "error").at)
		refuse_arrival(arrival, 403, "conduct-login-denied", 0);
	else if (!code.length || code.length > CODE_MAX)
		refuse_arrival(arrival, 400, "conduct-bad-parameter", 0);
	else
		take_code(arrival, code);
}
