/*
 * Three ways to seal what somebody writes. The holder of a receipt has the channel's key by the
 * receipt alone. Whoever else writes into a channel that has a key of its own gets it through the
 * vault, so that the holder of the receipt reads it. And everything else is sealed under a new key
 * of the unit, for which nobody needs to be asked.
 */

#include "api/handlers/place.h"
#include "daemon/base/text.h"
#include "daemon/cases/sealing.h"

#include <string.h>

struct place *place_new(struct exchange *exchange, struct call *act, struct words *words,
			enum statement_id statement)
{
	struct place *place = arena_alloc(exchange->arena, sizeof(*place));

	if (!place) {
		exchange_fail(exchange, -ENOMEM);
		return NULL;
	}
	place->exchange = exchange;
	place->ask.exchange = exchange;
	place->act = act;
	place->words = words;
	call_init(&place->call, exchange->arena, statement, PG_LANE_READ);
	return place;
}

static void pass(struct place *place, int error)
{
	if (error) {
		exchange_fail(place->exchange, error);
		return;
	}
	call_add_words(place->act, place->words);
	verb_pass(place->exchange, place->act, place->done);
}

/* The unit's key is here: from it the channel's. */
static void on_unit(struct unit_ask *ask, const struct unit_key *key)
{
	CLEANUP(unit_key_deinit) struct unit_key channel = { .generation = 0 };
	struct place *place = (struct place *)(void *)((char *)ask - offsetof(struct place, ask));
	int r = unit_key_derive_channel(key, place->party_id, &channel);

	if (!r)
		r = sealing_channel(place->words, verb_handlers(place->exchange)->sealer, &channel,
				    place->party_id);
	pass(place, r);
}

static void ask_vault(struct place *place, const struct value *body)
{
	int r = unit_ask_read(&place->ask, body);

	if (r) {
		exchange_fail(place->exchange, r);
		return;
	}
	verb_set_reader(place->exchange, place->act);
	unit_ask_start(&place->ask, place->act->reader.person, place->act->reader.case_id, on_unit);
}

/* The channel's key from its stanza and the receipt. A stanza that the receipt does not open is
 * damage. */
static void seal_by_receipt(struct place *place, const struct value *body)
{
	CLEANUP(unit_key_deinit)
	struct unit_key channel = { .generation = place->ask.unit.generation };
	struct sealer *sealer = verb_handlers(place->exchange)->sealer;
	uint8_t blob[STANZA_CHANNEL_SIZE];
	int r = unit_read_hex(body, "receipt", blob, sizeof(blob));

	memcpy(channel.unit_id, place->ask.unit.unit_id, KEYS_ID_SIZE);
	if (!r)
		r = stanza_channel_open(place->exchange->actor->receipt_secret,
					sealer->intake.deployment, place->party_id,
					(struct slice){ (char *)blob, sizeof(blob) }, &channel);
	if (r > 0) {
		verb_refuse(place->exchange,
			    &(struct call_answer){ .status = 500, .error_key = "conduct-damaged" });
		return;
	}
	if (!r)
		r = sealing_channel(place->words, sealer, &channel, place->party_id);
	pass(place, r);
}

static void on_place(struct call *call, const struct call_answer *answer)
{
	struct place *place = call->userdata;
	struct slice unit, party;

	if (answer->status >= 400) {
		verb_refuse(place->exchange, answer);
		return;
	}
	unit = value_text(value_get(answer->body, "unit"));
	party = value_text(value_get(answer->body, "party"));
	place->ask.unit.generation = (uint32_t)value_integer(value_get(answer->body, "generation"),
							     0);
	if (!unit.at || text_read_uuid(unit, place->ask.unit.unit_id) ||
	    (party.at && text_read_uuid(party, place->party_id)))
		exchange_fail(place->exchange, -EPROTO);
	else if (value_is(value_get(answer->body, "receipt"), VALUE_TEXT))
		seal_by_receipt(place, answer->body);
	else if (place->is_message && value_is(value_get(answer->body, "vault"), VALUE_TEXT))
		ask_vault(place, answer->body);
	else
		pass(place, sealing_unit(place->words, verb_handlers(place->exchange)->sealer,
					 place->ask.unit.unit_id, 0));
}

void place_and_pass(struct place *place,
		    void (*done)(struct call *call, const struct call_answer *answer))
{
	int r;

	place->done = done;
	/* Without words nothing is asked. */
	if (!place->words->n_items) {
		pass(place, 0);
		return;
	}
	if (place->act->error) {
		exchange_fail(place->exchange, place->act->error);
		return;
	}
	r = call_submit(&place->call, verb_handlers(place->exchange)->pool, on_place, place);
	if (r)
		exchange_fail(place->exchange, r);
}
