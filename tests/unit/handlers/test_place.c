/* Whoever writes into a channel that has a key of its own writes under that key. */

#include "daemon/base/codec.h"
#include "daemon/cases/sealing.h"
#include "tests/unit/cases/fake_vault.h"
#include "tests/unit/handlers/requests.h"
#include "tests/unit/suite.h"

#define UNIT "00000000-0000-4000-8000-000000000007"
#define PARTY "00000000-0000-4000-8000-000000000009"

static struct requests requests;
static const uint8_t secret[STANZA_RECEIPT_SIZE]; /* of the gate's actor */
static uint8_t unit_id[KEYS_ID_SIZE], party_id[KEYS_ID_SIZE];
static char vault_hex[2 * STANZA_VAULT_SIZE + 1], receipt_hex[2 * STANZA_CHANNEL_SIZE + 1];

/* A channel as a report made it. */
static void start(void)
{
	uint8_t vault[STANZA_VAULT_SIZE], receipt[STANZA_CHANNEL_SIZE];
	struct unit_key unit, channel;
	uint32_t key_id;

	requests_init(&requests);
	ck_assert_int_eq(text_read_uuid(slice_of(UNIT), unit_id), 0);
	ck_assert_int_eq(text_read_uuid(slice_of(PARTY), party_id), 0);
	ck_assert_int_eq(sealer_new_key(&requests.sealer, unit_id, 1, &unit, vault, &key_id), 0);
	ck_assert_int_eq(unit_key_derive_channel(&unit, party_id, &channel), 0);
	ck_assert_int_eq(stanza_channel_seal(secret, requests.sealer.intake.deployment, party_id,
					     &channel, receipt),
			 0);
	codec_hex_encode(vault_hex, vault, sizeof(vault));
	codec_hex_encode(receipt_hex, receipt, sizeof(receipt));
}

static void end(void)
{
	requests_deinit(&requests);
}

static void post(const char *line, const char *who)
{
	requests_send(&requests, line, who, "{\"text\":\"hello\"}");
}

/* Where the words go: the stanzas named, in hex. */
static void answer_place(const char *vault, const char *receipt)
{
	char body[1024];

	snprintf(body, sizeof(body),
		 "{\"unit\":\"" UNIT "\",\"party\":\"" PARTY
		 "\",\"generation\":1,\"vault\":\"%s\",\"key_id\":3%s%s%s}",
		 vault, receipt ? ",\"receipt\":\"" : "", receipt ? receipt : "",
		 receipt ? "\"" : "");
	fake_pg_answer(200, body, "{}", "{}");
}

static void expect_channel(const char *statement, unsigned kinds)
{
	ck_assert_str_eq(fake_pg_statement(), statement);
	ck_assert_str_eq(fake_pg_param(kinds), "{\"text\",\"$channel\"}");
	ck_assert_ptr_nonnull(strstr(fake_pg_param(kinds - 1), PARTY));
	ck_assert_ptr_null(strstr(fake_pg_param(kinds + 1), "68656c6c6f"));
	requests_answer(&requests, 201, "{\"id\":\"" ID "\"}");
	ck_assert_int_eq(requests.status, 201);
}

static void expect_refused(int status, const char *key)
{
	ck_assert_int_eq(requests.status, status);
	ck_assert_str_eq(requests_error(&requests), key);
	ck_assert_ptr_null(fake_pg_call());
}

START_TEST(the_holder_of_a_receipt_writes_without_the_vault)
{
	fake_vault_break(VAULT_E_AWAY);
	post("POST /v1/receipt/messages", RECEIPT KEY);
	answer_place(vault_hex, receipt_hex);
	expect_channel("receipt_message_post", 7);
	ck_assert_uint_eq(fake_vault_count(), 0);
}
END_TEST

START_TEST(a_handler_writes_under_the_channels_key)
{
	post("POST /v1/cases/" CASE "/messages?channel=reporter", FULL KEY);
	ck_assert_str_eq(fake_pg_statement(), "case_place");
	answer_place(vault_hex, NULL);
	ck_assert_int_eq(requests.status, 0);
	ck_assert_uint_eq(fake_vault_call()->n_units, 1);
	fake_vault_answer(VAULT_ANSWERED);
	expect_channel("case_message_post", 6);
}
END_TEST

START_TEST(a_reporter_who_signed_in_writes_under_the_channels_key)
{
	post("POST /v1/receipt/messages?participation=" PARTY, FULL KEY);
	answer_place(vault_hex, NULL);
	fake_vault_answer(VAULT_ANSWERED);
	expect_channel("receipt_message_post", 7);
}
END_TEST

START_TEST(what_is_no_message_needs_no_vault)
{
	fake_vault_break(VAULT_E_AWAY);
	requests_send(&requests, "POST /v1/receipt/actions/withdraw?participation=" PARTY, FULL KEY,
		      "{\"reason\":\"enough\"}");
	answer_place(vault_hex, NULL);
	ck_assert_str_eq(fake_pg_statement(), "party_withdraw");
	ck_assert_str_eq(fake_pg_param(7), "{\"reason\",\"$vault\"}");
	requests_answer(&requests, 204, NULL);
}
END_TEST

START_TEST(without_words_nothing_is_asked)
{
	requests_send(&requests, "POST /v1/receipt/actions/withdraw", RECEIPT KEY, "{}");
	ck_assert_str_eq(fake_pg_statement(), "party_withdraw");
	requests_answer(&requests, 204, NULL);
}
END_TEST

START_TEST(a_vault_that_does_not_open_refuses_the_message)
{
	static const char line[] = "POST /v1/cases/" CASE "/messages?channel=reporter";

	post(line, FULL KEY);
	answer_place(vault_hex, NULL);
	fake_vault_answer(VAULT_AWAY);
	expect_refused(503, "conduct-vault-unavailable");
	ck_assert(requests_has_header(&requests, "Retry-After: 5\r\n"));
	post(line, FULL KEY);
	answer_place(vault_hex, NULL);
	fake_vault_answer(VAULT_QUOTA);
	expect_refused(429, "conduct-case-quota");
	ck_assert(requests_has_header(&requests, "Retry-After: 77\r\n"));
	vault_hex[100] = vault_hex[100] == '0' ? '1' : '0';
	post(line, FULL KEY);
	answer_place(vault_hex, NULL);
	fake_vault_answer(VAULT_ANSWERED);
	expect_refused(500, "conduct-damaged");
	fake_vault_break(VAULT_E_AWAY);
	post(line, FULL KEY);
	answer_place(vault_hex, NULL);
	expect_refused(503, "conduct-vault-unavailable");
	fake_vault_break(-ENOMEM);
	post(line, FULL KEY);
	answer_place(vault_hex, NULL);
	expect_refused(503, "conduct-unavailable");
}
END_TEST

START_TEST(a_stanza_that_the_receipt_does_not_open_is_damage)
{
	receipt_hex[0] = receipt_hex[0] == '0' ? '1' : '0';
	post("POST /v1/receipt/messages", RECEIPT KEY);
	answer_place(vault_hex, receipt_hex);
	expect_refused(500, "conduct-damaged");
}
END_TEST

START_TEST(a_place_that_is_none_is_our_fault)
{
	static const char *const bodies[] = { "{}", "{\"unit\":\"x\"}",
					      "{\"unit\":\"" UNIT "\",\"party\":\"x\"}",
					      "{\"unit\":\"" UNIT "\",\"receipt\":\"00\"}" };

	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		post("POST /v1/receipt/messages", RECEIPT KEY);
		fake_pg_answer(200, bodies[i], "{}", "{}");
		ck_assert_int_eq(requests.status, 500);
	}
	post("POST /v1/receipt/messages?participation=" PARTY, FULL KEY);
	answer_place("00", NULL);
	ck_assert_int_eq(requests.status, 500);
}
END_TEST

START_TEST(who_may_not_write_is_told_at_once)
{
	post("POST /v1/receipt/messages", RECEIPT KEY);
	requests_refuse(&requests, PG_REFUSED, 404, "conduct-not-found", NULL);
	expect_refused(404, "conduct-not-found");
}
END_TEST

SUITE_EACH("handlers/place", start, end, the_holder_of_a_receipt_writes_without_the_vault,
	   a_handler_writes_under_the_channels_key,
	   a_reporter_who_signed_in_writes_under_the_channels_key,
	   what_is_no_message_needs_no_vault, without_words_nothing_is_asked,
	   a_vault_that_does_not_open_refuses_the_message,
	   a_stanza_that_the_receipt_does_not_open_is_damage, a_place_that_is_none_is_our_fault,
	   who_may_not_write_is_told_at_once)
