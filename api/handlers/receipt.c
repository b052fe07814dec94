/*
 * What a party reads and does: by receipt, or by account and participation. No answer here has an
 * ETag: it would tell one party of another's moves.
 */

#include "api/handlers/receipt.h"
#include "api/handlers/page.h"
#include "api/handlers/place.h"
#include "daemon/base/text.h"

static const struct page messages = { "receipt-messages", "tu" };
static const struct page files = { "receipt-attachments", "tu" };

void receipt_show(struct exchange *exchange)
{
	struct call *call = verb_begin(exchange, STATEMENT_RECEIPT_SHOW, PG_LANE_READ);

	if (call && verb_add_party(exchange, call))
		verb_pass(exchange, call, verb_reply);
}

static void list(struct exchange *exchange, enum statement_id statement, const struct page *page,
		 void (*done)(struct call *call, const struct call_answer *answer))
{
	struct call *call = verb_begin(exchange, statement, PG_LANE_READ);
	const struct value *after;
	unsigned limit;

	if (!call || !page_read(exchange, page, &limit, &after) || !verb_add_party(exchange, call))
		return;
	call_add_integer(call, limit);
	call_add_json(call, after);
	verb_pass(exchange, call, done);
}

static void finish_messages(struct call *call, const struct call_answer *answer)
{
	page_reply(call->userdata, &messages, answer);
}

void receipt_list_messages(struct exchange *exchange)
{
	list(exchange, STATEMENT_RECEIPT_MESSAGES, &messages, finish_messages);
}

static void finish_files(struct call *call, const struct call_answer *answer)
{
	page_reply(call->userdata, &files, answer);
}

/* Of the party's own. */
void receipt_list_attachments(struct exchange *exchange)
{
	list(exchange, STATEMENT_RECEIPT_ATTACHMENTS, &files, finish_files);
}

/* What the party writes is a message where it goes into the party's channel. */
static void act(struct exchange *exchange, enum statement_id statement, const struct form *form)
{
	struct slice participation = exchange_query(exchange, "participation");
	struct call *call = verb_begin(exchange, statement, PG_LANE_ACT);
	struct form_check *check;
	struct place *place;
	struct value *args;

	if (!call || !verb_add_party(exchange, call) ||
	    !verb_read_body(exchange, form, &check, &args))
		return;
	verb_add_key(exchange, call, &participation, 1);
	call_add_json(call, args);
	place = place_new(exchange, call, &check->words, STATEMENT_PARTY_PLACE);
	if (!place || !verb_add_party(exchange, &place->call))
		return;
	place->is_message = statement == STATEMENT_RECEIPT_MESSAGE_POST ||
			    statement == STATEMENT_PARTY_ANSWER;
	place_and_pass(place, verb_reply);
}

void receipt_post_message(struct exchange *exchange)
{
	act(exchange, STATEMENT_RECEIPT_MESSAGE_POST, action_message);
}

/* An appeal has an address of its own. */
void receipt_act(struct exchange *exchange)
{
	const struct action *action = action_find(ACTION_PARTY, exchange_param(exchange, 0));

	if (!action || action->statement == STATEMENT_PARTY_APPEAL)
		exchange_refuse(exchange, 404, "conduct-not-found");
	else
		act(exchange, action->statement, action->body);
}

void receipt_appeal(struct exchange *exchange)
{
	const struct action *action = action_find(ACTION_PARTY, text_slice("appeal"));

	act(exchange, action->statement, action->body);
}

/* There is nothing to say: who asks is who it is about. */
void receipt_ask_erasure(struct exchange *exchange)
{
	struct slice participation = exchange_query(exchange, "participation");
	struct call *call = verb_begin(exchange, STATEMENT_PARTY_ERASURE, PG_LANE_ACT);

	if (!call || !verb_add_party(exchange, call))
		return;
	verb_add_key(exchange, call, &participation, 1);
	verb_pass(exchange, call, verb_reply);
}
