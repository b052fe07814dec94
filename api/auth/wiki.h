#pragma once
/* What the wiki says of an account: asked for by the worker, remembered here for a little while. */

#include "api/auth/issuer.h"
#include "daemon/ipc/channel.h"

enum {
	WIKI_POSITIVE_S = 300,  /* how long a good answer holds */
	WIKI_PRIVILEGED_S = 60, /* the same, for acts that need a right */
	WIKI_NEGATIVE_S = 30,
	WIKI_DEADLINE_MS = 11000, /* the worker gives up before */
	WIKI_URGENT_MS = 1500,    /* an emergency waits no longer */
	WIKI_RETRY_S = 5,         /* Retry-After where the wiki names none */
};

enum wiki_outcome {
	WIKI_LIVE,
	WIKI_REFUSED, /* revoked, locked, unknown: 401 */
	WIKI_AWAY,    /* down, slow, 429, garbage: 503 and Retry-After */
};

/* Texts are borrowed until done() returns. */
struct wiki_identity {
	struct slice id;        /* central id, digits */
	struct slice user_name; /* empty: hidden */
	bool is_blocked;
	bool is_temporary;
};

/* Lives in the caller's struct until done() has been called, exactly once. */
struct wiki_call {
	/* identity is NULL unless WIKI_LIVE; access_token is there after an exchange alone. */
	void (*done)(struct wiki_call *call, enum wiki_outcome outcome,
		     const struct wiki_identity *identity, struct slice access_token);
	bool is_urgent;         /* rather WIKI_AWAY than waiting; set by the caller */
	unsigned retry_after_s; /* set before done(): for WIKI_AWAY */
	struct wiki_call *next; /* the wiki's own */
};

struct wiki;

/* One for each web process. *worker is NULL while there is none; now_ms NULL: the monotonic clock.
 */
int wiki_new(struct ipc_channel *const *worker, int64_t (*now_ms)(void), struct wiki **ret_wiki);
/* The channel has to be closed before, which answers what is open. Returns NULL. */
struct wiki *wiki_free(struct wiki *wiki);

/* Whether the token is still good, and whose it is. done() may run before this returns. */
void wiki_check(struct wiki *wiki, const struct issuer *issuer, struct slice jti,
		struct slice token, bool is_privileged, struct wiki_call *call);
/* An authorization code for an access token, through the worker, which alone has the secret of the
 * issuer's login client; the account's identity comes with it. */
void wiki_exchange(struct wiki *wiki, const struct issuer *issuer, struct slice code,
		   struct slice verifier, struct slice redirect_uri, struct wiki_call *call);
