/* Keys of units sealed again to another key of the vault, without leaving it. */

#include "tests/unit/suite.h"

#include "daemon/crypto/crypto.h"
#include "daemon/keys/vault_server.h"

enum { UNITS = 6 };

static const uint8_t deployment[KEYS_ID_SIZE] = "deployment 0000";
static struct vault_server *server;
static struct vault_keys keys;
static struct unit_key sealed[UNITS];
static struct ipc_vault_unit units[UNITS];
static char request[IPC_VAULT_REWRAP_MAX];
static uint8_t reply[IPC_VAULT_REWRAPPED_MAX];
static struct vault_report report;
static size_t length;

/* Two keys, and units that are sealed to the first. */
static void start(void)
{
	const struct vault_quota_limits limits = { .cases_person = 1, .cases_host = 1 };
	struct stanza_sender sender = { .is_open = false };

	ck_assert_int_eq(vault_server_new(&limits, &server), 0);
	ck_assert_int_eq(vault_keys_new(deployment, "host", &keys), 0);
	ck_assert_int_eq(vault_keys_add(&keys, 2), 0);
	ck_assert_int_eq(vault_server_set_keys(server, &keys), 0);
	for (size_t i = 0; i < UNITS; i++) {
		const uint8_t unit_id[KEYS_ID_SIZE] = { 'u', (uint8_t)i };

		ck_assert_int_eq(unit_key_new(unit_id, (uint32_t)i + 1, &sealed[i]), 0);
		units[i] = (struct ipc_vault_unit){ .generation = (uint32_t)i + 1, .key_id = 1 };
		memcpy(units[i].unit_id, unit_id, KEYS_ID_SIZE);
		ck_assert_int_eq(stanza_seal(&sender, &keys.intake[0].public_part, 0, &sealed[i],
					     units[i].blob),
				 0);
	}
	stanza_sender_deinit(&sender);
}

static void end(void)
{
	server = vault_server_free(server);
	vault_keys_deinit(&keys);
}

static int rewrap(uint32_t key_id, bool is_worker)
{
	memcpy(request, &key_id, sizeof(key_id));
	memcpy(request + sizeof(key_id), units, sizeof(units));
	return vault_server_rewrap(server, 1000, is_worker,
				   (struct slice){ request, sizeof(key_id) + sizeof(units) }, reply,
				   &length, &report);
}

static struct ipc_vault_rewrapped result_of(size_t nth)
{
	struct ipc_vault_rewrapped result;

	ipc_vault_get_rewrapped((struct slice){ (char *)reply, length }, nth, &result);
	return result;
}

/* Whether the blob opens with one of the vault's keys, to the unit's. */
static bool opens(const uint8_t *blob, size_t nth, uint32_t key_id)
{
	const struct vault_intake *intake = vault_keys_find(&keys, key_id);
	const struct slice text = { (const char *)blob, IPC_VAULT_BLOB_SIZE };
	struct unit_key key = { .generation = units[nth].generation };
	struct hpke hpke;

	memcpy(key.unit_id, units[nth].unit_id, KEYS_ID_SIZE);
	return stanza_recipient_init(&hpke, &intake->public_part, intake->key, text) == 0 &&
	       stanza_open(&hpke, deployment, text, &key) == 0 &&
	       memcmp(&key, &sealed[nth], sizeof(key)) == 0;
}

START_TEST(each_unit_is_sealed_to_the_other_key_and_to_no_third)
{
	ck_assert_int_eq(rewrap(2, true), 0);
	ck_assert_uint_eq(report.n_rewrapped, UNITS);
	ck_assert_uint_eq(report.n_opened, 0);
	for (size_t i = 0; i < UNITS; i++) {
		const struct ipc_vault_rewrapped result = result_of(i);

		ck_assert_int_eq(result.outcome, IPC_VAULT_OPENED);
		ck_assert(opens(result.blob, i, 2));
		ck_assert(!opens(result.blob, i, 1));
		ck_assert(opens(units[i].blob, i, 1));
	}
}
END_TEST

START_TEST(no_key_of_a_unit_is_in_the_reply)
{
	ck_assert_int_eq(rewrap(2, true), 0);
	for (size_t i = 0; i < UNITS; i++)
		ck_assert_ptr_null(memmem(reply, length, sealed[i].bytes, 8));
}
END_TEST

START_TEST(what_does_not_open_says_so_and_hides_no_other)
{
	units[1].blob[70] ^= 1;
	units[2].generation++;
	units[3].key_id = 7;
	ck_assert_int_eq(rewrap(2, true), 0);
	ck_assert_uint_eq(report.n_rewrapped, UNITS - 3);
	ck_assert_uint_eq(report.n_broken, 3);
	ck_assert_int_eq(result_of(0).outcome, IPC_VAULT_OPENED);
	ck_assert_int_eq(result_of(1).outcome, IPC_VAULT_BROKEN);
	ck_assert_int_eq(result_of(2).outcome, IPC_VAULT_BROKEN);
	ck_assert_int_eq(result_of(3).outcome, IPC_VAULT_NO_KEY);
	ck_assert_int_eq(result_of(3).blob[0] | result_of(3).blob[87], 0);
	ck_assert(opens(result_of(4).blob, 4, 2));
}
END_TEST

START_TEST(a_key_that_the_vault_lacks_is_nothing_to_seal_to)
{
	ck_assert_int_eq(rewrap(3, true), 0);
	ck_assert_uint_eq(report.n_rewrapped, 0);
	for (size_t i = 0; i < UNITS; i++)
		ck_assert_int_eq(result_of(i).outcome, IPC_VAULT_NO_KEY);
}
END_TEST

/* The quota of this vault is one case. */
START_TEST(it_counts_no_case_and_is_for_the_worker_alone)
{
	for (unsigned i = 0; i < 20; i++)
		ck_assert_int_eq(rewrap(2, true), 0);
	ck_assert_uint_eq(report.n_rewrapped, UNITS);
	ck_assert_int_eq(rewrap(2, false), VAULT_SERVER_E_FORBIDDEN);
	ck_assert_int_eq(vault_server_list(server, false, reply, &length),
			 VAULT_SERVER_E_FORBIDDEN);
}
END_TEST

START_TEST(requests_and_replies_of_another_shape_are_none)
{
	uint32_t key_id;
	size_t n;

	for (size_t i = 0; i < sizeof(request); i += 7)
		ck_assert_int_eq(ipc_vault_read_rewrap((struct slice){ request, i }, &key_id, &n),
				 i > 4 && (i - 4) % sizeof(struct ipc_vault_unit) == 0
					 ? 0
					 : IPC_VAULT_E_MALFORMED);
	ck_assert_int_eq(vault_server_rewrap(server, 0, true, (struct slice){ request, 5 }, reply,
					     &length, &report),
			 VAULT_SERVER_E_MALFORMED);
	memset(reply, 0, sizeof(reply));
	ck_assert_int_eq(ipc_vault_read_rewrapped((struct slice){ (char *)reply, 2 * 89 }, &n), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(ipc_vault_read_rewrapped((struct slice){ (char *)reply, 88 }, &n),
			 IPC_VAULT_E_MALFORMED);
	reply[89] = IPC_VAULT_OUTCOME_COUNT;
	ck_assert_int_eq(ipc_vault_read_rewrapped((struct slice){ (char *)reply, 2 * 89 }, &n),
			 IPC_VAULT_E_MALFORMED);
}
END_TEST

START_TEST(the_vault_says_which_keys_it_has)
{
	struct ipc_vault_listed listed;
	size_t n;

	ck_assert_int_eq(vault_server_list(server, true, reply, &length), 0);
	ck_assert_int_eq(ipc_vault_read_listed((struct slice){ (char *)reply, length }, &n), 0);
	ck_assert_uint_eq(n, 2);
	for (size_t i = 0; i < n; i++) {
		ipc_vault_get_listed((struct slice){ (char *)reply, length }, i, &listed);
		ck_assert_uint_eq(listed.key_id, i + 1);
		ck_assert_mem_eq(listed.public_key, keys.intake[i].public_part.public_key,
				 sizeof(listed.public_key));
		ck_assert_ptr_null(memmem(reply, length, keys.intake[i].key, 8));
	}
	ck_assert_int_eq(ipc_vault_read_listed((struct slice){ (char *)reply, length - 1 }, &n),
			 IPC_VAULT_E_MALFORMED);
}
END_TEST

SUITE_EACH("keys/rewrap", start, end, each_unit_is_sealed_to_the_other_key_and_to_no_third,
	   no_key_of_a_unit_is_in_the_reply, what_does_not_open_says_so_and_hides_no_other,
	   a_key_that_the_vault_lacks_is_nothing_to_seal_to,
	   it_counts_no_case_and_is_for_the_worker_alone,
	   requests_and_replies_of_another_shape_are_none, the_vault_says_which_keys_it_has)
