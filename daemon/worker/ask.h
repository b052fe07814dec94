#pragma once
/* One question about a wiki account on its way: exchange, profile, person. For the worker alone. */

#include "daemon/crypto/crypto.h"
#include "daemon/ipc/wiki.h"
#include "daemon/pg/pg.h"
#include "daemon/worker/identity.h"

enum { IDENTITY_PEER_LIMIT = PAGE_WEB_LIMIT + 8, ASK_PARAMS = 8 };

/* A wiki that may be asked, and how it stands; texts are of the terms. */
struct identity_wiki {
	const char *name;
	const char *iss;
	const char *scope;
	const char *profile;
	const char *access_token;
	const char *login_client; /* NULL: no login */
	const char *secret_file;
	unsigned n_failures; /* in a row */
	int64_t away_until_ms;
};

struct waiting {
	struct ipc_channel *channel; /* NULL: gone */
	uint32_t id;
};

struct ask {
	struct identity *identity;
	struct ask *next;
	struct arena *arena; /* everything the question is made of */
	uint8_t key[CRYPTO_SHA256_SIZE];
	bool is_exchange;
	const char *iss;
	const char *scope;
	const char *profile;
	const char *token_url;
	const char *form; /* of an exchange, with the secret in it; wiped at the end */
	const char *token;
	struct fetch_call fetch;
	int64_t asked_ms; /* when it left */
	struct pg_call person;
	struct pg_param params[ASK_PARAMS];
	bool is_named_again; /* the name is sealed in the unit that the database named */
	struct ipc_wiki_answer answer;
	struct waiting *waiting;
	size_t n_waiting;
};

struct identity {
	struct worker *worker;
	struct fetch_client *client;
	struct fetch_client *retired; /* of the terms before, until its calls have ended */
	struct event *sweep;
	struct identity_wiki wikis[IDENTITY_WIKI_LIMIT];
	size_t n_wikis;
	struct ipc_channel *peers[IDENTITY_PEER_LIMIT];
	struct ask *asks;
	size_t n_asks;
	bool is_ending;
};

/* identity.c */
void identity_note(struct identity *identity, const char *iss, bool is_answer,
		   unsigned retry_after_s);
void identity_answer(struct ask *ask, const struct ipc_wiki_answer *answer);

/* ask.c. NULL: out of memory, or the secret cannot be read. */
struct ask *ask_new_check(struct identity *identity, const struct identity_wiki *wiki,
			  struct slice token);
struct ask *ask_new_exchange(struct identity *identity, const struct identity_wiki *wiki,
			     const struct ipc_wiki_exchange *exchange);
/* Ends with identity_answer(), maybe before it returns. */
void ask_run(struct ask *ask);
void ask_free(struct ask *ask);
