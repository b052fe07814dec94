/*
 * Layout of the vault's messages. What is read is copied out: a payload is aligned to nothing.
 * Which types there are, and how long each may be, is in message.c.
 */

#include <string.h>

#include "daemon/ipc/vault.h"

_Static_assert(sizeof(struct ipc_vault_ask) == 32, "no padding");
_Static_assert(sizeof(struct ipc_vault_unit) == 112, "no padding");
_Static_assert(sizeof(struct ipc_vault_opened) == 33, "no padding");
_Static_assert(sizeof(struct ipc_vault_rewrapped) == 89, "no padding");
_Static_assert(sizeof(struct ipc_vault_listed) == 36, "no padding");

/* How many whole items follow the head; 0: none, more than `most`, or a part of one. */
static size_t count_items(struct slice payload, size_t head, size_t item, size_t most)
{
	size_t n = payload.length > head ? (payload.length - head) / item : 0;

	return n <= most && head + n * item == payload.length ? n : 0;
}

/* Every result begins with its outcome. */
static bool outcomes_are_known(struct slice payload, size_t head, size_t item, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)payload.at[head + i * item] >= IPC_VAULT_OUTCOME_COUNT)
			return false;
	return true;
}

/* 0 or IPC_VAULT_E_MALFORMED. */
int ipc_vault_read_open(struct slice payload, struct ipc_vault_ask *ret_ask, size_t *ret_n_units)
{
	size_t n = count_items(payload, sizeof(*ret_ask), sizeof(struct ipc_vault_unit),
			       IPC_VAULT_UNITS_MAX);

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
	const size_t item = sizeof(struct ipc_vault_opened);
	size_t n = count_items(payload, sizeof(uint32_t), item, IPC_VAULT_UNITS_MAX);

	if (n == 0 || !outcomes_are_known(payload, sizeof(uint32_t), item, n))
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

/* 0 or IPC_VAULT_E_MALFORMED. */
int ipc_vault_read_rewrap(struct slice payload, uint32_t *ret_key_id, size_t *ret_n_units)
{
	size_t n = count_items(payload, sizeof(*ret_key_id), sizeof(struct ipc_vault_unit),
			       IPC_VAULT_REWRAP_UNITS_MAX);

	if (n == 0)
		return IPC_VAULT_E_MALFORMED;
	memcpy(ret_key_id, payload.at, sizeof(*ret_key_id));
	*ret_n_units = n;
	return 0;
}

/* nth: below the number that ipc_vault_read_rewrap() gave. */
void ipc_vault_get_rewrap(struct slice payload, size_t nth, struct ipc_vault_unit *ret_unit)
{
	memcpy(ret_unit, payload.at + sizeof(uint32_t) + nth * sizeof(*ret_unit),
	       sizeof(*ret_unit));
}

/* 0 or IPC_VAULT_E_MALFORMED; every outcome is one of the enum. */
int ipc_vault_read_rewrapped(struct slice payload, size_t *ret_n_units)
{
	const size_t item = sizeof(struct ipc_vault_rewrapped);
	size_t n = count_items(payload, 0, item, IPC_VAULT_REWRAP_UNITS_MAX);

	if (n == 0 || !outcomes_are_known(payload, 0, item, n))
		return IPC_VAULT_E_MALFORMED;
	*ret_n_units = n;
	return 0;
}

/* nth: below the number that ipc_vault_read_rewrapped() gave. */
void ipc_vault_get_rewrapped(struct slice payload, size_t nth,
			     struct ipc_vault_rewrapped *ret_rewrapped)
{
	memcpy(ret_rewrapped, payload.at + nth * sizeof(*ret_rewrapped), sizeof(*ret_rewrapped));
}

/* 0 or IPC_VAULT_E_MALFORMED. */
int ipc_vault_read_listed(struct slice payload, size_t *ret_n_keys)
{
	size_t n = count_items(payload, 0, sizeof(struct ipc_vault_listed), IPC_VAULT_KEYS_MAX);

	if (n == 0)
		return IPC_VAULT_E_MALFORMED;
	*ret_n_keys = n;
	return 0;
}

/* nth: below the number that ipc_vault_read_listed() gave. */
void ipc_vault_get_listed(struct slice payload, size_t nth, struct ipc_vault_listed *ret_listed)
{
	memcpy(ret_listed, payload.at + nth * sizeof(*ret_listed), sizeof(*ret_listed));
}
