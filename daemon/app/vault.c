/*
 * The vault process: no network, no database, no core dump. It holds no key yet and answers whether
 * it is there; web and worker reach it on channels that the parent hands over.
 */

#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/app/process.h"
#include "daemon/base/log.h"

enum { VAULT_PEER_LIMIT = PAGE_WEB_LIMIT + 8 };

struct vault {
	struct child *child;
	struct ipc_channel *peers[VAULT_PEER_LIMIT];
};

static void on_message(struct ipc_channel *channel, struct ipc_message *message, void *userdata)
{
	if (message->descriptor >= 0)
		(void)close(message->descriptor);
	if (message->type == IPC_TYPE_PING)
		(void)ipc_channel_reply(channel, message, IPC_TYPE_PONG, message->payload);
}

static void on_closed(struct ipc_channel *channel, const char *why, void *userdata)
{
	struct vault *vault = userdata;

	for (size_t i = 0; i < ARRAY_SIZE(vault->peers); i++)
		if (vault->peers[i] == channel)
			vault->peers[i] = ipc_channel_free(channel);
}

static void on_peer(struct child *child, int fd)
{
	struct vault *vault = child->state;
	const struct ipc_setup setup = { .base = child->base,
					 .fd = fd,
					 .on_message = on_message,
					 .on_closed = on_closed,
					 .userdata = vault };

	for (size_t i = 0; i < ARRAY_SIZE(vault->peers); i++) {
		if (vault->peers[i])
			continue;
		if (ipc_channel_new(&setup, &vault->peers[i]) < 0)
			log_say(LOG_LEVEL_ERROR, "a channel could not be opened");
		return;
	}
	(void)close(fd);
	log_say(LOG_LEVEL_ERROR, "more channels than processes");
}

int vault_run(struct child *child)
{
	struct vault vault = { .child = child };
	const struct rlimit none = { 0, 0 };

	/* Neither a debugger of the same account nor a core file gets at what it will hold. */
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0)
		return PROCESS_EXIT_FAILED;
	child->state = &vault;
	child->on_peer = on_peer;
	child_ready(child);
	event_base_dispatch(child->base);
	for (size_t i = 0; i < ARRAY_SIZE(vault.peers); i++)
		ipc_channel_free(vault.peers[i]);
	return EXIT_SUCCESS;
}
