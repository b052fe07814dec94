#pragma once
/* What the processes of one daemon say to each other: the types and the length each may have. */

#include "daemon/base/error.h"

enum { IPC_PAYLOAD_LIMIT = 64 * 1024, IPC_VERSION = 1 };

enum ipc_type {
	IPC_TYPE_PING = 1, /* anybody: are you there? answered with PONG */
	IPC_TYPE_PONG,
	IPC_TYPE_READY,    /* child to parent: serving */
	IPC_TYPE_DRAIN,    /* parent to child: take nothing new, finish, exit */
	IPC_TYPE_RELOAD,   /* parent to child: read configuration and policy again */
	IPC_TYPE_RELOADED, /* child to parent: one byte, 1 = in use, 0 = kept the old one */
	/* parent to vault or worker: a descriptor that leads to a client of it; one byte, the
	 * client's enum page_process */
	IPC_TYPE_PEER,
	IPC_TYPE_VAULT,  /* parent to web and worker: a descriptor that leads to the vault */
	IPC_TYPE_POLICY, /* worker to parent, parent to web: another set is published */
	IPC_TYPE_WORKER, /* parent to web: a descriptor that leads to the worker */
	/* web to worker, answered with IPC_TYPE_WIKI_ANSWER; the parts are in ipc/wiki.h */
	IPC_TYPE_WIKI_CHECK,
	IPC_TYPE_WIKI_EXCHANGE,
	IPC_TYPE_WIKI_ANSWER,
	IPC_TYPE_SERVE,     /* parent to worker: the daemon serves, in another one's place */
	IPC_TYPE_HAND_OVER, /* parent to web and worker: another daemon serves, make room */
	IPC_TYPE_TICKETS,   /* parent to web: the keys of TLS session tickets */
	/* web and worker to vault; the parts are in ipc/vault.h */
	IPC_TYPE_VAULT_OPEN,
	IPC_TYPE_VAULT_OPENED,
	/* worker to vault: the text of a checkpoint; answered with its signature, or with nothing
	 * where the vault does not sign it */
	IPC_TYPE_VAULT_SIGN,
	IPC_TYPE_VAULT_SIGNED,
	/* worker to vault; the parts are in ipc/vault.h */
	IPC_TYPE_VAULT_REWRAP,
	IPC_TYPE_VAULT_REWRAPPED,
	IPC_TYPE_VAULT_LIST,
	IPC_TYPE_VAULT_LISTED,
};

struct ipc_bounds {
	uint16_t type;
	const char *name;
	uint32_t length_min;
	uint32_t length_max;
	bool has_descriptor;
};

const struct ipc_bounds *ipc_bounds_find(uint16_t type); /* NULL: no such type */
