/* What daemon/app/vault.c puts together, without its confinement. */

#include "tests/inject/vault.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "daemon/app/vault_load.h"
#include "daemon/keys/vault_quota.h"
#include "daemon/keys/vault_server.h"

enum { CASES = 100000 };

struct vault_thread {
	const struct config *config;
	int fd;
	struct event_base *base;
	struct ipc_channel *channel;
	struct vault_server *server;
	pthread_t thread;
	uint8_t reply[IPC_VAULT_OPENED_MAX];
};

static void on_message(struct ipc_channel *channel, struct ipc_message *message, void *userdata)
{
	struct vault_thread *vault = userdata;
	struct vault_report report;
	size_t length = 0;

	if (message->type == IPC_TYPE_VAULT_OPEN &&
	    vault_server_open(vault->server, time(NULL) * 1000, false, message->payload,
			      vault->reply, &length, &report) == 0)
		(void)ipc_channel_reply(channel, message, IPC_TYPE_VAULT_OPENED,
					(struct slice){ (const char *)vault->reply, length });
}

static void on_closed(struct ipc_channel *channel, const char *why, void *userdata)
{
	struct vault_thread *vault = userdata;

	vault->channel = ipc_channel_free(channel);
	event_base_loopbreak(vault->base);
}

static int fill(struct vault_thread *vault)
{
	const struct config *config = vault->config;
	CLEANUP(passphrase_deinit) struct passphrase passphrase = { .length = 0 };
	CLEANUP(vault_file_deinit) struct vault_file file = { .keys = { .n_intake = 0 } };
	const struct vault_quota_limits limits = { .cases_person = CASES, .cases_host = CASES };
	struct ipc_setup setup = {
		.fd = vault->fd, .on_message = on_message, .on_closed = on_closed, .userdata = vault
	};
	int r;

	setup.base = vault->base = event_base_new();
	r = ipc_channel_new(&setup, &vault->channel);
	if (!r)
		r = vault_server_new(&limits, &vault->server);
	if (!r)
		r = passphrase_find(config->vault_passphrase_file, &passphrase);
	if (!r)
		r = vault_load_file(config, &passphrase, &file);
	if (!r)
		r = vault_server_set_keys(vault->server, &file.keys);
	return r;
}

/* All of it happens in this thread: in the service's own everything may fail. */
static void *run(void *argument)
{
	struct vault_thread *vault = argument;
	int r = fill(vault);

	if (r)
		fprintf(stderr, "the vault: %d\n", r);
	else
		event_base_dispatch(vault->base);
	vault->channel = ipc_channel_free(vault->channel);
	vault->server = vault_server_free(vault->server);
	if (vault->base)
		event_base_free(vault->base);
	return NULL;
}

struct vault_thread *vault_thread_new(const struct config *config, int fd)
{
	struct vault_thread *vault = calloc(1, sizeof(*vault));

	if (vault) {
		vault->config = config;
		vault->fd = fd;
	}
	if (vault && pthread_create(&vault->thread, NULL, run, vault) == 0)
		return vault;
	free(vault);
	(void)close(fd);
	return NULL;
}

struct vault_thread *vault_thread_free(struct vault_thread *vault)
{
	if (!vault)
		return NULL;
	(void)pthread_join(vault->thread, NULL);
	free(vault);
	return NULL;
}
