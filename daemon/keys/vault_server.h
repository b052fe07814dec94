#pragma once
/* What a vault does with a request, without the process around it. */

#include "daemon/ipc/vault.h"
#include "daemon/keys/vault_keys.h"
#include "daemon/keys/vault_quota.h"

struct vault_server;

/* What happened, for counters and the log. */
struct vault_report {
	unsigned n_opened;
	unsigned n_broken; /* stanzas that no key of the vault opens */
	unsigned n_rewrapped;
	int refusal; /* VAULT_QUOTA_E_…; 0: none */
};

enum {
	VAULT_SERVER_E_MALFORMED = 1, /* nothing that a client sends */
	VAULT_SERVER_E_FORBIDDEN,     /* what only the worker may ask */
};

int vault_server_new(const struct vault_quota_limits *limits, struct vault_server **ret_server);
struct vault_server *vault_server_free(struct vault_server *server); /* wipes all */
/* Takes a copy of the keys, in memory that is neither swapped out nor dumped; they may be replaced.
 */
int vault_server_set_keys(struct vault_server *server, const struct vault_keys *keys);

/* VAULT_OPEN to VAULT_OPENED; ret_reply is to be wiped. */
int vault_server_open(struct vault_server *server, int64_t now_ms, bool is_worker,
		      struct slice payload, uint8_t ret_reply[IPC_VAULT_OPENED_MAX],
		      size_t *ret_length, struct vault_report *ret_report);
/* VAULT_SIGN to VAULT_SIGNED: a checkpoint's text, three lines or more that end in a line feed. */
int vault_server_sign(const struct vault_server *server, bool is_worker, struct slice text,
		      uint8_t ret_signature[IPC_VAULT_SIGNATURE_SIZE]);
/* VAULT_REWRAP to VAULT_REWRAPPED. */
int vault_server_rewrap(struct vault_server *server, int64_t now_ms, bool is_worker,
			struct slice payload, uint8_t ret_reply[IPC_VAULT_REWRAPPED_MAX],
			size_t *ret_length, struct vault_report *ret_report);
/* VAULT_LIST to VAULT_LISTED. */
int vault_server_list(const struct vault_server *server, bool is_worker,
		      uint8_t ret_reply[IPC_VAULT_LISTED_MAX], size_t *ret_length);
