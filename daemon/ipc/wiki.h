#pragma once
/* The messages about wiki accounts between web and worker. */

#include "daemon/base/error.h"

struct buffer;

enum { IPC_WIKI_ID_LIMIT = 19, IPC_WIKI_NAME_LIMIT = 255, IPC_WIKI_TOKEN_LIMIT = 4096 };

enum { IPC_WIKI_E_MALFORMED = 1 };

enum ipc_wiki_outcome { IPC_WIKI_LIVE, IPC_WIKI_REFUSED, IPC_WIKI_AWAY, IPC_WIKI_OUTCOME_COUNT };

struct ipc_wiki_check {
	struct slice iss;
	struct slice token;
};

struct ipc_wiki_exchange {
	struct slice iss;
	struct slice code;
	struct slice verifier;
	struct slice redirect_uri;
};

struct ipc_wiki_answer {
	enum ipc_wiki_outcome outcome;
	bool is_blocked;
	bool is_temporary;
	uint16_t retry_after_s;
	struct slice id;        /* digits; only and always where live */
	struct slice user_name; /* empty: hidden */
	struct slice token;     /* only after an exchange */
};

void ipc_wiki_write_check(struct buffer *buffer, const struct ipc_wiki_check *check);
void ipc_wiki_write_exchange(struct buffer *buffer, const struct ipc_wiki_exchange *exchange);
void ipc_wiki_write_answer(struct buffer *buffer, const struct ipc_wiki_answer *answer);
/* All borrow from the payload, and answer IPC_WIKI_E_MALFORMED for what no peer may send. */
int ipc_wiki_read_check(struct slice payload, struct ipc_wiki_check *ret_check);
int ipc_wiki_read_exchange(struct slice payload, struct ipc_wiki_exchange *ret_exchange);
int ipc_wiki_read_answer(struct slice payload, struct ipc_wiki_answer *ret_answer);
