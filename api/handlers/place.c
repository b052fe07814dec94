/*
 * Three ways to seal what somebody writes. The holder of a receipt has the channel's key by the
 * receipt alone. Whoever else writes into a channel that has a key of its own gets it through the
 * vault, so that the holder of the receipt reads it. And everything else is sealed under a new key
 * of the unit, for which nobody needs to be asked.
 */

#include "api/handlers/place.h"
#include "daemon/base/codec.h"
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

static void refuse(struct place *place, int status, const char *key, uint32_t retry_after_s)
{
	verb_refuse(place->exchange, &(struct call_answer){ .status = status,
							    .error_key = key,
							    .retry_after_s = retry_after_s });
}

/* The unit's key is here: from it the channel's. */
static int seal_derived(struct place *place)
{
	CLEANUP(unit_key_deinit) struct unit_key channel = { .generation = 0 };
	int r = unit_key_derive_channel(&place->unit.key, place->party_id, &channel);

	return r ? r
		 : sealing_channel(place->words, verb_handlers(place->exchange)->sealer, &channel,
				   place->party_id);
}

static void on_opened(struct vault_call *call, enum vault_outcome outcome)
{
	struct place *place = (struct place *)(void *)((char *)call -
						       offsetof(struct place, vault));
	enum ipc_vault_outcome unit = place->unit.outcome;
	int r = 0;

	if (outcome == VAULT_ANSWERED && unit == IPC_VAULT_OPENED)
		r = seal_derived(place);
	vault_call_wipe(call);
	if (outcome == VAULT_QUOTA)
		refuse(place, 429, "conduct-case-quota", call->retry_after_s);
	else if (outcome == VAULT_AWAY || unit == IPC_VAULT_NO_KEY)
		refuse(place, 503, "conduct-vault-unavailable", VAULT_RETRY_S);
	else if (unit != IPC_VAULT_OPENED)
		refuse(place, 500, "conduct-damaged", 0);
	else
		pass(place, r);
}

static int read_hex(const struct value *body, const char *name, void *ret_bytes, size_t size)
{
	struct slice hex = value_text(value_get(body, name));
	size_t length = 0;

	return hex.at && codec_hex_decode(hex, ret_bytes, size, &length) == 0 && length == size
		       ? 0
		       : -EPROTO;
}

static void ask_vault(struct place *place, const struct value *body)
{
	struct vault_unit *unit = &place->unit;
	int r = read_hex(body, "vault", unit->blob, sizeof(unit->blob));

	if (r) {
		exchange_fail(place->exchange, r);
		return;
	}
	unit->key_id = (uint32_t)value_integer(value_get(body, "key_id"), 0);
	verb_set_reader(place->exchange, place->act);
	place->vault = (struct vault_call){ .units = unit, .n_units = 1, .done = on_opened };
	memcpy(place->vault.person, place->act->reader.person, KEYS_ID_SIZE);
	memcpy(place->vault.case_id, place->act->reader.case_id, KEYS_ID_SIZE);
	r = vault_open(sealer_vault(verb_handlers(place->exchange)->sealer), &place->vault);
	if (r > 0)
		refuse(place, 503, "conduct-vault-unavailable", VAULT_RETRY_S);
	else if (r)
		exchange_fail(place->exchange, r);
}

/* The channel's key from its stanza and the receipt. A stanza that the receipt does not open is
 * damage. */
static void seal_by_receipt(struct place *place, const struct value *body)
{
	CLEANUP(unit_key_deinit) struct unit_key channel = { .generation = place->unit.generation };
	struct sealer *sealer = verb_handlers(place->exchange)->sealer;
	uint8_t blob[STANZA_CHANNEL_SIZE];
	int r = read_hex(body, "receipt", blob, sizeof(blob));

	memcpy(channel.unit_id, place->unit.unit_id, KEYS_ID_SIZE);
	if (!r)
		r = stanza_channel_open(place->exchange->actor->receipt_secret,
					sealer->intake.deployment, place->party_id,
					(struct slice){ (char *)blob, sizeof(blob) }, &channel);
	if (r > 0) {
		refuse(place, 500, "conduct-damaged", 0);
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
	place->unit.generation = (uint32_t)value_integer(value_get(answer->body, "generation"), 0);
	if (!unit.at || text_read_uuid(unit, place->unit.unit_id) ||
	    (party.at && text_read_uuid(party, place->party_id)))
		exchange_fail(place->exchange, -EPROTO);
	else if (value_is(value_get(answer->body, "receipt"), VALUE_TEXT))
		seal_by_receipt(place, answer->body);
	else if (place->is_message && value_is(value_get(answer->body, "vault"), VALUE_TEXT))
		ask_vault(place, answer->body);
	else
		pass(place, sealing_unit(place->words, verb_handlers(place->exchange)->sealer,
					 place->unit.unit_id, 0));
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
