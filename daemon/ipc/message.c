/*
 * The vocabulary of the channels between processes. A message whose type is not here, or whose
 * length is outside its row, closes the channel it came on: a process that speaks nonsense is
 * broken or taken over, and its parent starts a new one.
 */

#include "daemon/ipc/message.h"
#include "daemon/ipc/vault.h"

_Static_assert((int)IPC_VAULT_OPEN_MAX <= (int)IPC_PAYLOAD_LIMIT, "a request fits a packet");

static const struct ipc_bounds bounds[] = {
	/* type, name, shortest, longest, carries a descriptor */
	{ IPC_TYPE_PING, "ping", 0, 64, false },
	{ IPC_TYPE_PONG, "pong", 0, 64, false },
	{ IPC_TYPE_READY, "ready", 0, 0, false },
	{ IPC_TYPE_DRAIN, "drain", 0, 0, false },
	{ IPC_TYPE_RELOAD, "reload", 0, 0, false },
	{ IPC_TYPE_RELOADED, "reloaded", 1, 1, false },
	{ IPC_TYPE_PEER, "peer", 1, 1, true },
	{ IPC_TYPE_VAULT, "vault", 0, 0, true },
	{ IPC_TYPE_POLICY, "policy", 0, 0, false },
	{ IPC_TYPE_WORKER, "worker", 0, 0, true },
	{ IPC_TYPE_WIKI_CHECK, "wiki check", 4, 8 * 1024, false },
	{ IPC_TYPE_WIKI_EXCHANGE, "wiki exchange", 8, 8 * 1024, false },
	{ IPC_TYPE_WIKI_ANSWER, "wiki answer", 4, 8 * 1024, false },
	{ IPC_TYPE_SERVE, "serve", 0, 0, false },
	{ IPC_TYPE_HAND_OVER, "hand over", 0, 0, false },
	{ IPC_TYPE_TICKETS, "tickets", 240, 240, false },
	{ IPC_TYPE_VAULT_OPEN, "vault open", IPC_VAULT_OPEN_MIN, IPC_VAULT_OPEN_MAX, false },
	{ IPC_TYPE_VAULT_OPENED, "vault opened", IPC_VAULT_OPENED_MIN, IPC_VAULT_OPENED_MAX,
	  false },
	{ IPC_TYPE_VAULT_SIGN, "vault sign", 1, IPC_VAULT_NOTE_MAX, false },
	{ IPC_TYPE_VAULT_SIGNED, "vault signed", 0, IPC_VAULT_SIGNATURE_SIZE, false },
	{ IPC_TYPE_VAULT_REWRAP, "vault rewrap", IPC_VAULT_REWRAP_MIN, IPC_VAULT_REWRAP_MAX,
	  false },
	{ IPC_TYPE_VAULT_REWRAPPED, "vault rewrapped", IPC_VAULT_REWRAPPED_MIN,
	  IPC_VAULT_REWRAPPED_MAX, false },
	{ IPC_TYPE_VAULT_LIST, "vault list", 0, 0, false },
	{ IPC_TYPE_VAULT_LISTED, "vault listed", IPC_VAULT_LISTED_MIN, IPC_VAULT_LISTED_MAX,
	  false },
};

/* The row of a type; rows live as long as the program. */
const struct ipc_bounds *ipc_bounds_find(uint16_t type)
{
	for (size_t i = 0; i < ARRAY_SIZE(bounds); i++)
		if (bounds[i].type == type)
			return &bounds[i];
	return NULL;
}
