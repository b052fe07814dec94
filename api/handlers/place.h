#pragma once
/* Where words go whose key unit only the database knows, or whose channel has a key of its own. */

#include "api/handlers/unit.h"

/* Before an act that is not sealed yet: lives in the exchange's arena. */
struct place {
	struct exchange *exchange;
	struct call *act; /* its words are the last parameters */
	struct words *words;
	bool is_message; /* of a channel: under the channel's key also where the vault is needed */
	void (*done)(struct call *call, const struct call_answer *answer);
	struct call call;
	struct unit_ask ask;
	uint8_t party_id[KEYS_ID_SIZE];
};

/* NULL: the exchange has been answered. `statement`'s parameters are the caller's to add to
 * `call`. */
struct place *place_new(struct exchange *exchange, struct call *act, struct words *words,
			enum statement_id statement);
/* Asks where the words go, seals them, and makes the act, which answers the exchange as
 * verb_pass() does. */
void place_and_pass(struct place *place,
		    void (*done)(struct call *call, const struct call_answer *answer));
