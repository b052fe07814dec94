/* One-time words: what an act sends of one and what its answer tells, and how one becomes a
 * receipt. */

#include "daemon/base/codec.h"
#include "api/auth/receipt.h"
#include "tests/unit/cases/fake_vault.h"
#include "tests/unit/handlers/requests.h"
#include "tests/unit/suite.h"

#define UNIT "00000000-0000-4000-8000-000000000007"
#define PARTY "00000000-0000-4000-8000-000000000009"
#define WORD "7K2QF-9VX3N-0DTRA-4MJW8-P6GHC-5E1S"
#define PROVE "POST /v1/receipt/prove"
#define INVITE "POST /v1/cases/" CASE "/actions/invite_witness"
#define QUESTION "{\"name\":\"W\",\"question\":\"q\"}"

static struct requests requests;

/* A member of the word in the arguments of the last call. */
static void read_word(const char *member, char *ret_hex, size_t size)
{
	struct value *args = NULL;
	const char *hex;

	ck_assert_int_eq(value_parse(text_slice(fake_pg_param(5)), &args, NULL), 0);
	hex = value_get_string(value_get(args, "word"), member);
	ck_assert_ptr_nonnull(hex);
	ck_assert_uint_lt(strlen(hex), size);
	strcpy(ret_hex, hex);
	value_free(args);
}

START_TEST(an_act_that_gives_a_word_tells_it_and_stores_none)
{
	char hash[128], sealed[512], body[1024], word[64];

	requests_init(&requests);
	requests_send(&requests, INVITE, FULL KEY, QUESTION);
	ck_assert_str_eq(fake_pg_statement(), "case_invite_witness");
	read_word("hash", hash, sizeof(hash));
	read_word("sealed", sealed, sizeof(sealed));
	ck_assert_uint_eq(strlen(hash), 64);
	snprintf(body, sizeof(body),
		 "{\"a\": \"sealed_word\", \"revision\": 5, \"sealed_word\": \"%s\", \"z\": 1}",
		 sealed);
	requests_answer(&requests, 200, body);
	ck_assert_int_eq(requests.status, 200);
	ck_assert_uint_eq(strlen(value_get_string(requests.json, "word")), 34);
	ck_assert_ptr_null(value_get(requests.json, "sealed_word"));
	ck_assert_int_eq(value_integer(value_get(requests.json, "z"), 0), 1);
	ck_assert_str_eq(requests.exchange->reply->tag, "\"5\"");
	strcpy(word, value_get_string(requests.json, "word"));

	/* Whoever asks again with the same key is told the same word, whatever is drawn anew. */
	requests_send(&requests, INVITE, FULL KEY, QUESTION);
	requests_answer(&requests, 200, body);
	ck_assert_str_eq(value_get_string(requests.json, "word"), word);
	requests_deinit(&requests);
}
END_TEST

START_TEST(an_act_that_gives_none_tells_none)
{
	requests_init(&requests);
	requests_send(&requests, INVITE, FULL KEY, QUESTION);
	requests_answer(&requests, 200, "{\"revision\":5}");
	ck_assert_int_eq(requests.status, 200);
	ck_assert_ptr_null(value_get(requests.json, "word"));
	requests_send(&requests, INVITE, FULL KEY, QUESTION);
	requests_answer(&requests, 200, "{\"sealed_word\":\"00\"}");
	ck_assert_int_eq(requests.status, 500);
	requests_send(&requests, INVITE, FULL KEY, QUESTION);
	requests_answer(&requests, 204, NULL);
	ck_assert_int_eq(requests.status, 204);
	requests_deinit(&requests);
}
END_TEST

/* Somebody comes with a word; whose it is, with a key of that party's unit. */
static void prove(const char *body, struct unit_key *ret_unit)
{
	uint8_t vault[STANZA_VAULT_SIZE], unit_id[KEYS_ID_SIZE];
	char hex[2 * STANZA_VAULT_SIZE + 1], place[1024];
	uint32_t key_id;

	ck_assert_int_eq(text_read_uuid(text_slice(UNIT), unit_id), 0);
	ck_assert_int_eq(sealer_new_key(&requests.sealer, unit_id, 7, ret_unit, vault, &key_id), 0);
	codec_hex_encode(hex, vault, sizeof(vault));
	requests_send(&requests, PROVE, KEY, body);
	ck_assert_str_eq(fake_pg_statement(), "word_place");
	ck_assert_uint_eq(fake_pg_param_length(0), 32);
	snprintf(place, sizeof(place),
		 "{\"party\":\"" PARTY "\",\"unit\":\"" UNIT
		 "\",\"generation\":7,\"vault\":\"%s\",\"key_id\":%u}",
		 hex, key_id);
	fake_pg_answer(200, place, "{}", "{}");
}

/* The stanza that was sent opens with the receipt that was told, and holds the channel's key. */
static void expect_channel(const uint8_t *stanza, const char *written, const struct unit_key *unit)
{
	uint8_t party_id[KEYS_ID_SIZE];
	struct unit_key derived, opened = { .generation = 7 };
	struct receipt receipt;

	ck_assert_int_eq(text_read_uuid(text_slice(PARTY), party_id), 0);
	ck_assert_int_eq(receipt_read(text_slice(written), &receipt), 0);
	ck_assert_int_eq(unit_key_derive_channel(unit, party_id, &derived), 0);
	memcpy(opened.unit_id, unit->unit_id, KEYS_ID_SIZE);
	ck_assert_mem_eq(stanza, "\0\0\0\7", 4);
	ck_assert_int_eq(
		stanza_channel_open(receipt.secret, requests.sealer.intake.deployment, party_id,
				    (struct slice){ (const char *)stanza + 4, STANZA_CHANNEL_SIZE },
				    &opened),
		0);
	ck_assert_mem_eq(opened.bytes, derived.bytes, KEYS_KEY_SIZE);
}

START_TEST(a_word_becomes_a_receipt_that_opens_the_channel)
{
	uint8_t stanza[4 + STANZA_CHANNEL_SIZE];
	char hex[512], body[1024], first[64];
	struct unit_key unit;

	requests_init(&requests);
	prove("{\"word\":\"" WORD "\"}", &unit);
	ck_assert_uint_eq(fake_vault_call()->n_units, 1);
	fake_vault_answer(VAULT_ANSWERED);
	ck_assert_str_eq(fake_pg_statement(), "receipt_prove");
	for (unsigned i = 0; i < 4; i++)
		ck_assert_uint_eq(fake_pg_param_length(i), 32);
	codec_hex_encode(hex, fake_pg_call()->params[4].at, fake_pg_param_length(4));
	ck_assert_uint_eq(fake_pg_param_length(5), sizeof(stanza));
	memcpy(stanza, fake_pg_call()->params[5].at, sizeof(stanza));
	requests_answer(&requests, 201, "{\"role\":\"witness\"}");
	ck_assert_int_eq(requests.status, 201);
	ck_assert(requests_has_header(&requests, "Location: /v1/receipt"));
	ck_assert_str_eq(value_get_string(requests.json, "role"), "witness");
	strcpy(first, value_get_string(requests.json, "receipt"));
	expect_channel(stanza, first, &unit);

	/* Asked again: the word is spent, and the receipt is the same. */
	requests_send(&requests, PROVE, KEY, "{\"word\":\"" WORD "\"}");
	fake_pg_answer(200, "{}", "{}", "{}");
	ck_assert_str_eq(fake_pg_param(5), "null");
	snprintf(body, sizeof(body), "{\"role\":\"witness\",\"sealed_receipt\":\"%s\"}", hex);
	requests_answer(&requests, 201, body);
	ck_assert_str_eq(value_get_string(requests.json, "receipt"), first);
	ck_assert_ptr_null(value_get(requests.json, "sealed_receipt"));
	requests_deinit(&requests);
}
END_TEST

START_TEST(without_the_vault_a_word_waits)
{
	struct unit_key unit;

	requests_init(&requests);
	fake_vault_break(VAULT_E_AWAY);
	prove("{\"word\":\"" WORD "\"}", &unit);
	ck_assert_int_eq(requests.status, 503);
	ck_assert_str_eq(requests_error(&requests), "conduct-vault-unavailable");
	fake_vault_break(0);
	prove("{\"word\":\"" WORD "\"}", &unit);
	fake_vault_answer(VAULT_QUOTA);
	ck_assert_int_eq(requests.status, 429);
	ck_assert_ptr_null(fake_pg_call());
	requests_deinit(&requests);
}
END_TEST

START_TEST(what_is_no_word_is_looked_for_like_one)
{
	static const uint8_t none[32];

	requests_init(&requests);
	requests_send(&requests, PROVE, KEY, "{\"word\":\"no such thing\"}");
	ck_assert_mem_eq(fake_pg_call()->params[0].at, none, sizeof(none));
	fake_pg_answer(200, "{}", "{}", "{}");
	ck_assert_str_eq(fake_pg_statement(), "receipt_prove");
	ck_assert_mem_eq(fake_pg_call()->params[0].at, none, sizeof(none));
	requests_refuse(&requests, PG_REFUSED, 404, "conduct-not-found", NULL);
	ck_assert_int_eq(requests.status, 404);
	ck_assert(requests.exchange->reply->is_slotted);
	requests_send(&requests, PROVE, KEY, "{\"word\":\"" WORD "\",\"role\":\"witness\"}");
	ck_assert_int_eq(requests.status, 422);
	requests_send(&requests, PROVE, KEY, "{}");
	ck_assert_int_eq(requests.status, 422);
	requests_send(&requests, PROVE, "", "{\"word\":\"" WORD "\"}");
	ck_assert_int_eq(requests.status, 400);
	requests_deinit(&requests);
}
END_TEST

SUITE("handlers/word", an_act_that_gives_a_word_tells_it_and_stores_none,
      an_act_that_gives_none_tells_none, a_word_becomes_a_receipt_that_opens_the_channel,
      without_the_vault_a_word_waits, what_is_no_word_is_looked_for_like_one)
