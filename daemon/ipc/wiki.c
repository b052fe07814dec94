/*
 * Layout of the messages about wiki accounts. Every field is checked where it is read: web is the
 * process that strangers reach, and what the worker was told comes from another machine.
 */

#include <string.h>

#include "daemon/base/buffer.h"
#include "daemon/ipc/pack.h"
#include "daemon/ipc/wiki.h"

enum { FLAG_BLOCKED = 1, FLAG_TEMPORARY = 2, FLAGS = 3 };

struct answer_head {
	uint8_t outcome;
	uint8_t flags;
	uint16_t retry_after_s;
};

_Static_assert(sizeof(struct answer_head) == 4, "the head has no padding");

void ipc_wiki_write_check(struct buffer *buffer, const struct ipc_wiki_check *check)
{
	const struct slice parts[] = { check->iss, check->token };

	pack_write(buffer, parts, ARRAY_SIZE(parts));
}

void ipc_wiki_write_exchange(struct buffer *buffer, const struct ipc_wiki_exchange *exchange)
{
	const struct slice parts[] = { exchange->iss, exchange->code, exchange->verifier,
				       exchange->redirect_uri };

	pack_write(buffer, parts, ARRAY_SIZE(parts));
}

void ipc_wiki_write_answer(struct buffer *buffer, const struct ipc_wiki_answer *answer)
{
	const struct answer_head head = {
		.outcome = (uint8_t)answer->outcome,
		.flags = (uint8_t)((answer->is_blocked ? FLAG_BLOCKED : 0) |
				   (answer->is_temporary ? FLAG_TEMPORARY : 0)),
		.retry_after_s = answer->retry_after_s,
	};
	const struct slice parts[] = {
		{ (const char *)&head, sizeof(head) }, answer->id, answer->user_name, answer->token
	};

	pack_write(buffer, parts, ARRAY_SIZE(parts));
}

static bool has_nul(struct slice text)
{
	return text.length && memchr(text.at, '\0', text.length);
}

/* Visible ASCII: what may stand in a header or a form without another thought. */
static bool is_visible(struct slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.at[i] <= ' ' || text.at[i] > '~')
			return false;
	return text.length > 0;
}

static bool is_id(struct slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
	return text.length > 0 && text.length <= IPC_WIKI_ID_LIMIT && text.at[0] != '0';
}

int ipc_wiki_read_check(struct slice payload, struct ipc_wiki_check *ret_check)
{
	struct slice parts[2];

	if (pack_read(payload, parts, ARRAY_SIZE(parts)) || !parts[0].length || has_nul(parts[0]) ||
	    !is_visible(parts[1]) || parts[1].length > IPC_WIKI_TOKEN_LIMIT)
		return IPC_WIKI_E_MALFORMED;
	*ret_check = (struct ipc_wiki_check){ parts[0], parts[1] };
	return 0;
}

int ipc_wiki_read_exchange(struct slice payload, struct ipc_wiki_exchange *ret_exchange)
{
	struct slice parts[4];

	if (pack_read(payload, parts, ARRAY_SIZE(parts)) || !parts[0].length || has_nul(parts[0]))
		return IPC_WIKI_E_MALFORMED;
	for (size_t i = 1; i < ARRAY_SIZE(parts); i++)
		if (!is_visible(parts[i]))
			return IPC_WIKI_E_MALFORMED;
	*ret_exchange = (struct ipc_wiki_exchange){ parts[0], parts[1], parts[2], parts[3] };
	return 0;
}

int ipc_wiki_read_answer(struct slice payload, struct ipc_wiki_answer *ret_answer)
{
	struct answer_head head;
	struct slice parts[4];
	bool is_live;

	if (pack_read(payload, parts, ARRAY_SIZE(parts)) || parts[0].length != sizeof(head))
		return IPC_WIKI_E_MALFORMED;
	memcpy(&head, parts[0].at, sizeof(head));
	is_live = head.outcome == IPC_WIKI_LIVE;
	if (head.outcome >= IPC_WIKI_OUTCOME_COUNT || (head.flags & ~FLAGS) ||
	    (is_live ? !is_id(parts[1]) : parts[1].length || parts[2].length || parts[3].length))
		return IPC_WIKI_E_MALFORMED;
	if (parts[2].length > IPC_WIKI_NAME_LIMIT || has_nul(parts[2]) ||
	    (parts[3].length && !is_visible(parts[3])) || parts[3].length > IPC_WIKI_TOKEN_LIMIT)
		return IPC_WIKI_E_MALFORMED;
	*ret_answer = (struct ipc_wiki_answer){ .outcome = (enum ipc_wiki_outcome)head.outcome,
						.is_blocked = head.flags & FLAG_BLOCKED,
						.is_temporary = head.flags & FLAG_TEMPORARY,
						.retry_after_s = head.retry_after_s,
						.id = parts[1],
						.user_name = parts[2],
						.token = parts[3] };
	return 0;
}
