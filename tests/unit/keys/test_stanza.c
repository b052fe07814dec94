/* Stanzas: a unit's key comes back to who holds the intake key or the receipt, and to nobody else.
 */

#include "tests/unit/mutate.h"

#include "daemon/crypto/crypto.h"
#include "daemon/keys/stanza.h"

static const uint8_t unit_id[KEYS_ID_SIZE] = "unit 00000000000";
static const uint8_t other_id[KEYS_ID_SIZE] = "another 00000000";
static const uint8_t party_id[KEYS_ID_SIZE] = "party 0000000000";
static const uint8_t receipt[STANZA_RECEIPT_SIZE] = "receipt 0000000";
static uint8_t private_key[HPKE_KEY_SIZE];
static struct intake_key intake;
static struct stanza_sender sender;
static struct unit_key key;

static void start(void)
{
	intake = (struct intake_key){ "deployment 0000", 3, { 0 } };
	ck_assert_int_eq(hpke_key_new(private_key, intake.public_key), 0);
	ck_assert_int_eq(unit_key_new(unit_id, 2, &key), 0);
}

static void end(void)
{
	stanza_sender_deinit(&sender);
}

static int open_with(const struct intake_key *as, const uint8_t *with, const uint8_t *unit,
		     uint32_t generation, struct slice blob, struct unit_key *ret_key)
{
	struct hpke hpke;
	int r = stanza_recipient_init(&hpke, as, with, blob);

	memcpy(ret_key->unit_id, unit, KEYS_ID_SIZE);
	ret_key->generation = generation;
	if (r == 0)
		r = stanza_open(&hpke, as->deployment, blob, ret_key);
	return r;
}

static struct slice seal_at(int64_t now_ms, uint8_t blob[STANZA_VAULT_SIZE])
{
	ck_assert_int_eq(stanza_seal(&sender, &intake, now_ms, &key, blob), 0);
	return (struct slice){ (char *)blob, STANZA_VAULT_SIZE };
}

START_TEST(the_vault_gets_the_key_back)
{
	uint8_t blobs[3][STANZA_VAULT_SIZE];

	for (size_t i = 0; i < 3; i++)
		seal_at(1000, blobs[i]);
	for (size_t i = 3; i-- > 0;) {
		struct slice blob = { (char *)blobs[i], STANZA_VAULT_SIZE };
		struct unit_key opened;

		ck_assert_int_eq(open_with(&intake, private_key, unit_id, 2, blob, &opened), 0);
		ck_assert_mem_eq(opened.bytes, key.bytes, KEYS_KEY_SIZE);
		ck_assert_ptr_null(memmem(blob.at, blob.length, key.bytes, KEYS_KEY_SIZE));
	}
}
END_TEST

START_TEST(a_context_lasts_a_minute)
{
	uint8_t first[STANZA_VAULT_SIZE], blob[STANZA_VAULT_SIZE];

	seal_at(5000, first);
	seal_at(5000 + STANZA_CONTEXT_MS - 1, blob);
	ck_assert_mem_eq(blob, first, HPKE_ENC_SIZE);
	ck_assert_uint_eq(blob[HPKE_ENC_SIZE + 7], 1);
	seal_at(5000 + STANZA_CONTEXT_MS, blob);
	ck_assert_mem_ne(blob, first, HPKE_ENC_SIZE);
	ck_assert_uint_eq(blob[HPKE_ENC_SIZE + 7], 0);
	/* A clock that went back is no reason to use a context for ever. */
	memcpy(first, blob, sizeof(first));
	seal_at(4000, blob);
	ck_assert_mem_ne(blob, first, HPKE_ENC_SIZE);
	/* Another intake key is another context at once. */
	memcpy(first, blob, sizeof(first));
	intake.key_id = 4;
	seal_at(4000, blob);
	ck_assert_mem_ne(blob, first, HPKE_ENC_SIZE);
}
END_TEST

START_TEST(of_another_unit_generation_key_or_deployment_it_does_not_open)
{
	uint8_t bytes[STANZA_VAULT_SIZE], other_private[HPKE_KEY_SIZE];
	struct slice blob = seal_at(0, bytes);
	struct intake_key other = intake;
	struct unit_key opened;

	ck_assert_int_eq(open_with(&intake, private_key, other_id, 2, blob, &opened),
			 STANZA_E_BROKEN);
	ck_assert_int_eq(open_with(&intake, private_key, unit_id, 1, blob, &opened),
			 STANZA_E_BROKEN);
	other.key_id = 4;
	ck_assert_int_eq(open_with(&other, private_key, unit_id, 2, blob, &opened),
			 STANZA_E_BROKEN);
	other = intake;
	other.deployment[0] ^= 1;
	ck_assert_int_eq(open_with(&other, private_key, unit_id, 2, blob, &opened),
			 STANZA_E_BROKEN);
	ck_assert_int_eq(hpke_key_new(other_private, other.public_key), 0);
	ck_assert_int_eq(open_with(&intake, other_private, unit_id, 2, blob, &opened),
			 STANZA_E_BROKEN);
	ck_assert_int_eq(stanza_open(&sender.hpke, intake.deployment,
				     (struct slice){ blob.at, blob.length - 1 }, &opened),
			 STANZA_E_BROKEN);
}
END_TEST

START_TEST(an_intake_key_that_is_none_is_refused)
{
	uint8_t blob[STANZA_VAULT_SIZE];

	memset(intake.public_key, 0, sizeof(intake.public_key));
	ck_assert_int_eq(stanza_seal(&sender, &intake, 0, &key, blob), STANZA_E_KEY);
}
END_TEST

START_TEST(a_receipt_opens_its_partys_channel_alone)
{
	static const uint8_t other_receipt[STANZA_RECEIPT_SIZE] = "receipt 0000001";
	uint8_t bytes[STANZA_CHANNEL_SIZE];
	struct slice blob = { (char *)bytes, sizeof(bytes) };
	struct unit_key channel, other, opened;

	ck_assert_int_eq(unit_key_derive_channel(&key, party_id, &channel), 0);
	ck_assert_int_eq(unit_key_derive_channel(&key, other_id, &other), 0);
	ck_assert_mem_ne(channel.bytes, key.bytes, KEYS_KEY_SIZE);
	ck_assert_mem_ne(channel.bytes, other.bytes, KEYS_KEY_SIZE);
	ck_assert_int_eq(stanza_channel_seal(receipt, intake.deployment, party_id, &channel, bytes),
			 0);
	opened = (struct unit_key){ .generation = 2 };
	memcpy(opened.unit_id, unit_id, KEYS_ID_SIZE);
	ck_assert_int_eq(stanza_channel_open(receipt, intake.deployment, party_id, blob, &opened),
			 0);
	ck_assert_mem_eq(opened.bytes, channel.bytes, KEYS_KEY_SIZE);
	ck_assert_int_eq(
		stanza_channel_open(other_receipt, intake.deployment, party_id, blob, &opened),
		STANZA_E_BROKEN);
	ck_assert_int_eq(stanza_channel_open(receipt, intake.deployment, other_id, blob, &opened),
			 STANZA_E_BROKEN);
	ck_assert_int_eq(stanza_channel_open(receipt, other_id, party_id, blob, &opened),
			 STANZA_E_BROKEN);
	opened.generation = 1;
	ck_assert_int_eq(stanza_channel_open(receipt, intake.deployment, party_id, blob, &opened),
			 STANZA_E_BROKEN);
	blob.length--;
	ck_assert_int_eq(stanza_channel_open(receipt, intake.deployment, party_id, blob, &opened),
			 STANZA_E_BROKEN);
}
END_TEST

static void count_vault_mutants(struct mutator *mutator, unsigned long n, unsigned long *n_opened)
{
	uint8_t one_bytes[STANZA_VAULT_SIZE], two_bytes[STANZA_VAULT_SIZE];
	struct slice one = seal_at(0, one_bytes), two;
	char bytes[STANZA_VAULT_SIZE + 64];
	struct unit_key of_two, opened;

	ck_assert_int_eq(unit_key_new(other_id, 2, &of_two), 0);
	ck_assert_int_eq(stanza_seal(&sender, &intake, 0, &of_two, two_bytes), 0);
	two = (struct slice){ (char *)two_bytes, sizeof(two_bytes) };
	for (unsigned long i = 0; i < n; i++) {
		struct slice mutant = mutate(mutator, one, two, bytes);

		*n_opened += open_with(&intake, private_key, unit_id, 2, mutant, &opened) == 0;
		*n_opened += open_with(&intake, private_key, other_id, 2, mutant, &opened) == 0;
	}
	*n_opened += open_with(&intake, private_key, unit_id, 2, two, &opened) == 0;
}

static void count_channel_mutants(struct mutator *mutator, unsigned long n, unsigned long *n_opened)
{
	uint8_t one_bytes[STANZA_CHANNEL_SIZE], two_bytes[STANZA_CHANNEL_SIZE];
	struct slice one = { (char *)one_bytes, sizeof(one_bytes) };
	struct slice two = { (char *)two_bytes, sizeof(two_bytes) };
	char bytes[STANZA_CHANNEL_SIZE + 64];
	struct unit_key opened = key;

	ck_assert_int_eq(stanza_channel_seal(receipt, intake.deployment, party_id, &key, one_bytes),
			 0);
	ck_assert_int_eq(stanza_channel_seal(receipt, intake.deployment, other_id, &key, two_bytes),
			 0);
	for (unsigned long i = 0; i < n; i++) {
		struct slice mutant = mutate(mutator, one, two, bytes);

		*n_opened += stanza_channel_open(receipt, intake.deployment, party_id, mutant,
						 &opened) == 0;
		*n_opened += stanza_channel_open(receipt, intake.deployment, other_id, mutant,
						 &opened) == 0;
	}
}

START_TEST(no_mutant_of_a_vaults_opens)
{
	struct mutator mutator = mutate_start("stanzas of the vault");
	unsigned long n_opened = 0;

	count_vault_mutants(&mutator, mutate_count(100000), &n_opened);
	mutate_note(&mutator, "stanzas of the vault", n_opened);
	ck_assert_uint_eq(n_opened, 0);
}
END_TEST

START_TEST(no_mutant_of_a_channels_opens)
{
	struct mutator mutator = mutate_start("stanzas of channels");
	unsigned long n_opened = 0;

	count_channel_mutants(&mutator, mutate_count(100000), &n_opened);
	mutate_note(&mutator, "stanzas of channels", n_opened);
	ck_assert_uint_eq(n_opened, 0);
}
END_TEST

SUITE_EACH("keys/stanza", start, end, the_vault_gets_the_key_back, a_context_lasts_a_minute,
	   of_another_unit_generation_key_or_deployment_it_does_not_open,
	   an_intake_key_that_is_none_is_refused, a_receipt_opens_its_partys_channel_alone,
	   no_mutant_of_a_vaults_opens, no_mutant_of_a_channels_opens)
