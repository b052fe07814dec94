/*
 * Layout of the vault's messages. What is read is copied out: a payload is aligned to nothing.
 * Which types there are, and how long each may be, is in message.c.
 */

#include <string.h>

#include "daemon/ipc/vault.h"

_Static_assert(sizeof(struct ipc_vault_ask) == 32, "no padding");
_Static_assert(sizeof(struct ipc_vault_unit) == 112, "no padding");
_Static_assert(sizeof(struct ipc_vault_opened) == 33, "no padding");

/* How many whole items follow the head; 0: none, too many, or a part of one. */
static size_t count_items(struct slice payload, size_t head, size_t item)
{
	size_t n = payload.length > head ? (payload.length - head) / item : 0;

	return n <= IPC_VAULT_UNITS_MAX && head + n * item == payload.length ? n : 0;
}

/* 0 or IPC_VAULT_E_MALFORMED. */
int ipc_vault_read_open(struct slice payload, struct ipc_vault_ask *ret_ask, size_t *ret_n_units)
{
	size_t n = count_items(payload, sizeof(*ret_ask), sizeof(struct ipc_vault_unit));

	if (n == 0)
		return IPC_VAULT_E_MALFORMED;
	memcpy(ret_ask, payload.at, sizeof(*ret_ask));
	*ret_n_units = n;
	return 0;
}

/* nth: below the number that ipc_vault_read_open() gave. */
void ipc_vault_get_unit(struct slice payload, size_t nth, struct ipc_vault_unit *ret_unit)
{
	memcpy(ret_unit, payload.at + sizeof(struct ipc_vault_ask) + nth * sizeof(*ret_unit),
	       sizeof(*ret_unit));
}

/* 0 or IPC_VAULT_E_MALFORMED; every outcome is one of the enum. */
int ipc_vault_read_opened(struct slice payload, uint32_t *ret_retry_after_s, size_t *ret_n_units)
{
	size_t n = count_items(payload, sizeof(uint32_t), sizeof(struct ipc_vault_opened));

	if (n == 0)
		return IPC_VAULT_E_MALFORMED;
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)payload.at[sizeof(uint32_t) + i * sizeof(struct ipc_vault_opened)] >=
		    IPC_VAULT_OUTCOME_COUNT)
			return IPC_VAULT_E_MALFORMED;
	memcpy(ret_retry_after_s, payload.at, sizeof(uint32_t));
	*ret_n_units = n;
	return 0;
}

/* nth: below the number that ipc_vault_read_opened() gave. */
void ipc_vault_get_opened(struct slice payload, size_t nth, struct ipc_vault_opened *ret_opened)
{
	memcpy(ret_opened, payload.at + sizeof(uint32_t) + nth * sizeof(*ret_opened),
	       sizeof(*ret_opened));
}
