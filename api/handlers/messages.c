/* Conversations of a case. Which one is meant stands in the query: channel, and party where it has
 * one. */

#include "api/handlers/messages.h"
#include "api/handlers/page.h"
#include "api/handlers/place.h"
#include "daemon/base/text.h"

static const struct page messages = { "case-messages", "tu" };

/* False: 400 has been sent. */
static bool read_channel(struct exchange *exchange, struct slice *ret_channel,
			 struct slice *ret_party)
{
	static const char *const channels[] = { "reporter", "respondent", "witness", "internal" };
	struct slice channel = exchange_query(exchange, "channel");
	struct slice party = exchange_query(exchange, "party");
	bool is_known = false;

	for (size_t i = 0; i < ARRAY_SIZE(channels); i++)
		is_known |= text_equals(channel, text_slice(channels[i]));
	if (!channel.at || !is_known || (party.at && !text_is_uuid(party))) {
		verb_refuse_parameter(exchange);
		return false;
	}
	*ret_channel = channel;
	*ret_party = party;
	return true;
}

static void finish_list(struct call *call, const struct call_answer *answer)
{
	page_reply(call->userdata, &messages, answer);
}

void messages_list(struct exchange *exchange)
{
	struct call *call = verb_begin(exchange, STATEMENT_CASE_MESSAGES, PG_LANE_READ);
	struct slice channel, party;
	const struct value *after;
	unsigned limit;

	if (!call || !read_channel(exchange, &channel, &party) ||
	    !page_read(exchange, &messages, &limit, &after))
		return;
	verb_add_account(exchange, call);
	call_add_text(call, exchange_param(exchange, 0));
	call_add_text(call, channel);
	call_add_text(call, party);
	call_add_integer(call, limit);
	call_add_json(call, after);
	verb_pass(exchange, call, finish_list);
}

void messages_post(struct exchange *exchange)
{
	struct call *call = verb_begin(exchange, STATEMENT_CASE_MESSAGE_POST, PG_LANE_ACT);
	struct slice which[2];
	struct form_check *check;
	struct place *place;
	struct value *args;
	int r;

	if (!call || !read_channel(exchange, &which[0], &which[1]) ||
	    !verb_read_body(exchange, action_message, &check, &args))
		return;
	r = value_set_text(args, "channel", which[0]);
	if (!r && which[1].at)
		r = value_set_text(args, "party", which[1]);
	if (r) {
		exchange_fail(exchange, r);
		return;
	}
	verb_add_account(exchange, call);
	call_add_text(call, exchange_param(exchange, 0));
	verb_add_key(exchange, call, which, ARRAY_SIZE(which));
	call_add_json(call, args);
	place = place_new(exchange, call, &check->words, STATEMENT_CASE_PLACE);
	if (!place)
		return;
	place->is_message = true;
	verb_add_account(exchange, &place->call);
	call_add_text(&place->call, exchange_param(exchange, 0));
	call_add_text(&place->call, which[0]);
	call_add_text(&place->call, which[1]);
	place_and_pass(place, verb_reply);
}
