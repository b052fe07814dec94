/*
 * Turns credentials into an actor, and holds it against the audience of the row. Every fault of a
 * token or session is the same 401: which one it was would help whoever tries them. A receipt is
 * never refused here: one that is malformed looks up like one that is unknown.
 *
 * Authorization counts before a cookie, which browsers send unasked: who names a credential means
 * that one. A cookie alone is good for an unsafe request of our own pages only.
 */

#include "api/auth/account.h"
#include "api/auth/cookie.h"
#include "api/auth/session.h"
#include "api/http/cors.h"
#include "api/http/limits.h"
#include "daemon/base/text.h"
#include "daemon/cases/call.h"

#include <string.h>
#include <strings.h>

enum { RETRY_AFTER_S = 5 };

/* What a credential came to, beside 0 and negative. */
enum { ASK_E_REFUSED = ACCOUNT_E_REFUSED, ASK_E_AWAY = ACCOUNT_E_AWAY, ASK_E_FOREIGN };

/* One question, from the head of a request to its handler. In the exchange's arena. */
struct asking {
	const struct actor_gate *gate;
	struct exchange *exchange;
	enum audience audience;
	void (*next)(struct exchange *exchange);
	struct actor *actor;
	struct account_check account;
	struct call find, close;
	enum session_kind kind;
	struct session_secret secret;
	uint8_t hash[SESSION_HASH_SIZE];
	bool is_session; /* the account is that of a session that was found */
};

/* What counts against an account's budgets. */
struct slice actor_subject(const struct exchange *exchange)
{
	const struct actor *actor = exchange->actor;

	if (!actor || actor->kind != ACTOR_ACCOUNT)
		return (struct slice){ NULL, 0 };
	return (struct slice){ (const char *)actor->id_ix, INDEX_SIZE };
}

/* The credentials behind a scheme name; at is NULL for another scheme. */
static struct slice behind_scheme(struct slice header, const char *scheme)
{
	size_t n = strlen(scheme);

	if (header.length < n + 2 || strncasecmp(header.at, scheme, n) != 0 || header.at[n] != ' ')
		return (struct slice){ NULL, 0 };
	return (struct slice){ header.at + n + 1, header.length - n - 1 };
}

/* 0, or the status with which this audience refuses the actor. */
static int check_audience(const struct actor *actor, enum audience audience)
{
	switch (audience) {
	case AUDIENCE_REPORTER:
	case AUDIENCE_EMERGENCY:
		return 0;
	case AUDIENCE_PARTY:
		if (actor->kind == ACTOR_RECEIPT)
			return 0;
		break;
	default:
		if (actor->kind == ACTOR_RECEIPT)
			return 401;
	}
	if (actor->kind == ACTOR_ANONYMOUS)
		return 401;
	return actor->is_full ? 0 : 403;
}

static bool is_office(const struct exchange *exchange)
{
	return exchange->route && (exchange->route->flags & ROUTE_OFFICE);
}

static void refuse_away(struct asking *asking)
{
	unsigned seconds = asking->account.retry_after_s;

	exchange_reply_problem(asking->exchange,
			       &(struct problem){
				       .status = 503,
				       .key = "conduct-unavailable",
				       .retry_after_s = seconds ? seconds : RETRY_AFTER_S,
			       });
}

static void admit(struct asking *asking)
{
	struct exchange *exchange = asking->exchange;
	const struct actor *actor = asking->actor;
	int status = check_audience(actor, asking->audience);

	if (status) {
		exchange_refuse(exchange, status,
				status == 401 ? "conduct-unauthorized" : "conduct-wrong-scope");
	} else if (is_office(exchange) && (actor->is_blocked || actor->is_temporary)) {
		exchange_refuse(exchange, 403, "conduct-forbidden");
	} else {
		exchange->actor = actor;
		asking->next(exchange);
	}
}

/* Goes on with the actor, or answers. In an emergency a credential that cannot be told to hold is
 * dropped and noted: the report matters more. */
static void finish(struct asking *asking, int outcome)
{
	struct exchange *exchange = asking->exchange;

	session_secret_deinit(&asking->secret);
	if (outcome > 0 && asking->audience == AUDIENCE_EMERGENCY) {
		*asking->actor = (struct actor){ .kind = ACTOR_ANONYMOUS, .is_unverified = true };
		outcome = 0;
	}
	if (outcome < 0) {
		exchange_fail(exchange, outcome);
	} else if (outcome == ASK_E_AWAY) {
		refuse_away(asking);
	} else if (outcome == ASK_E_FOREIGN) {
		exchange_refuse(exchange, 403, "conduct-cross-site");
	} else if (outcome) {
		/* Authorization counts with the answer; other cookies than ours are no attempt. */
		if (!exchange->headers[HTTP_HEADER_AUTHORIZATION].at)
			limits_note(exchange, LIMIT_AUTH);
		exchange_refuse(exchange, 401, "conduct-unauthorized");
	} else {
		admit(asking);
	}
}

/* Whatever became of closing: this request is refused. */
static void on_closed(struct call *call, const struct call_answer *answer)
{
	(void)answer;
	finish(call->userdata, ASK_E_REFUSED);
}

/* The wiki no longer stands by this account: its session ends, here and on every host. */
static void close_session(struct asking *asking)
{
	struct call *call = &asking->close;

	call_init(call, asking->exchange->arena, STATEMENT_SESSION_CLOSE, PG_LANE_ACT);
	call_add_bytes(call, (struct slice){ (const char *)asking->hash, SESSION_HASH_SIZE });
	call_add_text(call, text_slice("false"));
	if (call_submit(call, asking->gate->pool, on_closed, asking))
		finish(asking, ASK_E_REFUSED);
}

static void on_account(struct account_check *check, int outcome)
{
	struct asking *asking = check->userdata;

	if (asking->is_session && outcome == 0)
		asking->actor->is_full = asking->kind == SESSION_COOKIE;
	if (asking->is_session && outcome == ACCOUNT_E_REFUSED)
		close_session(asking);
	else
		finish(asking, outcome);
}

static struct account_check *begin_account(struct asking *asking)
{
	struct account_check *check = &asking->account;

	check->done = on_account;
	check->userdata = asking;
	check->gate = asking->gate;
	check->exchange = asking->exchange;
	check->actor = asking->actor;
	check->is_privileged = is_office(asking->exchange);
	check->wiki.is_urgent = asking->audience == AUDIENCE_EMERGENCY;
	return check;
}

static const struct issuer *find_demo(const struct actor_gate *gate, struct slice iss)
{
	for (size_t i = 0; i < gate->issuers.n_issuers; i++)
		if (gate->issuers.issuers[i].is_demo &&
		    text_equals(text_slice(gate->issuers.issuers[i].iss), iss))
			return &gate->issuers.issuers[i];
	return NULL;
}

/* A session is worth what its token is worth. The demo issuer gives none: its people do not change.
 */
static void read_content(struct asking *asking, const struct session_content *content)
{
	const struct issuer *demo;

	asking->is_session = true;
	demo = content->token.length ? NULL : find_demo(asking->gate, content->iss);
	if (content->token.length)
		account_check(begin_account(asking), content->token);
	else if (demo)
		account_check_demo(begin_account(asking), demo, content->id);
	else
		finish(asking, ASK_E_REFUSED);
}

static void on_found(struct call *call, const struct call_answer *answer)
{
	struct asking *asking = call->userdata;
	struct session_content content;
	int r;

	if (answer->status == 401 && asking->kind == SESSION_COOKIE)
		cookie_clear(asking->exchange, COOKIE_SESSION);
	if (answer->status != 200) {
		finish(asking, answer->status == 401 ? ASK_E_REFUSED : ASK_E_AWAY);
		return;
	}
	r = session_unseal(asking->exchange->arena, &asking->secret, asking->kind,
			   value_text(value_get(answer->body, "sealed")), &content);
	if (r)
		finish(asking, r > 0 ? ASK_E_REFUSED : r);
	else
		read_content(asking, &content);
}

/* `origin.at` is NULL for a cookie: its page is our own. */
static void find_session(struct asking *asking, enum session_kind kind, struct slice text,
			 struct slice origin)
{
	struct call *call = &asking->find;
	int r = session_secret_read(text, &asking->secret);

	asking->kind = kind;
	if (!r)
		r = session_secret_hash(&asking->secret, asking->hash);
	if (r) {
		finish(asking, r > 0 ? ASK_E_REFUSED : r);
		return;
	}
	call_init(call, asking->exchange->arena, STATEMENT_SESSION_FIND, PG_LANE_READ);
	call_add_bytes(call, (struct slice){ (const char *)asking->hash, SESSION_HASH_SIZE });
	call_add_text(call, text_slice(session_kind_name(kind)));
	call_add_text(call, origin);
	r = call_submit(call, asking->gate->pool, on_found, asking);
	if (r)
		finish(asking, r);
}

/* A malformed receipt gets a hash of its text under another label than real ones. */
static int read_receipt(struct slice text, struct actor *actor)
{
	CLEANUP(receipt_deinit) struct receipt receipt = { 0 };
	static const char label[] = "conductd no receipt v1";
	const struct slice parts[] = { { label, sizeof(label) }, text };
	int r;

	actor->kind = ACTOR_RECEIPT;
	r = receipt_read(text, &receipt);
	if (r < 0)
		return r;
	if (r > 0)
		return crypto_sha256_parts(parts, ARRAY_SIZE(parts), actor->receipt_hash);
	memcpy(actor->receipt_secret, receipt.secret, sizeof(receipt.secret));
	return receipt_hash(&receipt, actor->receipt_hash);
}

/* A gadget's bearer is good on the page it was made for, as long as that is one of ours to serve.
 */
static void read_bearer(struct asking *asking, struct slice text)
{
	static const char prefix[] = SESSION_BEARER_PREFIX;
	struct slice origin = asking->exchange->headers[HTTP_HEADER_ORIGIN];
	size_t n = sizeof(prefix) - 1;

	if (text.length < n || memcmp(text.at, prefix, n) != 0)
		account_check(begin_account(asking), text);
	else if (!cors_knows(asking->exchange, origin))
		finish(asking, ASK_E_REFUSED);
	else
		find_session(asking, SESSION_BEARER, (struct slice){ text.at + n, text.length - n },
			     origin);
}

static void read_header(struct asking *asking, struct slice header)
{
	struct slice bearer = behind_scheme(header, "Bearer");
	struct slice receipt = behind_scheme(header, "Receipt");

	if (bearer.at)
		read_bearer(asking, bearer);
	else
		finish(asking, receipt.at ? read_receipt(receipt, asking->actor) : ASK_E_REFUSED);
}

static void read_cookie(struct asking *asking)
{
	const struct exchange *exchange = asking->exchange;
	struct slice text;
	int r = cookie_read(exchange, COOKIE_SESSION, &text);

	if (r == COOKIE_E_ABSENT)
		finish(asking, 0);
	else if (r)
		finish(asking, ASK_E_REFUSED);
	else if (!(exchange->method & (HTTP_GET | HTTP_HEAD)) &&
		 !origin_is_same(asking->gate->own_origin, exchange))
		finish(asking, ASK_E_FOREIGN);
	else
		find_session(asking, SESSION_COOKIE, text, (struct slice){ NULL, 0 });
}

/**
 * actor_authenticate() - the gate of every row that is not public
 * @context: struct actor_gate
 *
 * Sets exchange->actor and calls next(), or answers 401, 403 or 503; at once, or when database and
 * wiki have answered.
 */
void actor_authenticate(void *context, struct exchange *exchange, enum audience audience,
			void (*next)(struct exchange *exchange))
{
	struct asking *asking = arena_alloc(exchange->arena, sizeof(*asking));
	struct actor *actor = arena_alloc(exchange->arena, sizeof(*actor));
	struct slice header = exchange->headers[HTTP_HEADER_AUTHORIZATION];

	if (!asking || !actor) {
		exchange_fail(exchange, -ENOMEM);
		return;
	}
	asking->gate = context;
	asking->exchange = exchange;
	asking->audience = audience;
	asking->next = next;
	asking->actor = actor;
	if (header.at)
		read_header(asking, header);
	else
		read_cookie(asking);
}
