#pragma once
/* Who may issue tokens, as the configuration says. Borrowed by everything in this folder. */

#include "api/auth/known.h"

struct people;

enum { ISSUER_KEYS_MAX = 4 };

struct issuer_client {
	const char *id; /* the OAuth client id, `aud` of its tokens */
	bool is_full;   /* scope full; else report: its tokens read no case */
};

struct issuer {
	const char *iss;
	const char *scope;        /* of central ids: "CentralAuth", or a wiki's own */
	bool is_demo;             /* accepted only where Host is loopback; no wiki is asked */
	bool is_profile_only;     /* no key is known: the wiki's profile says whose a token is */
	const char *authorize;    /* where its login begins, or NULL */
	const char *login_client; /* the client of conductd's own pages, or NULL */
	const struct issuer_client *clients;
	size_t n_clients;
	const struct crypto_key *keys[ISSUER_KEYS_MAX]; /* while a key is replaced two hold */
	size_t n_keys;
	const char *const *wikis; /* whose names are of this issuer; none: those of no other */
	size_t n_wikis;
	int64_t lifetime_max_s;      /* exp - iat */
	const struct people *people; /* demo: user names by id; else NULL */
};

struct issuer_table {
	const struct issuer *issuers;
	size_t n_issuers;
	struct known_tokens *known; /* of these issuers and keys; NULL: each is checked anew */
};
