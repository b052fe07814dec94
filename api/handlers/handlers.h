#pragma once
/* What every handler of one web process uses: exchange->application points to it. */

#include "api/auth/issuer.h"
#include "api/http/exchange.h"
#include "daemon/cases/names.h"
#include "daemon/cases/seal.h"
#include "daemon/pg/pg.h"
#include "policy/set.h"

struct actor_gate;       /* api/auth/actor.h */
struct handlers_account; /* a user name's index beside its account's */
struct origins;
struct policy_cache;
struct policy_load;

struct handlers {
	struct pg_pool *pool;          /* borrowed; its statements are those of daemon/cases */
	struct sealer *sealer;         /* borrowed: seals and opens words */
	const struct actor_gate *gate; /* borrowed: whom people sign in with */
	struct policy_set *policy;     /* counted; NULL until the published set has been read */
	struct policy_cache *cache;    /* of `policy` */
	struct origins *origins;       /* of the wikis of `policy` */
	const struct issuer_table *issuers; /* borrowed */
	struct names names;                 /* of no wiki in particular */
	struct handlers_account *accounts;  /* of the demo people, sorted by name_ix */
	size_t n_accounts;
	struct policy_load *load; /* under way, or NULL */
	bool must_load_again;     /* something was published meanwhile */
	bool is_closing;          /* no further load is begun */
};

#define HANDLERS_NULL \
	{             \
		0     \
	}

enum {
	HANDLERS_E_ABSENT = 1,  /* nothing is published */
	HANDLERS_E_UNREADABLE,  /* the published set is not one this program reads */
	HANDLERS_E_UNAVAILABLE, /* the database does not answer */
	HANDLERS_E_INDEX_KEY,   /* the database's indexes were made with another key */
};

/* `pool`, `key`, `sealer` and `issuers` are borrowed for the life of *handlers. */
int handlers_init(struct handlers *handlers, struct pg_pool *pool, const struct index_key *key,
		  struct sealer *sealer, const struct issuer_table *issuers);
/* No call of a handler may be in flight. */
void handlers_deinit(struct handlers *handlers);
/* How names of a wiki become indexes; at NULL: of no wiki in particular. */
struct names handlers_names_of(const struct handlers *handlers, struct slice wiki);
void handlers_swap_policy_take(struct handlers *handlers, struct policy_set *set);
/* A wiki's own pages may report; fits server_config.is_wiki_origin. */
bool handlers_know_origin(void *application, struct slice origin);
/* Reads the published set; what was in use stays so until then. done(context, outcome) runs once
 * for each call that returned 0: outcome 0, HANDLERS_E_… or negative. While a load is under way
 * another one follows it, and only the latest done() is kept: 1 is returned for what joined it. */
int handlers_load_policy(struct handlers *handlers, void (*done)(void *context, int outcome),
			 void *context);
