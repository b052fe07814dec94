#pragma once
/* From a wiki's token, or a demo person, to an account that is good at this moment. */

#include "api/auth/actor.h"
#include "api/auth/token.h"
#include "api/auth/wiki.h"

enum {
	ACCOUNT_E_REFUSED =
		1,      /* the token does not hold, or the wiki no longer stands by it: 401 */
	ACCOUNT_E_AWAY, /* the wiki cannot be asked: 503, never anonymous, never allowed */
};

/* Lives in the caller's struct until done(), which runs once, maybe before account_check() returns.
 */
struct account_check {
	/* 0 (*actor is filled), ACCOUNT_E_…, or negative. */
	void (*done)(struct account_check *check, int outcome);
	void *userdata;
	const struct actor_gate *gate;
	struct exchange *exchange;
	struct actor *actor;
	bool is_privileged;     /* a right of office: the wiki's answer may be less old */
	struct wiki_call wiki;  /* is_urgent is the caller's to set */
	unsigned retry_after_s; /* of ACCOUNT_E_AWAY; 0: not known */
	struct token token;     /* filled when it holds */
};

/* `text` is borrowed until done(). */
void account_check(struct account_check *check, struct slice text);
/* The same for a demo person, who has no token. */
void account_check_demo(struct account_check *check, const struct issuer *issuer, struct slice id);
