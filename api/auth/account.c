/*
 * An account is a token that holds, and a wiki that stands by it. Both are asked each time: keys
 * and clients change with the configuration, and revocation shows at the wiki alone.
 */

#include "api/auth/account.h"
#include "api/auth/people.h"
#include "daemon/base/text.h"

#include <time.h>

int64_t actor_now_us(const struct actor_gate *gate)
{
	struct timespec now;

	if (gate->now_us)
		return gate->now_us();
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* What the database compares of an account. A user without a name is hidden: who that is says the
 * id alone. */
static int fill(const struct account_check *check, struct slice id, struct slice user)
{
	struct arena *arena = check->exchange->arena;
	struct actor *actor = check->actor;
	struct slice scope = text_slice(actor->issuer->scope);
	int r;

	actor->kind = ACTOR_ACCOUNT;
	actor->id = (struct slice){ arena_strndup(arena, id.at, id.length), id.length };
	if (!actor->id.at)
		return -ENOMEM;
	r = index_of_id(check->gate->index_key, text_slice(actor->issuer->iss), scope, actor->id,
			actor->id_ix);
	if (!r && user.length) {
		actor->user = (struct slice){ arena_strndup(arena, user.at, user.length),
					      user.length };
		if (!actor->user.at)
			return -ENOMEM;
		r = index_of_name(check->gate->index_key, arena, scope, actor->user,
				  actor->name_ix);
	}
	return r > 0 ? ACCOUNT_E_REFUSED : r;
}

/* The demo issuer stands by its people itself, on loopback alone. */
void account_check_demo(struct account_check *check, const struct issuer *issuer, struct slice id)
{
	const struct person *person = issuer->people ? people_find(issuer->people, id) : NULL;
	int r = ACCOUNT_E_REFUSED;

	check->actor->issuer = issuer;
	if (issuer->is_demo && origin_is_loopback(check->exchange->headers[HTTP_HEADER_HOST]))
		r = fill(check, id, text_slice(person ? person->user : ""));
	check->done(check, r);
}

/* The wiki's word on the account. Where a key vouches for the token, the wiki must mean the same
 * person: another one is a wiki that this issuer is not. */
static int take_identity(const struct account_check *check, const struct wiki_identity *identity)
{
	if (!check->actor->issuer->is_profile_only && !text_equals(identity->id, check->token.id))
		return ACCOUNT_E_REFUSED;
	check->actor->is_blocked = identity->is_blocked;
	check->actor->is_temporary = identity->is_temporary;
	return fill(check, identity->id, identity->user_name);
}

static void on_wiki(struct wiki_call *call, enum wiki_outcome outcome,
		    const struct wiki_identity *identity, struct slice access_token)
{
	struct account_check *check =
		(struct account_check *)(void *)((char *)call -
						 offsetof(struct account_check, wiki));

	(void)access_token;
	check->retry_after_s = call->retry_after_s;
	check->done(check, outcome == WIKI_LIVE   ? take_identity(check, identity)
			   : outcome == WIKI_AWAY ? ACCOUNT_E_AWAY
						  : ACCOUNT_E_REFUSED);
}

/* The scope of the token's client becomes the actor's. */
void account_check(struct account_check *check, struct slice text)
{
	int r = token_check(check->exchange->arena, &check->gate->issuers, text,
			    actor_now_us(check->gate), &check->token);

	if (r) {
		check->done(check, r > 0 ? ACCOUNT_E_REFUSED : r);
		return;
	}
	check->actor->issuer = check->token.issuer;
	check->actor->is_full = check->token.client->is_full;
	if (check->token.issuer->is_demo) {
		account_check_demo(check, check->token.issuer, check->token.id);
	} else if (!check->gate->wiki) {
		check->done(check, ACCOUNT_E_AWAY);
	} else {
		check->wiki.done = on_wiki;
		wiki_check(check->gate->wiki, check->token.issuer, check->token.jti, text,
			   check->is_privileged, &check->wiki);
	}
}
