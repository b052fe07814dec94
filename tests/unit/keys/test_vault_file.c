/* The vault's key file and its shares: opened by the passphrase or three of five, and by nothing
 * else. */

#include "tests/unit/mutate.h"

#include "daemon/base/codec.h"
#include "daemon/keys/escrow.h"
#include "daemon/keys/public_file.h"

/* As cheap as it gets: what is tested is not the price. */
static const struct crypto_scrypt_cost cheap = { .log2_cost = 1, .block = 1, .lanes = 1 };
static const uint8_t deployment[KEYS_ID_SIZE] = "deployment 0000";
static struct vault_file file;
static char text[VAULT_FILE_TEXT_MAX];

static void start(void)
{
	ck_assert_int_eq(vault_keys_new(deployment, "host-1.example.org", &file.keys), 0);
	ck_assert_int_eq(crypto_random(file.master, sizeof(file.master)), 0);
	ck_assert_int_eq(vault_file_write(&file, SLICE("correct horse"), &cheap, text), 0);
}

static void end(void)
{
	vault_file_deinit(&file);
}

static int read_text(struct slice from, const char *passphrase)
{
	CLEANUP(vault_file_deinit) struct vault_file again = { .keys = { .n_intake = 0 } };

	return vault_file_read(from, slice_of(passphrase), &again);
}

START_TEST(what_was_written_is_read)
{
	CLEANUP(vault_file_deinit) struct vault_file again = { .keys = { .n_intake = 0 } };

	ck_assert_int_eq(vault_file_read(slice_of(text), SLICE("correct horse"), &again), 0);
	ck_assert_mem_eq(&again, &file, sizeof(file));
	ck_assert_uint_eq(vault_keys_newest(&again.keys)->key_id, 1);
	ck_assert_ptr_nonnull(vault_keys_find(&again.keys, 1));
	ck_assert_ptr_null(vault_keys_find(&again.keys, 2));
	ck_assert_int_eq(read_text(slice_of(text), "wrong horse"), VAULT_FILE_E_PASSPHRASE);
	ck_assert_int_eq(read_text(slice_of(text), ""), VAULT_FILE_E_PASSPHRASE);
}
END_TEST

START_TEST(no_key_is_in_the_text)
{
	char key[2 * HPKE_KEY_SIZE + 1];

	codec_hex_encode(key, file.keys.intake[0].key, HPKE_KEY_SIZE);
	ck_assert_ptr_null(strstr(text, key));
	codec_hex_encode(key, file.keys.signing, ED25519_KEY_SIZE);
	ck_assert_ptr_null(strstr(text, key));
	codec_hex_encode(key, file.master, VAULT_MASTER_SIZE);
	ck_assert_ptr_null(strstr(text, key));
}
END_TEST

/* In hex a digit's case carries nothing, so changes of case alone are left out. */
START_TEST(no_mutant_is_read)
{
	struct mutator mutator = mutate_start("key files");
	unsigned long n = mutate_count(20000), n_read = 0;
	char other[VAULT_FILE_TEXT_MAX], bytes[VAULT_FILE_TEXT_MAX + 64];

	ck_assert_int_eq(vault_file_write(&file, SLICE("correct horse"), &cheap, other), 0);
	while (mutator.n_mutants < n) {
		struct slice mutant = mutate(&mutator, slice_of(text), slice_of(other), bytes);

		if (mutant.length == strlen(text) && strncasecmp(bytes, text, mutant.length) == 0)
			continue;
		if (mutant.length == strlen(other) && strncasecmp(bytes, other, mutant.length) == 0)
			continue;
		/* The keys' line alone is as good in the other file: both are of one master key. */
		if (mutant.length == strlen(text) &&
		    memcmp(bytes, text, (size_t)(strstr(text, "keys ") - text)) == 0)
			continue;
		n_read += read_text(mutant, "correct horse") == 0;
	}
	mutate_note(&mutator, "key files", n_read);
	ck_assert_uint_eq(n_read, 0);
}
END_TEST

START_TEST(a_changed_key_line_is_damage)
{
	char *at = strstr(text, "keys ") + 40;

	*at = *at == '0' ? '1' : '0';
	ck_assert_int_eq(read_text(slice_of(text), "correct horse"), VAULT_FILE_E_MALFORMED);
}
END_TEST

START_TEST(a_lowered_cost_is_noticed)
{
	char dear[VAULT_FILE_TEXT_MAX];
	const struct crypto_scrypt_cost cost = { .log2_cost = 4, .block = 1, .lanes = 1 };
	char *at;

	ck_assert_int_eq(vault_file_write(&file, SLICE("correct horse"), &cost, dear), 0);
	at = strstr(dear, "scrypt 4");
	ck_assert_ptr_nonnull(at);
	at[7] = '3';
	ck_assert_int_eq(read_text(slice_of(dear), "correct horse"), VAULT_FILE_E_PASSPHRASE);
	at[7] = '0';
	ck_assert_int_eq(read_text(slice_of(dear), "correct horse"), VAULT_FILE_E_MALFORMED);
}
END_TEST

START_TEST(only_what_people_choose_is_made_dear)
{
	static const char random[] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

	ck_assert_uint_eq(vault_file_cost_of(slice_of(random)).log2_cost, 10);
	ck_assert_uint_eq(vault_file_cost_of(slice_of(random + 2)).log2_cost, 17);
	ck_assert_uint_eq(vault_file_cost_of(SLICE("correct horse battery")).log2_cost, 17);
}
END_TEST

START_TEST(another_host_has_the_same_intake_keys_and_its_own_signing_key)
{
	struct vault_keys other = file.keys;

	ck_assert_int_eq(vault_keys_change_host(&other, "host-2"), 0);
	ck_assert_mem_eq(other.intake, file.keys.intake, sizeof(other.intake));
	ck_assert_mem_ne(other.signing, file.keys.signing, ED25519_KEY_SIZE);
	ck_assert_str_eq(other.host, "host-2");
	ck_assert_int_eq(vault_keys_change_host(&other, "a host"), -EINVAL);
	ck_assert_int_eq(vault_keys_change_host(&other, ""), -EINVAL);
	ck_assert(!vault_host_is_valid(
		"0123456789012345678901234567890123456789012345678901234567890123"));
	ck_assert_int_eq(vault_keys_new(deployment, "a host", &other), -EINVAL);
	other = file.keys;
	ck_assert_int_eq(vault_keys_change_host(&other, "host-2"), 0);
	ck_assert_str_eq(other.host, "host-2");
	vault_keys_deinit(&other);
}
END_TEST

START_TEST(keys_that_no_vault_writes_are_refused)
{
	uint8_t bytes[VAULT_KEYS_BYTES_MAX + 1];
	size_t length = vault_keys_write(&file.keys, bytes);
	struct vault_keys keys;

	for (size_t cut = 0; cut < length; cut++)
		ck_assert_int_eq(vault_keys_read((struct slice){ (char *)bytes, cut }, &keys),
				 VAULT_KEYS_E_MALFORMED);
	ck_assert_int_eq(vault_keys_read((struct slice){ (char *)bytes, length + 1 }, &keys),
			 VAULT_KEYS_E_MALFORMED);
	bytes[KEYS_ID_SIZE] = 0;
	ck_assert_int_eq(vault_keys_read((struct slice){ (char *)bytes, length }, &keys),
			 VAULT_KEYS_E_MALFORMED);
	bytes[KEYS_ID_SIZE] = VAULT_INTAKE_MAX + 1;
	ck_assert_int_eq(vault_keys_read((struct slice){ (char *)bytes, length }, &keys),
			 VAULT_KEYS_E_MALFORMED);
	bytes[KEYS_ID_SIZE] = 1;
	bytes[KEYS_ID_SIZE + 4] = 0;
	ck_assert_int_eq(vault_keys_read((struct slice){ (char *)bytes, length }, &keys),
			 VAULT_KEYS_E_MALFORMED);
}
END_TEST

START_TEST(three_shares_open_the_file_and_two_do_not)
{
	char shares[ESCROW_SHARES][ESCROW_TEXT_SIZE];
	CLEANUP(vault_file_deinit) struct vault_file again = { .keys = { .n_intake = 0 } };
	uint8_t master[VAULT_MASTER_SIZE];
	size_t bad;

	ck_assert_int_eq(escrow_split(file.master, shares), 0);
	for (size_t a = 0; a < ESCROW_SHARES; a++)
		for (size_t b = 0; b < a; b++)
			for (size_t c = 0; c < b; c++) {
				const struct slice some[] = { slice_of(shares[a]),
							      slice_of(shares[b]),
							      slice_of(shares[c]) };

				ck_assert_int_eq(escrow_join(some, 3, master, &bad), 0);
				ck_assert_int_eq(
					vault_file_read_with_master(slice_of(text), master, &again),
					0);
				ck_assert_mem_eq(&again, &file, sizeof(file));
				ck_assert_int_eq(escrow_join(some, 2, master, &bad), ESCROW_E_SET);
			}
}
END_TEST

START_TEST(slips_of_the_pen_and_foreign_shares_are_named)
{
	char shares[ESCROW_SHARES][ESCROW_TEXT_SIZE], others[ESCROW_SHARES][ESCROW_TEXT_SIZE];
	uint8_t master[VAULT_MASTER_SIZE];
	struct slice some[3];
	size_t bad;

	ck_assert_int_eq(escrow_split(file.master, shares), 0);
	ck_assert_int_eq(escrow_split(file.master, others), 0);
	for (size_t i = 0; i < 3; i++)
		some[i] = slice_of(shares[i]);
	for (size_t at = 7; at < some[1].length; at++) {
		char was = shares[1][at];

		if (was == '-')
			continue;
		shares[1][at] = was == 'Z' ? 'Y' : 'Z';
		ck_assert_int_eq(escrow_join(some, 3, master, &bad), ESCROW_E_MALFORMED);
		ck_assert_uint_eq(bad, 1);
		shares[1][at] = was;
	}
	some[2] = slice_of(others[2]);
	ck_assert_int_eq(escrow_join(some, 3, master, &bad), ESCROW_E_SET);
	ck_assert_uint_eq(bad, 2);
	some[2] = some[0];
	ck_assert_int_eq(escrow_join(some, 3, master, &bad), ESCROW_E_SET);
	ck_assert_uint_eq(bad, 3);
	some[2] = SLICE("no share");
	ck_assert_int_eq(escrow_join(some, 3, master, &bad), ESCROW_E_MALFORMED);
}
END_TEST

/* As they are typed: small letters, O for 0, a line end. */
START_TEST(shares_are_read_as_people_type_them)
{
	char shares[ESCROW_SHARES][ESCROW_TEXT_SIZE], typed[ESCROW_TEXT_SIZE + 2];
	uint8_t master[VAULT_MASTER_SIZE];
	struct slice some[3];
	size_t bad, n = 0;

	ck_assert_int_eq(escrow_split(file.master, shares), 0);
	for (; shares[4][n]; n++)
		typed[n] = shares[4][n] == '0'                          ? 'o'
			   : shares[4][n] >= 'A' && shares[4][n] <= 'Z' ? (char)(shares[4][n] + 32)
									: shares[4][n];
	memcpy(typed + n, "\r\n", 2);
	some[0] = slice_of(shares[0]);
	some[1] = (struct slice){ typed, n + 2 };
	some[2] = slice_of(shares[2]);
	ck_assert_int_eq(escrow_join(some, 3, master, &bad), 0);
	ck_assert_mem_eq(master, file.master, sizeof(master));
}
END_TEST

START_TEST(shares_of_another_file_do_not_open_it)
{
	struct vault_file again;
	uint8_t master[VAULT_MASTER_SIZE];

	ck_assert_int_eq(crypto_random(master, sizeof(master)), 0);
	ck_assert_int_eq(vault_file_read_with_master(slice_of(text), master, &again),
			 VAULT_FILE_E_MASTER);
	ck_assert_int_eq(vault_file_read_with_master(SLICE("conductd vault 1\n"), master, &again),
			 VAULT_FILE_E_MALFORMED);
}
END_TEST

START_TEST(keys_are_added_at_the_end_and_removed_one_by_one)
{
	struct vault_keys *keys = &file.keys;
	uint8_t first[HPKE_KEY_SIZE];

	memcpy(first, keys->intake[0].key, sizeof(first));
	ck_assert_int_eq(vault_keys_add(keys, 1), VAULT_KEYS_E_MALFORMED);
	ck_assert_int_eq(vault_keys_remove(keys, 1), VAULT_KEYS_E_LAST);
	ck_assert_int_eq(vault_keys_remove(keys, 2), 0);
	for (uint32_t id = 3; id < 3 + VAULT_INTAKE_MAX - 1; id++)
		ck_assert_int_eq(vault_keys_add(keys, id), 0);
	ck_assert_int_eq(vault_keys_add(keys, 99), VAULT_KEYS_E_FULL);
	ck_assert_mem_eq(vault_keys_find(keys, 1)->key, first, sizeof(first));
	ck_assert_mem_ne(vault_keys_find(keys, 3)->key, first, sizeof(first));
	ck_assert_int_eq(vault_file_write(&file, SLICE("correct horse"), &cheap, text), 0);
	ck_assert_int_eq(read_text(slice_of(text), "correct horse"), 0);
	ck_assert_int_eq(vault_keys_remove(keys, 1), 0);
	ck_assert_ptr_null(vault_keys_find(keys, 1));
	ck_assert_uint_eq(keys->n_intake, VAULT_INTAKE_MAX - 1);
	ck_assert_uint_eq(keys->intake[0].public_part.key_id, 3);
	ck_assert_int_eq(keys->intake[VAULT_INTAKE_MAX - 1].key[0], 0);
}
END_TEST

START_TEST(keys_of_another_host_are_merged_and_those_of_another_vault_are_not)
{
	struct vault_keys own = file.keys, other = file.keys, before;
	size_t n_new = 0;

	ck_assert_int_eq(vault_keys_add(&other, 2), 0);
	ck_assert_int_eq(vault_keys_add(&other, 4), 0);
	ck_assert_int_eq(vault_keys_add(&own, 3), 0);
	ck_assert_int_eq(vault_keys_change_host(&other, "host-2"), 0);
	ck_assert_int_eq(vault_keys_merge(&own, &other, &n_new), 0);
	ck_assert_uint_eq(n_new, 2);
	ck_assert_uint_eq(own.n_intake, 4);
	for (uint32_t id = 1; id <= 4; id++)
		ck_assert_uint_eq(own.intake[id - 1].public_part.key_id, id);
	ck_assert_mem_eq(vault_keys_find(&own, 4), vault_keys_find(&other, 4),
			 sizeof(struct vault_intake));
	ck_assert_str_eq(own.host, "host-1.example.org");
	ck_assert_int_eq(vault_keys_merge(&own, &other, &n_new), 0);
	ck_assert_uint_eq(n_new, 0);
	before = own;
	other.intake[0].key[0] ^= 1;
	ck_assert_int_eq(vault_keys_merge(&own, &other, &n_new), VAULT_KEYS_E_DIFFERS);
	other.intake[0].key[0] ^= 1;
	other.deployment[0] ^= 1;
	ck_assert_int_eq(vault_keys_merge(&own, &other, &n_new), VAULT_KEYS_E_DIFFERS);
	other.deployment[0] ^= 1;
	for (uint32_t id = 5; other.n_intake < VAULT_INTAKE_MAX; id++)
		ck_assert_int_eq(vault_keys_add(&other, id), 0);
	ck_assert_int_eq(vault_keys_merge(&own, &other, &n_new), VAULT_KEYS_E_FULL);
	ck_assert_mem_eq(&own, &before, sizeof(own));
}
END_TEST

START_TEST(a_public_file_is_of_any_key_that_the_vault_has)
{
	struct public_keys keys;

	ck_assert_int_eq(vault_keys_add(&file.keys, 2), 0);
	for (uint32_t id = 1; id <= 2; id++) {
		ck_assert_int_eq(public_keys_of(&file.keys,
						&vault_keys_find(&file.keys, id)->public_part,
						&keys),
				 0);
		ck_assert_int_eq(public_keys_check(&keys, &file.keys), 0);
	}
	keys.intake.public_key[0] ^= 1;
	ck_assert_int_eq(public_keys_check(&keys, &file.keys), PUBLIC_FILE_E_DIFFERS);
	keys.intake.public_key[0] ^= 1;
	keys.host[0]++;
	ck_assert_int_eq(public_keys_check(&keys, &file.keys), PUBLIC_FILE_E_DIFFERS);
	keys.host[0]--;
	ck_assert_int_eq(vault_keys_remove(&file.keys, 2), 0);
	ck_assert_int_eq(public_keys_check(&keys, &file.keys), PUBLIC_FILE_E_DIFFERS);
}
END_TEST

START_TEST(the_public_half_is_read_back_and_no_other_spelling)
{
	static const struct {
		const char *from, *to;
	} changes[] = {
		{ "intake 1 ", "intake 01 " },          { "intake 1 ", "intake 0 " },
		{ "intake 1 ", "intake +1 " },          { "intake 1 ", "intake 4294967297 " },
		{ "intake 1 ", "intake 00000000001 " }, { "intake 1 ", "intake 1 0" },
		{ "public 1\n", "public 2\n" },         { "host-1", "host 1" },
		{ "deployment ", "deployment  " }
	};
	char written[PUBLIC_FILE_TEXT_MAX], changed[PUBLIC_FILE_TEXT_MAX + 64];
	struct public_keys keys, again;

	ck_assert_int_eq(public_keys_of(&file.keys, vault_keys_newest(&file.keys), &keys), 0);
	public_file_write(&keys, written);
	ck_assert_int_eq(public_file_read(slice_of(written), &again), 0);
	ck_assert(public_keys_equal(&keys, &again));
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		char *at = strstr(written, changes[i].from);

		ck_assert_ptr_nonnull(at);
		(void)snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - written), written,
			       changes[i].to, at + strlen(changes[i].from));
		ck_assert_int_eq(public_file_read(slice_of(changed), &again),
				 PUBLIC_FILE_E_MALFORMED);
	}
	for (size_t length = 0; length < strlen(written); length++)
		ck_assert_int_eq(public_file_read((struct slice){ written, length }, &again),
				 PUBLIC_FILE_E_MALFORMED);
	for (char *at = strstr(written, "deployment "); strstr(at, "log "); at++) {
		if (*at < 'a' || *at > 'z')
			continue;
		*at ^= 0x20;
		ck_assert_int_eq(public_file_read(slice_of(written), &again),
				 PUBLIC_FILE_E_MALFORMED);
		*at ^= 0x20;
	}
	again = keys;
	again.host[0] = 'H';
	ck_assert(!public_keys_equal(&keys, &again));
	again = keys;
	again.log_key[0] ^= 1;
	ck_assert(!public_keys_equal(&keys, &again));
	again = keys;
	again.intake.key_id++;
	ck_assert(!public_keys_equal(&keys, &again));
}
END_TEST

SUITE_EACH("keys/vault_file", start, end, what_was_written_is_read, no_key_is_in_the_text,
	   no_mutant_is_read, a_changed_key_line_is_damage, a_lowered_cost_is_noticed,
	   only_what_people_choose_is_made_dear,
	   another_host_has_the_same_intake_keys_and_its_own_signing_key,
	   keys_that_no_vault_writes_are_refused, three_shares_open_the_file_and_two_do_not,
	   slips_of_the_pen_and_foreign_shares_are_named, shares_are_read_as_people_type_them,
	   shares_of_another_file_do_not_open_it, keys_are_added_at_the_end_and_removed_one_by_one,
	   keys_of_another_host_are_merged_and_those_of_another_vault_are_not,
	   a_public_file_is_of_any_key_that_the_vault_has,
	   the_public_half_is_read_back_and_no_other_spelling)
