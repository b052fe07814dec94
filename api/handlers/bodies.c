/* A body and its members, for those who handle cases. */

#include "api/handlers/bodies.h"
#include "api/handlers/verb.h"
#include "daemon/cases/scalar.h"

void bodies_show(struct exchange *exchange)
{
	struct slice id = exchange_param(exchange, 0);
	struct call *call = verb_begin(exchange, STATEMENT_BODY_SHOW, PG_LANE_READ);

	if (!call)
		return;
	verb_add_account(exchange, call);
	/* No body has the empty name: what is no id is looked up like one that does not exist. */
	call_add_text(call, scalar_is_id(id) ? id : (struct slice){ "", 0 });
	verb_pass(exchange, call, verb_reply);
}
