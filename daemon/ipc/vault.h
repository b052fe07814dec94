#pragma once
/* The messages between the vault and its clients: opening the keys of units, sealing them again to
 * another key of the vault, signing checkpoints. */

#include "daemon/base/error.h"

enum {
	IPC_VAULT_ID_SIZE = 16,
	IPC_VAULT_KEY_SIZE = 32,
	IPC_VAULT_BLOB_SIZE = 88,
	IPC_VAULT_UNITS_MAX = 512,
	IPC_VAULT_SIGNATURE_SIZE = 64,
	IPC_VAULT_NOTE_MAX = 1024,
	IPC_VAULT_REWRAP_UNITS_MAX = 128,
	IPC_VAULT_KEYS_MAX = 16,
};

enum { IPC_VAULT_E_MALFORMED = 1 };

/* Fields have no padding between them, so the structs are the layout; numbers are in host order. */
struct ipc_vault_ask {
	uint8_t person[IPC_VAULT_ID_SIZE]; /* a pseudonym; zeros: the daemon itself, from the worker
					    */
	uint8_t case_id[IPC_VAULT_ID_SIZE];
};

struct ipc_vault_unit {
	uint8_t unit_id[IPC_VAULT_ID_SIZE];
	uint32_t generation;
	uint32_t key_id;
	uint8_t blob[IPC_VAULT_BLOB_SIZE];
};

enum ipc_vault_outcome {
	IPC_VAULT_OPENED,
	IPC_VAULT_BROKEN, /* not a stanza of this unit, generation and deployment */
	IPC_VAULT_NO_KEY, /* the vault has no such intake key */
	IPC_VAULT_QUOTA,  /* too many cases: none of the request's units is opened */
	IPC_VAULT_OUTCOME_COUNT,
};

struct ipc_vault_opened {
	uint8_t outcome;                 /* enum ipc_vault_outcome */
	uint8_t key[IPC_VAULT_KEY_SIZE]; /* zeros unless opened */
};

/* A unit's key, sealed to another key of the vault. */
struct ipc_vault_rewrapped {
	uint8_t outcome;                   /* enum ipc_vault_outcome */
	uint8_t blob[IPC_VAULT_BLOB_SIZE]; /* zeros unless opened */
};

/* An intake key of the vault. */
struct ipc_vault_listed {
	uint32_t key_id;
	uint8_t public_key[IPC_VAULT_KEY_SIZE];
};

enum {
	IPC_VAULT_OPEN_MIN = sizeof(struct ipc_vault_ask) + sizeof(struct ipc_vault_unit),
	IPC_VAULT_OPEN_MAX = sizeof(struct ipc_vault_ask) +
			     IPC_VAULT_UNITS_MAX * sizeof(struct ipc_vault_unit),
	IPC_VAULT_OPENED_MIN = sizeof(uint32_t) + sizeof(struct ipc_vault_opened),
	IPC_VAULT_OPENED_MAX = sizeof(uint32_t) +
			       IPC_VAULT_UNITS_MAX * sizeof(struct ipc_vault_opened),
	IPC_VAULT_REWRAP_MIN = sizeof(uint32_t) + sizeof(struct ipc_vault_unit),
	IPC_VAULT_REWRAP_MAX = sizeof(uint32_t) +
			       IPC_VAULT_REWRAP_UNITS_MAX * sizeof(struct ipc_vault_unit),
	IPC_VAULT_REWRAPPED_MIN = sizeof(struct ipc_vault_rewrapped),
	IPC_VAULT_REWRAPPED_MAX = IPC_VAULT_REWRAP_UNITS_MAX * sizeof(struct ipc_vault_rewrapped),
	IPC_VAULT_LISTED_MIN = sizeof(struct ipc_vault_listed),
	IPC_VAULT_LISTED_MAX = IPC_VAULT_KEYS_MAX * sizeof(struct ipc_vault_listed),
};

/* VAULT_OPEN: one struct ipc_vault_ask, then the units. */
int ipc_vault_read_open(struct slice payload, struct ipc_vault_ask *ret_ask, size_t *ret_n_units);
void ipc_vault_get_unit(struct slice payload, size_t nth, struct ipc_vault_unit *ret_unit);
/* VAULT_OPENED: seconds to wait after a quota, else 0; then one result for each unit. */
int ipc_vault_read_opened(struct slice payload, uint32_t *ret_retry_after_s, size_t *ret_n_units);
void ipc_vault_get_opened(struct slice payload, size_t nth, struct ipc_vault_opened *ret_opened);

/* VAULT_REWRAP: the id of the key that is sealed to, then the units. */
int ipc_vault_read_rewrap(struct slice payload, uint32_t *ret_key_id, size_t *ret_n_units);
void ipc_vault_get_rewrap(struct slice payload, size_t nth, struct ipc_vault_unit *ret_unit);
/* VAULT_REWRAPPED: one result for each unit. */
int ipc_vault_read_rewrapped(struct slice payload, size_t *ret_n_units);
void ipc_vault_get_rewrapped(struct slice payload, size_t nth,
			     struct ipc_vault_rewrapped *ret_rewrapped);
/* VAULT_LIST, which is empty, to VAULT_LISTED: by rising key id. */
int ipc_vault_read_listed(struct slice payload, size_t *ret_n_keys);
void ipc_vault_get_listed(struct slice payload, size_t nth, struct ipc_vault_listed *ret_listed);
