/*
 * One handler for all actions on a case: the table says which there are and what they take, the
 * database who may, and from which state.
 */

#include "api/handlers/actions.h"
#include "api/handlers/verb.h"
#include "api/handlers/word.h"

/* A revision that no case has: a tag that is none is stale, and says so in its turn. */
enum { REVISION_NONE = -1 };

/* False: 428 has been sent. */
static bool add_revision(struct exchange *exchange, const struct action *action, struct call *call)
{
	int64_t revision = REVISION_NONE;
	int r = exchange_read_if_match(exchange, &revision);

	if (r == EXCHANGE_E_ABSENT && action->needs_revision) {
		exchange_refuse(exchange, 428, "conduct-precondition-required");
		return false;
	}
	if (r == EXCHANGE_E_ABSENT)
		call_add_text(call, (struct slice){ NULL, 0 });
	else
		call_add_integer(call, r || revision > INT32_MAX ? REVISION_NONE : revision);
	return true;
}

void actions_act(struct exchange *exchange)
{
	const struct action *action = action_find(ACTION_HANDLER, exchange_param(exchange, 1));
	struct form_check *check;
	struct value *args;
	struct slice scope;
	struct call *call;

	if (!action) {
		exchange_refuse(exchange, 404, "conduct-not-found");
		return;
	}
	call = verb_begin(exchange, action->statement, PG_LANE_ACT);
	if (!call)
		return;
	verb_add_account(exchange, call);
	call_add_text(call, exchange_param(exchange, 0));
	if (!add_revision(exchange, action, call) ||
	    !verb_read_body(exchange, action->body, &check, &args))
		return;
	scope = verb_add_key(exchange, call, NULL, 0);
	if (action_gives_word(action) && !word_add(exchange, scope, args))
		return;
	call_add_json(call, args);
	/* A case file's key unit has the id of its case. */
	verb_add_words(exchange, call, &check->words, exchange_param(exchange, 0));
	verb_pass(exchange, call, action_gives_word(action) ? word_reply_case : verb_reply_case);
}
