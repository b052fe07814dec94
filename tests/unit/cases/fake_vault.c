/* Replaces daemon/keys/vault_client.c: the keys are opened in the test's own process. */

#include "tests/unit/cases/fake_vault.h"

#include <check.h>
#include <string.h>

enum { KEY_ID = 3, RETRY_S = 77 };

static struct intake_key intake;
static uint8_t private_key[HPKE_KEY_SIZE];
static struct vault_call *waiting;
static size_t n_calls;
static int broken;

void fake_vault_start(struct sealer *sealer)
{
	waiting = NULL;
	n_calls = 0;
	broken = 0;
	intake = (struct intake_key){ "deployment 0000", KEY_ID, { 0 } };
	ck_assert_int_eq(hpke_key_new(private_key, intake.public_key), 0);
	sealer_init(sealer, &intake, NULL);
}

void fake_vault_break(int result)
{
	broken = result;
}

struct vault_call *fake_vault_call(void)
{
	return waiting;
}

size_t fake_vault_count(void)
{
	return n_calls;
}

static void unit_open(struct vault_unit *unit)
{
	struct slice blob = { (const char *)unit->blob, sizeof(unit->blob) };
	struct hpke hpke;

	unit->outcome = IPC_VAULT_NO_KEY;
	if (unit->key_id != KEY_ID)
		return;
	unit->outcome = IPC_VAULT_BROKEN;
	memcpy(unit->key.unit_id, unit->unit_id, KEYS_ID_SIZE);
	unit->key.generation = unit->generation;
	if (stanza_recipient_init(&hpke, &intake, private_key, blob) == 0 &&
	    stanza_open(&hpke, intake.deployment, blob, &unit->key) == 0)
		unit->outcome = IPC_VAULT_OPENED;
}

void fake_vault_answer(enum vault_outcome outcome)
{
	struct vault_call *call = waiting;

	ck_assert_ptr_nonnull(call);
	waiting = NULL;
	for (size_t i = 0; outcome == VAULT_ANSWERED && i < call->n_units; i++)
		unit_open(&call->units[i]);
	call->retry_after_s = outcome == VAULT_QUOTA ? RETRY_S : VAULT_RETRY_S;
	call->done(call, outcome);
}

int vault_open(struct ipc_channel *channel, struct vault_call *call)
{
	if (broken)
		return broken;
	ck_assert_ptr_null(waiting);
	ck_assert_uint_ge(call->n_units, 1);
	ck_assert_uint_le(call->n_units, VAULT_UNITS_MAX);
	waiting = call;
	n_calls++;
	return 0;
}

void vault_call_wipe(struct vault_call *call)
{
	for (size_t i = 0; i < call->n_units; i++)
		unit_key_deinit(&call->units[i].key);
}

int vault_sign(struct ipc_channel *channel, struct vault_sign_call *call)
{
	return VAULT_E_AWAY;
}
