#pragma once
/* Who is asking: the Authorization header, or the session's cookie, as an actor. */

#include "api/auth/issuer.h"
#include "api/auth/origin.h"
#include "api/auth/receipt.h"
#include "api/http/exchange.h"
#include "daemon/keys/index.h"

enum actor_kind { ACTOR_ANONYMOUS, ACTOR_ACCOUNT, ACTOR_RECEIPT };

struct actor {
	enum actor_kind kind;
	bool is_unverified; /* AUDIENCE_EMERGENCY: the credential did not hold and was dropped */
	/* ACTOR_ACCOUNT */
	const struct issuer *issuer;
	struct slice id;   /* central id, digits */
	struct slice user; /* user name; at is NULL when the issuer tells none */
	uint8_t id_ix[INDEX_SIZE];
	uint8_t name_ix[INDEX_SIZE]; /* all zero without a user name */
	bool is_full;                /* the client's scope; else it may only report */
	bool is_blocked;             /* by the wiki: no right of office is used */
	bool is_temporary;           /* an account that expires: the same */
	/* ACTOR_RECEIPT; of a malformed receipt it is a hash that no receipt has */
	uint8_t receipt_hash[RECEIPT_HASH_SIZE];
	uint8_t receipt_secret[RECEIPT_SECRET_SIZE]; /* opens the holder's channel */
};

struct pg_pool;
struct wiki;

/* The context of the gate. Everything is borrowed. */
struct actor_gate {
	struct issuer_table issuers;
	const struct index_key *index_key;
	struct wiki *wiki;    /* needed by issuers other than the demo's */
	struct pg_pool *pool; /* of sessions */
	const char
		*own_origin; /* of conductd's own pages; NULL or empty: as Host says, on loopback */
	int64_t (*now_us)(void); /* NULL: the system's clock */
};

/* Fits struct exchange_gate; `context` is a struct actor_gate. */
void actor_authenticate(void *context, struct exchange *exchange, enum audience audience,
			void (*next)(struct exchange *exchange));
int64_t actor_now_us(const struct actor_gate *gate); /* since 1970 */
/* The account's index, for its budgets; at NULL for who has none. Fits struct exchange_gate. */
struct slice actor_subject(const struct exchange *exchange);
