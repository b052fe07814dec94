/*
 * The payloads about wiki accounts, which a process that was taken over may fill with anything:
 * what is believed lies within the payload, keeps every limit, holds nothing that could end a line
 * or a header, and written anew is the same bytes.
 *
 * The first byte chooses the message; the rest is its payload.
 */

#include "tests/fuzz/fuzz.h"

#include "daemon/base/buffer.h"
#include "daemon/ipc/wiki.h"

#include <string.h>

static bool is_within(struct slice part, struct slice payload)
{
	return !part.length ||
	       (part.at >= payload.at && part.at + part.length <= payload.at + payload.length);
}

static bool is_plain(struct slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.at[i] <= ' ' || text.at[i] > '~')
			return false;
	return true;
}

static void check_same(struct buffer *buffer, struct slice payload)
{
	int r = buffer_finish(buffer);

	NOT_NEGATIVE(r, out);
	PROPERTY(buffer->length == payload.length);
	PROPERTY(!payload.length || memcmp(buffer->at, payload.at, payload.length) == 0);
out:
	return;
}

static void try_check(struct slice payload)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	struct ipc_wiki_check check;

	if (ipc_wiki_read_check(payload, &check))
		return;
	PROPERTY(is_within(check.iss, payload) && is_within(check.token, payload));
	PROPERTY(check.iss.length && !memchr(check.iss.at, '\0', check.iss.length));
	PROPERTY(check.token.length && check.token.length <= IPC_WIKI_TOKEN_LIMIT);
	PROPERTY(is_plain(check.token));
	ipc_wiki_write_check(&buffer, &check);
	check_same(&buffer, payload);
}

static void try_exchange(struct slice payload)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	struct ipc_wiki_exchange exchange;

	if (ipc_wiki_read_exchange(payload, &exchange))
		return;
	PROPERTY(is_within(exchange.iss, payload) && is_within(exchange.redirect_uri, payload));
	PROPERTY(exchange.code.length && is_plain(exchange.code));
	PROPERTY(exchange.verifier.length && is_plain(exchange.verifier));
	PROPERTY(exchange.redirect_uri.length && is_plain(exchange.redirect_uri));
	ipc_wiki_write_exchange(&buffer, &exchange);
	check_same(&buffer, payload);
}

static void try_answer(struct slice payload)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	struct ipc_wiki_answer answer;

	if (ipc_wiki_read_answer(payload, &answer))
		return;
	PROPERTY(answer.outcome < IPC_WIKI_OUTCOME_COUNT);
	PROPERTY(is_within(answer.id, payload) && is_within(answer.token, payload));
	PROPERTY(is_within(answer.user_name, payload));
	PROPERTY((answer.outcome == IPC_WIKI_LIVE) == (answer.id.length > 0));
	PROPERTY(answer.id.length <= IPC_WIKI_ID_LIMIT);
	PROPERTY(answer.user_name.length <= IPC_WIKI_NAME_LIMIT);
	PROPERTY(answer.token.length <= IPC_WIKI_TOKEN_LIMIT && is_plain(answer.token));
	for (size_t i = 0; i < answer.id.length; i++)
		PROPERTY(answer.id.at[i] >= '0' + (i == 0) && answer.id.at[i] <= '9');
	ipc_wiki_write_answer(&buffer, &answer);
	check_same(&buffer, payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static void (*const tries[])(struct slice) = { try_check, try_exchange, try_answer };

	if (size)
		tries[bytes[0] % ARRAY_SIZE(tries)](
			(struct slice){ (const char *)bytes + 1, size - 1 });
	return 0;
}
