/* Roles are granted for a body and a time, and ended; whoever grants sees no case. */

#include "api/handlers/grants.h"
#include "api/handlers/page.h"

static const struct page grants = { "grants", "tu" };

static void finish_list(struct call *call, const struct call_answer *answer)
{
	page_reply(call->userdata, &grants, answer);
}

void grants_list(struct exchange *exchange)
{
	struct call *call = verb_begin(exchange, STATEMENT_GRANT_LIST, PG_LANE_READ);
	const struct value *after;
	unsigned limit;

	if (!call || !page_read(exchange, &grants, &limit, &after))
		return;
	verb_add_account(exchange, call);
	call_add_integer(call, limit);
	call_add_json(call, after);
	verb_pass(exchange, call, finish_list);
}

static void change(struct exchange *exchange, enum statement_id statement, const struct form *form)
{
	struct call *call = verb_begin(exchange, statement, PG_LANE_ACT);
	struct form_check *check;
	struct value *args;

	if (!call || !verb_read_body(exchange, form, &check, &args))
		return;
	verb_add_account(exchange, call);
	verb_add_key(exchange, call, NULL, 0);
	call_add_json(call, args);
	call_add_words(call, &check->words);
	verb_pass(exchange, call, verb_reply);
}

void grants_add(struct exchange *exchange)
{
	change(exchange, STATEMENT_GRANT_ADD, action_grant);
}

void grants_end_named(struct exchange *exchange)
{
	change(exchange, STATEMENT_GRANT_END_NAMED, action_grant_end);
}

void grants_end(struct exchange *exchange)
{
	struct call *call = verb_begin(exchange, STATEMENT_GRANT_END, PG_LANE_ACT);

	if (!call)
		return;
	verb_add_account(exchange, call);
	call_add_text(call, exchange_param(exchange, 0));
	verb_add_key(exchange, call, NULL, 0);
	verb_pass(exchange, call, verb_reply);
}
