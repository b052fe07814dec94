/* The sealing half of a process: what it seals the vault opens, also after a reload. */

#include "tests/unit/suite.h"

#include "daemon/cases/seal.h"

static const uint8_t unit_id[KEYS_ID_SIZE] = "unit 00000000000";
static uint8_t private_key[HPKE_KEY_SIZE];
static struct intake_key intake;
static struct sealer sealer;

static void start(void)
{
	intake = (struct intake_key){ "deployment 0000", 3, { 0 } };
	ck_assert_int_eq(hpke_key_new(private_key, intake.public_key), 0);
	sealer_init(&sealer, &intake, NULL);
}

static void end(void)
{
	sealer_deinit(&sealer);
}

static void check_opens(const struct intake_key *as, const uint8_t *with,
			const struct unit_key *key, const uint8_t *stanza)
{
	struct unit_key opened = { .generation = key->generation };
	struct slice blob = { (const char *)stanza, STANZA_VAULT_SIZE };
	struct hpke hpke;

	memcpy(opened.unit_id, key->unit_id, KEYS_ID_SIZE);
	ck_assert_int_eq(stanza_recipient_init(&hpke, as, with, blob), 0);
	ck_assert_int_eq(stanza_open(&hpke, as->deployment, blob, &opened), 0);
	ck_assert_mem_eq(opened.bytes, key->bytes, KEYS_KEY_SIZE);
}

START_TEST(a_key_is_new_and_the_vault_opens_it)
{
	uint8_t stanza[STANZA_VAULT_SIZE], again[STANZA_VAULT_SIZE];
	struct unit_key key, other;
	uint32_t key_id = 0;

	ck_assert_int_eq(sealer_new_key(&sealer, unit_id, 1, &key, stanza, &key_id), 0);
	ck_assert_int_eq(sealer_new_key(&sealer, unit_id, 2, &other, again, &key_id), 0);
	ck_assert_uint_eq(key_id, 3);
	ck_assert_mem_eq(key.unit_id, unit_id, KEYS_ID_SIZE);
	ck_assert_uint_eq(key.generation, 1);
	ck_assert_mem_ne(key.bytes, other.bytes, KEYS_KEY_SIZE);
	/* One context for both: a key agreement each would cost forty times as much. */
	ck_assert_mem_eq(stanza, again, HPKE_ENC_SIZE);
	check_opens(&intake, private_key, &key, stanza);
	check_opens(&intake, private_key, &other, again);
}
END_TEST

START_TEST(a_reload_seals_to_the_new_intake_key)
{
	struct intake_key next = { "deployment 0000", 4, { 0 } };
	uint8_t next_private[HPKE_KEY_SIZE], stanza[STANZA_VAULT_SIZE];
	struct unit_key key;
	uint32_t key_id;

	ck_assert_int_eq(sealer_new_key(&sealer, unit_id, 1, &key, stanza, &key_id), 0);
	ck_assert_int_eq(hpke_key_new(next_private, next.public_key), 0);
	ck_assert_int_eq(sealer_reload(&sealer, &next), 0);
	ck_assert_int_eq(sealer_new_key(&sealer, unit_id, 2, &key, stanza, &key_id), 0);
	ck_assert_uint_eq(key_id, 4);
	check_opens(&next, next_private, &key, stanza);
}
END_TEST

START_TEST(a_process_stays_in_its_deployment)
{
	struct intake_key next = intake;

	next.deployment[0] ^= 1;
	ck_assert_int_eq(sealer_reload(&sealer, &next), SEALER_E_DEPLOYMENT);
	ck_assert_mem_eq(sealer.intake.deployment, intake.deployment, KEYS_ID_SIZE);
	/* Nor does a known key become another one. */
	next = intake;
	next.public_key[0] ^= 1;
	ck_assert_int_eq(sealer_reload(&sealer, &next), SEALER_E_DEPLOYMENT);
	ck_assert_mem_eq(sealer.intake.public_key, intake.public_key, HPKE_KEY_SIZE);
}
END_TEST

START_TEST(beside_another_database_nothing_is_sealed)
{
	uint8_t stanza[STANZA_VAULT_SIZE];
	struct unit_key key;
	uint32_t key_id;

	sealer.is_foreign = true;
	ck_assert_int_eq(sealer_new_key(&sealer, unit_id, 1, &key, stanza, &key_id), -EKEYREJECTED);
	sealer.is_foreign = false;
	ck_assert_int_eq(sealer_new_key(&sealer, unit_id, 1, &key, stanza, &key_id), 0);
}
END_TEST

START_TEST(what_it_seals_is_for_one_database)
{
	char deployment[TEXT_UUID_LENGTH + 1];

	struct pg_identity identity;
	struct index_key key;
	char mark[INDEX_MARK_TEXT + 1];

	text_write_uuid(deployment, intake.deployment);
	ck_assert_str_eq(sealer_identity(&sealer).answers[0], deployment);
	ck_assert_ptr_null(sealer_identity(&sealer).answers[1]);
	ck_assert_int_eq(index_key_new(&key), 0);
	ck_assert_int_eq(index_key_mark(&key, deployment, mark), 0);
	ck_assert_int_eq(sealer_identity_of_index(&sealer, &key, &identity), 0);
	ck_assert_str_eq(identity.answers[0], deployment);
	ck_assert_str_eq(identity.answers[1], mark);
	ck_assert_ptr_nonnull(strstr(identity.sql, mark));
}
END_TEST

START_TEST(an_intake_key_that_is_none_seals_nothing)
{
	uint8_t stanza[STANZA_VAULT_SIZE];
	struct unit_key key = { .generation = 7 };
	uint32_t key_id = 9;

	intake.key_id++;
	memset(intake.public_key, 0, sizeof(intake.public_key));
	ck_assert_int_eq(sealer_reload(&sealer, &intake), 0);
	ck_assert_int_eq(sealer_new_key(&sealer, unit_id, 1, &key, stanza, &key_id), -EINVAL);
	ck_assert_uint_eq(key.generation, 7);
	ck_assert_uint_eq(key_id, 9);
}
END_TEST

START_TEST(later_generations_are_above_one_and_fit_the_database)
{
	uint32_t generation, last = 0;

	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(sealer_new_generation(&generation), 0);
		ck_assert_uint_ge(generation, 2);
		ck_assert_uint_le(generation, INT32_MAX);
		ck_assert_uint_ne(generation, last);
		last = generation;
	}
}
END_TEST

START_TEST(the_way_to_the_vault_comes_and_goes)
{
	struct ipc_channel *channel = NULL;

	ck_assert_ptr_null(sealer_vault(&sealer));
	sealer_init(&sealer, &intake, &channel);
	ck_assert_ptr_null(sealer_vault(&sealer));
	channel = (struct ipc_channel *)(void *)&intake;
	ck_assert_ptr_eq(sealer_vault(&sealer), channel);
}
END_TEST

SUITE_EACH("cases/seal", start, end, a_key_is_new_and_the_vault_opens_it,
	   a_reload_seals_to_the_new_intake_key, a_process_stays_in_its_deployment,
	   beside_another_database_nothing_is_sealed, what_it_seals_is_for_one_database,
	   an_intake_key_that_is_none_seals_nothing,
	   later_generations_are_above_one_and_fit_the_database,
	   the_way_to_the_vault_comes_and_goes)
