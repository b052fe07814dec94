/*
 * A handler who invites somebody without an account is given a one-time word to pass on; whoever
 * proves it gets a receipt, which no handler has ever held. The word has the form of a receipt, and
 * the database has a hash of it under another label, with the word sealed under the client's own
 * Idempotency-Key for an answer that is asked for again.
 */

#include "api/handlers/word.h"
#include "api/handlers/unit.h"
#include "api/http/limits.h"
#include "daemon/base/codec.h"
#include "daemon/base/text.h"
#include "daemon/cases/replay.h"

#include <stdlib.h>
#include <string.h>

/* A new secret, the same in writing, its hash, and the writing sealed for a replay. */
struct secret {
	struct receipt receipt; /* until it is not needed any more */
	char text[RECEIPT_TEXT_SIZE];
	uint8_t hash[RECEIPT_HASH_SIZE];
	struct slice sealed;
	struct slice scope;
};

/* A word on its way to a receipt. */
struct proof {
	struct secret secret;
	uint8_t word[RECEIPT_HASH_SIZE];
	uint8_t party_id[KEYS_ID_SIZE];
	uint8_t stanza[4 + STANZA_CHANNEL_SIZE]; /* behind its generation */
	struct unit_ask ask;
	struct call place;
	struct call *act;
};

static int make_secret(struct exchange *exchange, struct slice scope,
		       int (*hash)(const struct receipt *receipt, uint8_t *ret_hash),
		       struct secret *ret_secret)
{
	int r;

	ret_secret->scope = scope;
	r = receipt_new(&ret_secret->receipt);
	if (!r)
		r = hash(&ret_secret->receipt, ret_secret->hash);
	if (!r)
		r = receipt_write(&ret_secret->receipt, ret_secret->text);
	if (!r)
		r = replay_seal(exchange->arena, exchange->key, scope, text_slice(ret_secret->text),
				&ret_secret->sealed);
	return r;
}

static int set_hex(struct exchange *exchange, struct value *object, const char *name,
		   struct slice bytes)
{
	char *hex = arena_alloc(exchange->arena, 2 * bytes.length + 1);

	if (!hex)
		return -ENOMEM;
	codec_hex_encode(hex, bytes.at, bytes.length);
	return value_set_string(object, name, hex);
}

static int add_word(struct exchange *exchange, const struct secret *secret, struct value *args)
{
	struct value *word = value_new_object();
	int r = word ? 0 : -ENOMEM;

	if (!r)
		r = set_hex(exchange, word, "hash",
			    (struct slice){ (const char *)secret->hash, RECEIPT_HASH_SIZE });
	if (!r)
		r = set_hex(exchange, word, "sealed", secret->sealed);
	if (r) {
		value_free(word);
		return r;
	}
	return value_set_take(args, "word", word);
}

bool word_add(struct exchange *exchange, struct slice scope, struct value *args)
{
	struct secret *secret = arena_alloc(exchange->arena, sizeof(*secret));
	int r = -ENOMEM;

	/* Without a scope memory ran out, which the call says when it is submitted. */
	if (secret && scope.at)
		r = make_secret(exchange, scope, receipt_hash_word, secret);
	if (!r)
		r = add_word(exchange, secret, args);
	if (secret)
		receipt_deinit(&secret->receipt);
	if (r) {
		exchange_fail(exchange, r);
		return false;
	}
	exchange->state = secret;
	return true;
}

/* `text` with `"sealed_word":…` replaced by the word it is. */
static int write_word(struct exchange *exchange, struct slice text, struct slice sealed,
		      struct slice *ret_text)
{
	static const char name[] = "\"sealed_word\":";
	const struct secret *secret = exchange->state;
	const char *start = sealed.at - (sizeof(name) - 1), *end = sealed.at + sealed.length;
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	struct slice word;
	char *at;
	int r;

	if (sealed.length < 2 || start < text.at || memcmp(start, name, sizeof(name) - 1) != 0)
		return -EPROTO;
	r = replay_open(exchange->arena, exchange->key, secret->scope,
			(struct slice){ sealed.at + 1, sealed.length - 2 }, &word);
	if (r)
		return r < 0 ? r : -EPROTO;
	buffer_append(&buffer, text.at, (size_t)(start - text.at));
	buffer_append_text(&buffer, "\"word\":\"");
	buffer_append(&buffer, word.at, word.length);
	buffer_append_char(&buffer, '"');
	buffer_append(&buffer, end, (size_t)(text.at + text.length - end));
	r = buffer_finish(&buffer);
	if (r)
		return r;
	ret_text->length = buffer.length;
	at = buffer_steal(&buffer);
	ret_text->at = at;
	return arena_take(exchange->arena, at, free);
}

void word_reply_case(struct call *call, const struct call_answer *answer)
{
	struct exchange *exchange = call->userdata;
	struct call_answer told = *answer;
	struct slice sealed;
	int r = 0;

	if (answer->status == 200 && answer->text.at &&
	    value_scan_member(answer->text, "sealed_word", &sealed))
		r = write_word(exchange, answer->text, sealed, &told.text);
	if (r)
		exchange_fail(exchange, r);
	else
		verb_reply_case(call, &told);
}

static int write_receipt(struct exchange *exchange, const struct value *body, struct value *answer)
{
	const struct secret *secret = exchange->state;
	struct slice sealed = value_text(value_get(body, "sealed_receipt"));
	struct slice receipt = text_slice(secret->text);
	int r = 0;

	if (sealed.at)
		r = replay_open(exchange->arena, exchange->key, secret->scope, sealed, &receipt);
	if (r)
		return r < 0 ? r : -EPROTO;
	r = value_set_text(answer, "receipt", receipt);
	return r ? r : value_set_take(answer, "role", value_copy(value_get(body, "role")));
}

static void finish_proof(struct call *call, const struct call_answer *answer)
{
	CLEANUP(value_freep) struct value *body = value_new_object();
	struct exchange *exchange = call->userdata;
	int r;

	if (answer->status >= 400) {
		/* Guessing words costs what guessing receipts does. */
		if (answer->status == 404)
			limits_note(exchange, LIMIT_RECEIPTS);
		verb_refuse(exchange, answer);
		return;
	}
	r = body ? write_receipt(exchange, answer->body, body) : -ENOMEM;
	if (r) {
		exchange_fail(exchange, r);
		return;
	}
	exchange_set_header(exchange, "Location", "/v1/receipt");
	exchange_reply_json(exchange, 201, body);
}

/* A word that is malformed has a hash that no word has: it is looked for like any other. */
static int hash_of_word(struct slice text, uint8_t ret_hash[RECEIPT_HASH_SIZE])
{
	CLEANUP(receipt_deinit) struct receipt word = { 0 };
	int r = receipt_read(text, &word);

	memset(ret_hash, 0, RECEIPT_HASH_SIZE);
	return r > 0 ? 0 : r ? r : receipt_hash_word(&word, ret_hash);
}

/* The last step: what was derived for the receipt, or nothing, where there is no such word. */
static void prove(struct proof *proof, struct slice stanza)
{
	receipt_deinit(&proof->secret.receipt);
	call_add_bytes(proof->act, stanza);
	verb_submit(proof->ask.exchange, proof->act, finish_proof);
}

/* The channel's key comes from that of the unit, and goes under the receipt. */
static void on_unit(struct unit_ask *ask, const struct unit_key *key)
{
	CLEANUP(unit_key_deinit) struct unit_key channel = { .generation = 0 };
	struct proof *proof = (struct proof *)(void *)((char *)ask - offsetof(struct proof, ask));
	int r = unit_key_derive_channel(key, proof->party_id, &channel);

	place_put_u32(proof->stanza, ask->unit.generation);
	if (!r)
		r = stanza_channel_seal(proof->secret.receipt.secret,
					verb_handlers(ask->exchange)->sealer->intake.deployment,
					proof->party_id, &channel, proof->stanza + 4);
	if (r)
		exchange_fail(ask->exchange, r);
	else
		prove(proof, (struct slice){ (char *)proof->stanza, sizeof(proof->stanza) });
}

/* Whoever has no word may still be somebody who asks again. */
static void on_place(struct call *call, const struct call_answer *answer)
{
	struct proof *proof = call->userdata;
	struct slice party = value_text(value_get(answer->body, "party"));
	int r;

	if (answer->status >= 400) {
		verb_refuse(proof->ask.exchange, answer);
		return;
	}
	if (!party.at) {
		prove(proof, (struct slice){ NULL, 0 });
		return;
	}
	r = text_read_uuid(party, proof->party_id) ? -EPROTO
						   : unit_ask_read(&proof->ask, answer->body);
	if (r)
		exchange_fail(proof->ask.exchange, r);
	else
		unit_ask_start(&proof->ask, proof->party_id, proof->ask.unit.unit_id, on_unit);
}

/* The act as far as it is known before the database has been asked; 0 or negative. */
static int begin_proof(struct proof *proof, struct slice word)
{
	struct exchange *exchange = proof->ask.exchange;
	int r = hash_of_word(word, proof->word);

	call_add_bytes(proof->act, (struct slice){ (char *)proof->word, RECEIPT_HASH_SIZE });
	call_add_bytes(proof->act, (struct slice){ (char *)proof->secret.hash, RECEIPT_HASH_SIZE });
	proof->secret.scope = verb_add_key(exchange, proof->act, NULL, 0);
	if (!r)
		r = proof->act->error;
	if (!r)
		r = make_secret(exchange, proof->secret.scope, receipt_hash, &proof->secret);
	call_add_bytes(proof->act, proof->secret.sealed);
	return r;
}

void word_prove(struct exchange *exchange)
{
	struct proof *proof = arena_alloc(exchange->arena, sizeof(*proof));
	struct form_check *check;
	struct value *args;
	int r;

	if (!limits_have(exchange, LIMIT_RECEIPTS) ||
	    !verb_read_body(exchange, action_prove, &check, &args))
		return;
	if (!proof) {
		exchange_fail(exchange, -ENOMEM);
		return;
	}
	*proof = (struct proof){ .ask.exchange = exchange };
	proof->act = verb_begin(exchange, STATEMENT_RECEIPT_PROVE, PG_LANE_ACT);
	if (!proof->act)
		return;
	exchange->state = &proof->secret;
	call_init(&proof->place, exchange->arena, STATEMENT_WORD_PLACE, PG_LANE_READ);
	call_add_bytes(&proof->place, (struct slice){ (char *)proof->word, RECEIPT_HASH_SIZE });
	r = begin_proof(proof, check->words.items[0].text);
	if (!r)
		r = call_submit(&proof->place, verb_handlers(exchange)->pool, on_place, proof);
	if (r)
		exchange_fail(exchange, r);
}
