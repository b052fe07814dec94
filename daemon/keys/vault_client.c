/*
 * Asking the vault. An answer that is late, malformed or of another length is no answer: nobody is
 * shown half a case because a process misbehaved.
 */

#include "daemon/keys/vault_client.h"
#include "daemon/crypto/crypto.h"

#include <stdlib.h>
#include <string.h>

static struct vault_call *call_of(struct ipc_request *request)
{
	return (struct vault_call *)(void *)((char *)request -
					     offsetof(struct vault_call, request));
}

static struct vault_sign_call *sign_call_of(struct ipc_request *request)
{
	return (struct vault_sign_call *)(void *)((char *)request -
						  offsetof(struct vault_sign_call, request));
}

/* Overwrites the keys that were opened. */
void vault_call_wipe(struct vault_call *call)
{
	for (size_t i = 0; i < call->n_units; i++)
		unit_key_deinit(&call->units[i].key);
}

static void unit_take(struct vault_unit *unit, const struct ipc_vault_opened *opened)
{
	unit->outcome = (enum ipc_vault_outcome)opened->outcome;
	if (unit->outcome != IPC_VAULT_OPENED)
		return;
	memcpy(unit->key.unit_id, unit->unit_id, KEYS_ID_SIZE);
	unit->key.generation = unit->generation;
	memcpy(unit->key.bytes, opened->key, KEYS_KEY_SIZE);
}

static enum vault_outcome answer_take(struct vault_call *call, struct slice payload)
{
	uint32_t retry_after_s = 0;
	size_t n = 0;

	if (ipc_vault_read_opened(payload, &retry_after_s, &n) || n != call->n_units)
		return VAULT_AWAY;
	for (size_t i = 0; i < n; i++) {
		struct ipc_vault_opened opened;

		ipc_vault_get_opened(payload, i, &opened);
		unit_take(&call->units[i], &opened);
		crypto_wipe(&opened, sizeof(opened));
	}
	if (call->units[0].outcome != IPC_VAULT_QUOTA)
		return VAULT_ANSWERED;
	call->retry_after_s = retry_after_s ? retry_after_s : VAULT_RETRY_S;
	return VAULT_QUOTA;
}

static void on_opened(struct ipc_request *request, enum ipc_outcome outcome,
		      const struct ipc_message *message)
{
	struct vault_call *call = call_of(request);
	enum vault_outcome result = VAULT_AWAY;

	call->retry_after_s = VAULT_RETRY_S;
	if (outcome == IPC_ANSWERED && message->type == IPC_TYPE_VAULT_OPENED)
		result = answer_take(call, message->payload);
	if (result != VAULT_ANSWERED)
		vault_call_wipe(call);
	call->done(call, result);
}

static int outcome_of_send(int r)
{
	return r > 0 ? VAULT_E_AWAY : r;
}

/* Asks for the keys of 1 to VAULT_UNITS_MAX units; -EINVAL for another number. */
int vault_open(struct ipc_channel *channel, struct vault_call *call)
{
	size_t length = sizeof(struct ipc_vault_ask) +
			call->n_units * sizeof(struct ipc_vault_unit);
	struct ipc_vault_ask ask;
	char *payload;
	int r;

	if (call->n_units == 0 || call->n_units > VAULT_UNITS_MAX)
		return -EINVAL;
	if (!channel)
		return VAULT_E_AWAY;
	payload = malloc(length);
	if (!payload)
		return -ENOMEM;
	memcpy(ask.person, call->person, sizeof(ask.person));
	memcpy(ask.case_id, call->case_id, sizeof(ask.case_id));
	memcpy(payload, &ask, sizeof(ask));
	for (size_t i = 0; i < call->n_units; i++) {
		struct ipc_vault_unit unit = { .generation = call->units[i].generation,
					       .key_id = call->units[i].key_id };

		memcpy(unit.unit_id, call->units[i].unit_id, sizeof(unit.unit_id));
		memcpy(unit.blob, call->units[i].blob, sizeof(unit.blob));
		memcpy(payload + sizeof(ask) + i * sizeof(unit), &unit, sizeof(unit));
	}
	call->request = (struct ipc_request){ .done = on_opened };
	r = ipc_channel_request(channel, &call->request, IPC_TYPE_VAULT_OPEN,
				(struct slice){ payload, length }, VAULT_DEADLINE_MS);
	free(payload);
	return outcome_of_send(r);
}

static void on_signed(struct ipc_request *request, enum ipc_outcome outcome,
		      const struct ipc_message *message)
{
	struct vault_sign_call *call = sign_call_of(request);
	bool is_signed = outcome == IPC_ANSWERED && message->type == IPC_TYPE_VAULT_SIGNED &&
			 message->payload.length == IPC_VAULT_SIGNATURE_SIZE;

	call->done(call, is_signed ? (const uint8_t *)message->payload.at : NULL);
}

/* -EINVAL for an empty text or one above IPC_VAULT_NOTE_MAX. */
int vault_sign(struct ipc_channel *channel, struct vault_sign_call *call)
{
	if (!channel)
		return VAULT_E_AWAY;
	call->request = (struct ipc_request){ .done = on_signed };
	return outcome_of_send(ipc_channel_request(channel, &call->request, IPC_TYPE_VAULT_SIGN,
						   call->text, VAULT_DEADLINE_MS));
}
