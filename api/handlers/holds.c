/* Legal holds as whoever sees no case has them: placed by a case's id, listed without it, ended. */

#include "api/handlers/holds.h"
#include "api/handlers/page.h"

static const struct page holds = { "holds", "tu" };

static void finish_list(struct call *call, const struct call_answer *answer)
{
	page_reply(call->userdata, &holds, answer);
}

void holds_list(struct exchange *exchange)
{
	struct call *call = verb_begin(exchange, STATEMENT_HOLD_LIST, PG_LANE_READ);
	const struct value *after;
	unsigned limit;

	if (!call || !page_read(exchange, &holds, &limit, &after))
		return;
	verb_add_account(exchange, call);
	call_add_integer(call, limit);
	call_add_json(call, after);
	verb_pass(exchange, call, finish_list);
}

void holds_add(struct exchange *exchange)
{
	struct call *call = verb_begin(exchange, STATEMENT_HOLD_ADD, PG_LANE_ACT);
	struct form_check *check;
	struct value *args;

	if (!call || !verb_read_body(exchange, action_hold, &check, &args))
		return;
	verb_add_account(exchange, call);
	verb_add_key(exchange, call, NULL, 0);
	call_add_json(call, args);
	verb_pass(exchange, call, verb_reply);
}

void holds_end(struct exchange *exchange)
{
	struct call *call = verb_begin(exchange, STATEMENT_HOLD_END, PG_LANE_ACT);

	if (!call)
		return;
	verb_add_account(exchange, call);
	call_add_text(call, exchange_param(exchange, 0));
	verb_add_key(exchange, call, NULL, 0);
	verb_pass(exchange, call, verb_reply);
}
