#pragma once
/* The events of one proceeding, which follow each other from "new" up to its head. */

#include "daemon/base/text.h"
#include "daemon/json/value.h"

enum { CHAIN_STATE_MAX = 40 };

struct chain {
	char proceeding[TEXT_UUID_LENGTH + 1];
	int64_t seq; /* of the last event; 0: none yet */
	int64_t revision;
	char state[CHAIN_STATE_MAX + 1];
};

enum { CHAIN_E_NONE = 1, CHAIN_E_OTHER };

/* 0; CHAIN_E_NONE: this is no event; or CHAIN_E_OTHER: it does not follow the one before, and is
 * the last one all the same. */
int chain_follow(struct chain *chain, const struct value *event);
/* Whether the events lead to this head; the next proceeding may begin. */
bool chain_end(struct chain *chain, struct slice proceeding, struct slice version,
	       struct slice state);
