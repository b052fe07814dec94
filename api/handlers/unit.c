/*
 * One unit's key where nothing is read with it but the key itself is needed: what somebody writes
 * into a party's channel, and a new receipt, are sealed with what is derived from it.
 */

#include "api/handlers/unit.h"
#include "daemon/base/codec.h"
#include "daemon/base/text.h"

#include <string.h>

int unit_read_hex(const struct value *body, const char *name, void *ret_bytes, size_t size)
{
	struct slice hex = value_text(value_get(body, name));
	size_t length = 0;

	return hex.at && codec_hex_decode(hex, ret_bytes, size, &length) == 0 && length == size
		       ? 0
		       : -EPROTO;
}

int unit_ask_read(struct unit_ask *ask, const struct value *body)
{
	struct vault_unit *unit = &ask->unit;
	struct slice id = value_text(value_get(body, "unit"));

	unit->generation = (uint32_t)value_integer(value_get(body, "generation"), 0);
	unit->key_id = (uint32_t)value_integer(value_get(body, "key_id"), 0);
	if (!id.at || text_read_uuid(id, unit->unit_id))
		return -EPROTO;
	return unit_read_hex(body, "vault", unit->blob, sizeof(unit->blob));
}

static void refuse(struct unit_ask *ask, int status, const char *key, uint32_t retry_after_s)
{
	verb_refuse(ask->exchange, &(struct call_answer){ .status = status,
							  .error_key = key,
							  .retry_after_s = retry_after_s });
}

static void on_opened(struct vault_call *call, enum vault_outcome outcome)
{
	struct unit_ask *ask = (struct unit_ask *)(void *)((char *)call -
							   offsetof(struct unit_ask, vault));
	CLEANUP(unit_key_deinit) struct unit_key key = ask->unit.key;
	enum ipc_vault_outcome unit = ask->unit.outcome;

	/* Behind the answer there may be no arena any more. */
	vault_call_wipe(call);
	if (outcome == VAULT_QUOTA)
		refuse(ask, 429, "conduct-case-quota", call->retry_after_s);
	else if (outcome == VAULT_AWAY || unit == IPC_VAULT_NO_KEY)
		refuse(ask, 503, "conduct-vault-unavailable", VAULT_RETRY_S);
	else if (unit != IPC_VAULT_OPENED)
		refuse(ask, 500, "conduct-damaged", 0);
	else
		ask->done(ask, &key);
}

void unit_ask_start(struct unit_ask *ask, const uint8_t person[KEYS_ID_SIZE],
		    const uint8_t case_id[KEYS_ID_SIZE],
		    void (*done)(struct unit_ask *ask, const struct unit_key *key))
{
	int r;

	ask->done = done;
	ask->vault = (struct vault_call){ .units = &ask->unit, .n_units = 1, .done = on_opened };
	memcpy(ask->vault.person, person, KEYS_ID_SIZE);
	memcpy(ask->vault.case_id, case_id, KEYS_ID_SIZE);
	r = vault_open(sealer_vault(verb_handlers(ask->exchange)->sealer), &ask->vault);
	if (r > 0)
		refuse(ask, 503, "conduct-vault-unavailable", VAULT_RETRY_S);
	else if (r)
		exchange_fail(ask->exchange, r);
}
