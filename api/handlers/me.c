/* The person who asks: roles and bodies, and the cases they are a party of. */

#include "api/handlers/me.h"
#include "api/handlers/verb.h"

static void show(struct exchange *exchange, enum statement_id statement)
{
	struct call *call = verb_begin(exchange, statement, PG_LANE_READ);

	if (!call)
		return;
	verb_add_account(exchange, call);
	verb_pass(exchange, call, verb_reply);
}

void me_show(struct exchange *exchange)
{
	show(exchange, STATEMENT_ME);
}

void me_list_participations(struct exchange *exchange)
{
	show(exchange, STATEMENT_ME_PARTICIPATIONS);
}
