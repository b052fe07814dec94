/*
 * Turns credentials into an actor, and holds it against the audience of the row. Every fault of a
 * token is the same 401: which one it was would help whoever tries tokens. A receipt is never
 * refused here: one that is malformed looks up like one that is unknown. A token that holds is good
 * only while its wiki says so; a wiki that does not answer is 503, but never keeps an emergency.
 */

#include "api/auth/actor.h"
#include "api/auth/people.h"
#include "api/auth/token.h"
#include "api/auth/wiki.h"

#include <string.h>
#include <strings.h>
#include <time.h>

enum { ACTOR_E_REFUSED = 1, ACTOR_E_ASKING };

/* A request whose account is being asked about; in the arena of its exchange. */
struct inquiry {
	struct wiki_call call;
	const struct actor_gate *gate;
	struct exchange *exchange;
	enum audience audience;
	void (*next)(struct exchange *exchange);
	struct actor *actor;
};

static int64_t now_us(const struct actor_gate *gate)
{
	struct timespec now;

	if (gate->now_us)
		return gate->now_us();
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static struct slice slice_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

static bool is_digits_and_dots(struct slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.at[i] != '.' && (text.at[i] < '0' || text.at[i] > '9'))
			return false;
	return true;
}

struct slice actor_subject(const struct exchange *exchange)
{
	const struct actor *actor = exchange->actor;

	if (!actor || actor->kind != ACTOR_ACCOUNT)
		return (struct slice){ NULL, 0 };
	return (struct slice){ (const char *)actor->id_ix, INDEX_SIZE };
}

/* Only the host part counts. A name that merely begins with 127. is not an address. */
bool actor_is_loopback_host(struct slice host)
{
	const char *colon;

	if (!host.at)
		return false;
	if (host.length >= 5 && memcmp(host.at, "[::1]", 5) == 0)
		return host.length == 5 || host.at[5] == ':';
	colon = memchr(host.at, ':', host.length);
	if (colon)
		host.length = (size_t)(colon - host.at);
	if (host.length == 9 && strncasecmp(host.at, "localhost", 9) == 0)
		return true;
	return host.length > 4 && memcmp(host.at, "127.", 4) == 0 && is_digits_and_dots(host);
}

/* The credentials behind a scheme name; at is NULL for another scheme. */
static struct slice behind_scheme(struct slice header, const char *scheme)
{
	size_t n = strlen(scheme);

	if (header.length < n + 2 || strncasecmp(header.at, scheme, n) != 0 || header.at[n] != ' ')
		return (struct slice){ NULL, 0 };
	return (struct slice){ header.at + n + 1, header.length - n - 1 };
}

static bool is_office(const struct exchange *exchange)
{
	return exchange->route && (exchange->route->flags & ROUTE_OFFICE);
}

/* What the database compares of an account. A name that no wiki would have is none. */
static int fill_indexes(const struct actor_gate *gate, struct arena *arena, struct actor *actor)
{
	struct slice scope = slice_of(actor->issuer->scope);
	int r = index_of_id(gate->index_key, slice_of(actor->issuer->iss), scope, actor->id,
			    actor->id_ix);

	if (!r && actor->user.at)
		r = index_of_name(gate->index_key, arena, scope, actor->user, actor->name_ix);
	return r > 0 ? ACTOR_E_REFUSED : r;
}

static void on_wiki(struct wiki_call *call, enum wiki_outcome outcome,
		    const struct wiki_identity *identity, struct slice access_token);

/* 0, ACTOR_E_REFUSED, negative; ACTOR_E_ASKING: on_wiki() has run or will. */
static int read_account(struct inquiry *inquiry, struct slice text)
{
	const struct actor_gate *gate = inquiry->gate;
	struct exchange *exchange = inquiry->exchange;
	struct actor *actor = inquiry->actor;
	const struct person *person = NULL;
	struct token token;
	int r;

	r = token_check(exchange->arena, &gate->issuers, text, now_us(gate), &token);
	if (r)
		return r > 0 ? ACTOR_E_REFUSED : r;
	actor->kind = ACTOR_ACCOUNT;
	actor->issuer = token.issuer;
	actor->id = token.id;
	actor->is_full = token.client->is_full;
	if (!token.issuer->is_demo) {
		inquiry->call.is_urgent = inquiry->audience == AUDIENCE_EMERGENCY;
		inquiry->call.done = on_wiki;
		wiki_check(gate->wiki, token.issuer, token.jti, text, is_office(exchange),
			   &inquiry->call);
		return ACTOR_E_ASKING;
	}
	if (!actor_is_loopback_host(exchange->headers[HTTP_HEADER_HOST]))
		return ACTOR_E_REFUSED;
	if (token.issuer->people)
		person = people_find(token.issuer->people, token.id);
	if (person)
		actor->user = slice_of(person->user);
	return fill_indexes(gate, exchange->arena, actor);
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
	return receipt_hash(&receipt, actor->receipt_hash);
}

static int read_actor(struct inquiry *inquiry)
{
	struct slice header = inquiry->exchange->headers[HTTP_HEADER_AUTHORIZATION];
	struct slice bearer, receipt;

	if (!header.at)
		return 0;
	bearer = behind_scheme(header, "Bearer");
	if (bearer.at)
		return read_account(inquiry, bearer);
	receipt = behind_scheme(header, "Receipt");
	if (receipt.at)
		return read_receipt(receipt, inquiry->actor);
	return ACTOR_E_REFUSED;
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

/* Ends the inquiry: `r` as of read_actor(), but for ACTOR_E_ASKING. */
static void conclude(struct inquiry *inquiry, int r)
{
	struct exchange *exchange = inquiry->exchange;
	struct actor *actor = inquiry->actor;

	if (r < 0) {
		exchange_fail(exchange, r);
		return;
	}
	if (r > 0 && inquiry->audience == AUDIENCE_EMERGENCY) {
		*actor = (struct actor){ .kind = ACTOR_ANONYMOUS, .is_unverified = true };
	} else if (r > 0) {
		exchange_refuse(exchange, 401, "conduct-unauthorized");
		return;
	}
	r = check_audience(actor, inquiry->audience);
	if (r) {
		exchange_refuse(exchange, r,
				r == 401 ? "conduct-unauthorized" : "conduct-wrong-scope");
		return;
	}
	if (is_office(exchange) && (actor->is_blocked || actor->is_temporary)) {
		exchange_refuse(exchange, 403, "conduct-forbidden");
		return;
	}
	exchange->actor = actor;
	inquiry->next(exchange);
}

/* The wiki's word on the account. Where a key vouches for the token, the wiki must mean the same
 * person: another one is a wiki that this issuer is not. */
static int take_identity(struct inquiry *inquiry, const struct wiki_identity *identity)
{
	struct arena *arena = inquiry->exchange->arena;
	struct actor *actor = inquiry->actor;

	if (!actor->issuer->is_profile_only &&
	    (identity->id.length != actor->id.length ||
	     memcmp(identity->id.at, actor->id.at, actor->id.length) != 0))
		return ACTOR_E_REFUSED;
	actor->id = (struct slice){ arena_strndup(arena, identity->id.at, identity->id.length),
				    identity->id.length };
	if (identity->user_name.length)
		actor->user = (struct slice){ arena_strndup(arena, identity->user_name.at,
							    identity->user_name.length),
					      identity->user_name.length };
	if (!actor->id.at || (identity->user_name.length && !actor->user.at))
		return -ENOMEM;
	actor->is_blocked = identity->is_blocked;
	actor->is_temporary = identity->is_temporary;
	return fill_indexes(inquiry->gate, arena, actor);
}

static void on_wiki(struct wiki_call *call, enum wiki_outcome outcome,
		    const struct wiki_identity *identity, struct slice access_token)
{
	struct inquiry *inquiry = (struct inquiry *)(void *)((char *)call -
							     offsetof(struct inquiry, call));

	if (outcome == WIKI_AWAY && inquiry->audience != AUDIENCE_EMERGENCY) {
		exchange_reply_problem(inquiry->exchange,
				       &(struct problem){ .status = 503,
							  .key = "conduct-unavailable",
							  .retry_after_s = call->retry_after_s });
		return;
	}
	conclude(inquiry,
		 outcome == WIKI_LIVE ? take_identity(inquiry, identity) : ACTOR_E_REFUSED);
}

/**
 * actor_authenticate() - the gate of every row that is not public
 * @context: struct actor_gate
 *
 * Sets exchange->actor and calls next(), or answers 401, 403 or 503; at once or later.
 */
void actor_authenticate(void *context, struct exchange *exchange, enum audience audience,
			void (*next)(struct exchange *exchange))
{
	struct inquiry *inquiry = arena_alloc(exchange->arena, sizeof(*inquiry));
	struct actor *actor = arena_alloc(exchange->arena, sizeof(*actor));
	int r;

	if (!inquiry || !actor) {
		exchange_fail(exchange, -ENOMEM);
		return;
	}
	*inquiry = (struct inquiry){ .gate = context,
				     .exchange = exchange,
				     .audience = audience,
				     .next = next,
				     .actor = actor };
	r = read_actor(inquiry);
	if (r != ACTOR_E_ASKING)
		conclude(inquiry, r);
}
