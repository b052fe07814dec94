#pragma once
/* The vault as web and worker ask it: one request for all units of an answer. */

#include "daemon/ipc/channel.h"
#include "daemon/ipc/vault.h"
#include "daemon/keys/stanza.h"

enum {
	VAULT_DEADLINE_MS = 2000,
	VAULT_RETRY_S = 5, /* for who has to come back because the vault is away */
	VAULT_UNITS_MAX = IPC_VAULT_UNITS_MAX,
};

enum {
	VAULT_E_AWAY = 1, /* there is no vault at the moment, or it is too far behind: not asked */
};

/* One unit: what the database has of it, and in the end its key. */
struct vault_unit {
	uint8_t unit_id[KEYS_ID_SIZE];
	uint32_t generation;
	uint32_t key_id;
	uint8_t blob[STANZA_VAULT_SIZE];
	enum ipc_vault_outcome outcome; /* valid in done() after VAULT_ANSWERED */
	struct unit_key key;            /* filled where it is IPC_VAULT_OPENED */
};

enum vault_outcome {
	VAULT_ANSWERED, /* each unit says how it went */
	VAULT_QUOTA,    /* too many cases; retry_after_s says when there is room again */
	VAULT_AWAY,     /* no answer within VAULT_DEADLINE_MS */
};

/*
 * Lives in the caller's struct, with its units, until done() is called. done() is called exactly
 * once after vault_open() returned 0, and never before it returns; the units' keys are then the
 * caller's to wipe (vault_call_wipe()).
 */
struct vault_call {
	struct vault_unit *units;
	size_t n_units;
	uint8_t person[KEYS_ID_SIZE]; /* who reads; zeros: the daemon itself, from the worker alone
				       */
	uint8_t case_id[KEYS_ID_SIZE];
	void (*done)(struct vault_call *call, enum vault_outcome outcome);

	uint32_t retry_after_s; /* in done(), unless VAULT_ANSWERED */
	struct ipc_request request;
};

/* Signs a checkpoint's text, as the worker. As above, with a signature. */
struct vault_sign_call {
	struct slice text; /* copied */
	/* NULL: the vault is away, or does not sign this. */
	void (*done)(struct vault_sign_call *call, const uint8_t *signature);
	struct ipc_request request;
};

/* `channel` may be NULL. Returns 0, VAULT_E_AWAY, or negative; only after 0 is done() called. */
int vault_open(struct ipc_channel *channel, struct vault_call *call);
void vault_call_wipe(struct vault_call *call);
int vault_sign(struct ipc_channel *channel, struct vault_sign_call *call);
