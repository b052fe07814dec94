/*
 * Turns credentials into an actor, and holds it against the audience of the row. Every fault of a
 * token is the same 401: which one it was would help whoever tries tokens. A receipt is never
 * refused here: one that is malformed looks up like one that is unknown.
 */

#include "api/auth/actor.h"
#include "api/auth/people.h"
#include "api/auth/token.h"

#include <string.h>
#include <strings.h>
#include <time.h>

enum { ACTOR_E_REFUSED = 1 };

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

static int read_account(const struct actor_gate *gate, struct exchange *exchange, struct slice text,
			struct actor *actor)
{
	const struct person *person = NULL;
	struct token token;
	struct slice scope;
	int r;

	r = token_check(exchange->arena, &gate->issuers, text, now_us(gate), &token);
	if (r)
		return r > 0 ? ACTOR_E_REFUSED : r;
	if (token.issuer->is_demo && !actor_is_loopback_host(exchange->headers[HTTP_HEADER_HOST]))
		return ACTOR_E_REFUSED;
	actor->kind = ACTOR_ACCOUNT;
	actor->issuer = token.issuer;
	actor->id = token.id;
	actor->is_full = token.client->is_full;
	scope = slice_of(token.issuer->scope);
	r = index_of_id(gate->index_key, slice_of(token.issuer->iss), scope, token.id,
			actor->id_ix);
	if (r)
		return r > 0 ? ACTOR_E_REFUSED : r;
	if (token.issuer->people)
		person = people_find(token.issuer->people, token.id);
	if (!person)
		return 0;
	actor->user = slice_of(person->user);
	r = index_of_name(gate->index_key, exchange->arena, scope, actor->user, actor->name_ix);
	return r > 0 ? ACTOR_E_REFUSED : r;
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

static int read_actor(const struct actor_gate *gate, struct exchange *exchange, struct actor *actor)
{
	struct slice header = exchange->headers[HTTP_HEADER_AUTHORIZATION];
	struct slice bearer, receipt;

	if (!header.at)
		return 0;
	bearer = behind_scheme(header, "Bearer");
	if (bearer.at)
		return read_account(gate, exchange, bearer, actor);
	receipt = behind_scheme(header, "Receipt");
	if (receipt.at)
		return read_receipt(receipt, actor);
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

/**
 * actor_authenticate() - the gate of every row that is not public
 * @context: struct actor_gate
 *
 * Sets exchange->actor and calls next(), or answers 401 or 403.
 */
void actor_authenticate(void *context, struct exchange *exchange, enum audience audience,
			void (*next)(struct exchange *exchange))
{
	const struct actor_gate *gate = context;
	struct actor *actor = arena_alloc(exchange->arena, sizeof(*actor));
	int r = actor ? read_actor(gate, exchange, actor) : -ENOMEM;

	if (r < 0) {
		exchange_fail(exchange, r);
		return;
	}
	if (r > 0 && audience == AUDIENCE_EMERGENCY) {
		*actor = (struct actor){ .kind = ACTOR_ANONYMOUS, .is_unverified = true };
	} else if (r > 0) {
		exchange_refuse(exchange, 401, "conduct-unauthorized");
		return;
	}
	r = check_audience(actor, audience);
	if (r) {
		exchange_refuse(exchange, r,
				r == 401 ? "conduct-unauthorized" : "conduct-wrong-scope");
		return;
	}
	exchange->actor = actor;
	next(exchange);
}
