/*
 * An event has the next number, comes from the state that the one before led to, and the revision
 * of its case does not go back.
 */

#include "daemon/audit/chain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int chain_follow(struct chain *chain, const struct value *event)
{
	const char *proceeding = value_get_string(event, "proceeding_id");
	const char *from = value_get_string(event, "from_state");
	struct slice to = value_text(value_get(event, "to_state"));
	int64_t seq = value_integer(value_get(event, "seq"), -1);
	int64_t revision = value_integer(value_get(event, "revision"), -1);
	bool follows;

	if (!proceeding || !from || !to.at || strlen(proceeding) != TEXT_UUID_LENGTH ||
	    to.length > CHAIN_STATE_MAX)
		return CHAIN_E_NONE;
	if (chain->seq == 0)
		memcpy(chain->proceeding, proceeding, sizeof(chain->proceeding));
	follows = strcmp(chain->proceeding, proceeding) == 0 && seq == chain->seq + 1 &&
		  strcmp(from, chain->seq ? chain->state : "new") == 0 &&
		  revision >= chain->revision;
	chain->seq = seq;
	chain->revision = revision;
	memcpy(chain->state, to.at, to.length);
	chain->state[to.length] = '\0';
	return follows ? 0 : CHAIN_E_OTHER;
}

bool chain_end(struct chain *chain, struct slice proceeding, struct slice version,
	       struct slice state)
{
	char number[24];
	bool is_head;

	(void)snprintf(number, sizeof(number), "%" PRId64, chain->seq);
	is_head = text_equals(proceeding, text_slice(chain->proceeding)) &&
		  text_equals(version, text_slice(number)) &&
		  text_equals(state, text_slice(chain->state));
	*chain = (struct chain){ 0 };
	return is_head;
}
