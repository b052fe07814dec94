/*
 * The vault process: no network, no database, no core dump, no system call that it does not need.
 * It holds the private keys, opens the keys of units for web and worker within the quota of cases,
 * and signs the worker's checkpoints; they reach it on channels that the parent hands over and
 * marks with who they are.
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/app/process.h"
#include "daemon/app/vault_confine.h"
#include "daemon/app/vault_load.h"
#include "daemon/base/log.h"
#include "daemon/crypto/crypto.h"
#include "daemon/keys/vault_server.h"

enum { VAULT_PEER_LIMIT = PAGE_WEB_LIMIT + 8, ALARM_EVERY_MS = 60 * 1000 };

struct peer {
	struct vault *vault;
	struct ipc_channel *channel;
	enum page_process kind;
};

struct vault {
	struct child *child;
	struct vault_server *server;
	struct peer peers[VAULT_PEER_LIMIT];
	int64_t alarmed_ms; /* 0: never */
	uint8_t reply[IPC_VAULT_OPENED_MAX];
};

_Static_assert((int)IPC_VAULT_REWRAPPED_MAX <= (int)IPC_VAULT_OPENED_MAX, "one buffer for all");

static int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Once a minute at most: the counters say how often. Whose case it was stands nowhere. */
static void alarm_raise(struct vault *vault, int64_t now_ms, int refusal)
{
	if (vault->alarmed_ms && now_ms - vault->alarmed_ms < ALARM_EVERY_MS)
		return;
	vault->alarmed_ms = now_ms;
	log_say(LOG_LEVEL_ERROR, "alarm: the quota of %s is used up (vault.cases_%s)",
		refusal == VAULT_QUOTA_E_PERSON ? "a person's cases" : "this host's cases",
		refusal == VAULT_QUOTA_E_PERSON ? "person" : "host");
}

static void report_count(struct vault *vault, int64_t now_ms, const struct vault_report *report)
{
	struct page_vault *page = &vault->child->page->vault;

	atomic_fetch_add(&page->n_opened, report->n_opened);
	atomic_fetch_add(&page->n_broken, report->n_broken);
	atomic_fetch_add(&page->n_rewrapped, report->n_rewrapped);
	if (report->refusal == 0)
		return;
	atomic_fetch_add(report->refusal == VAULT_QUOTA_E_PERSON ? &page->n_refused_person
								 : &page->n_refused_host,
			 1);
	alarm_raise(vault, now_ms, report->refusal);
}

static int answer_open(struct peer *peer, const struct ipc_message *message)
{
	struct vault *vault = peer->vault;
	int64_t now_ms = monotonic_ms();
	struct vault_report report;
	size_t length = 0;
	int r = vault_server_open(vault->server, now_ms, peer->kind == PAGE_WORKER,
				  message->payload, vault->reply, &length, &report);

	if (r == 0) {
		report_count(vault, now_ms, &report);
		(void)ipc_channel_reply(peer->channel, message, IPC_TYPE_VAULT_OPENED,
					(struct slice){ (const char *)vault->reply, length });
	}
	crypto_wipe(vault->reply, length);
	return r;
}

static int answer_sign(struct peer *peer, const struct ipc_message *message)
{
	uint8_t signature[IPC_VAULT_SIGNATURE_SIZE];
	struct slice reply = { (const char *)signature, sizeof(signature) };
	int r = vault_server_sign(peer->vault->server, peer->kind == PAGE_WORKER, message->payload,
				  signature);

	if (r == 0)
		atomic_fetch_add(&peer->vault->child->page->vault.n_signed, 1);
	else
		reply = (struct slice){ 0 };
	(void)ipc_channel_reply(peer->channel, message, IPC_TYPE_VAULT_SIGNED, reply);
	return r;
}

static int answer_rewrap(struct peer *peer, const struct ipc_message *message)
{
	struct vault *vault = peer->vault;
	int64_t now_ms = monotonic_ms();
	struct vault_report report;
	size_t length = 0;
	int r = vault_server_rewrap(vault->server, now_ms, peer->kind == PAGE_WORKER,
				    message->payload, vault->reply, &length, &report);

	if (r == 0) {
		report_count(vault, now_ms, &report);
		(void)ipc_channel_reply(peer->channel, message, IPC_TYPE_VAULT_REWRAPPED,
					(struct slice){ (const char *)vault->reply, length });
	}
	return r;
}

static int answer_list(struct peer *peer, const struct ipc_message *message)
{
	struct vault *vault = peer->vault;
	size_t length = 0;
	int r = vault_server_list(vault->server, peer->kind == PAGE_WORKER, vault->reply, &length);

	if (r == 0)
		(void)ipc_channel_reply(peer->channel, message, IPC_TYPE_VAULT_LISTED,
					(struct slice){ (const char *)vault->reply, length });
	return r;
}

static void on_message(struct ipc_channel *channel, struct ipc_message *message, void *userdata)
{
	struct peer *peer = userdata;
	int r = 0;

	if (message->descriptor >= 0)
		(void)close(message->descriptor);
	if (message->type == IPC_TYPE_PING)
		(void)ipc_channel_reply(channel, message, IPC_TYPE_PONG, message->payload);
	else if (message->type == IPC_TYPE_VAULT_OPEN)
		r = answer_open(peer, message);
	else if (message->type == IPC_TYPE_VAULT_SIGN)
		r = answer_sign(peer, message);
	else if (message->type == IPC_TYPE_VAULT_REWRAP)
		r = answer_rewrap(peer, message);
	else if (message->type == IPC_TYPE_VAULT_LIST)
		r = answer_list(peer, message);
	if (r > 0)
		log_say(LOG_LEVEL_ERROR, "a process asked what it may not");
	else if (r < 0)
		log_say(LOG_LEVEL_ERROR, "a request failed: %s", strerror(-r));
}

static void on_closed(struct ipc_channel *channel, const char *why, void *userdata)
{
	struct peer *peer = userdata;

	peer->channel = ipc_channel_free(channel);
}

static void on_peer(struct child *child, enum page_process kind, int fd)
{
	struct vault *vault = child->state;
	struct ipc_setup setup = {
		.base = child->base, .fd = fd, .on_message = on_message, .on_closed = on_closed
	};

	for (size_t i = 0; i < ARRAY_SIZE(vault->peers); i++) {
		struct peer *peer = &vault->peers[i];

		if (peer->channel)
			continue;
		*peer = (struct peer){ .vault = vault, .kind = kind };
		setup.userdata = peer;
		if (ipc_channel_new(&setup, &peer->channel) < 0)
			log_say(LOG_LEVEL_ERROR, "a channel could not be opened");
		return;
	}
	(void)close(fd);
	log_say(LOG_LEVEL_ERROR, "more channels than processes");
}

/* The public file is what web seals to: another one than the keys' own would lose every report. */
static int public_check(const struct config *config, const struct vault_keys *keys)
{
	struct public_keys found;
	int r = vault_load_public(config->vault_public_file, &found);

	if (r == 0 && (r = public_keys_check(&found, keys)) > 0)
		r = VAULT_LOAD_E_DIFFERS;
	if (r)
		log_say(LOG_LEVEL_ERROR, "%s: %s", config->vault_public_file,
			vault_load_explain(r));
	return r;
}

/* Reads the key file and takes its keys; what is wrong is logged. */
static int keys_load(struct vault *vault)
{
	const struct config *config = vault->child->config;
	CLEANUP(passphrase_deinit) struct passphrase passphrase = { .length = 0 };
	CLEANUP(vault_file_deinit) struct vault_file file = { .keys = { .n_intake = 0 } };
	int r = passphrase_find(config->vault_passphrase_file, &passphrase);

	if (r) {
		log_say(LOG_LEVEL_ERROR, "vault: %s", passphrase_explain(r));
		return r;
	}
	r = vault_load_file(config, &passphrase, &file);
	if (r) {
		log_say(LOG_LEVEL_ERROR, "%s: %s", config->vault_key_file, vault_load_explain(r));
		return r;
	}
	r = public_check(config, &file.keys);
	if (r == 0)
		vault_server_set_keys(vault->server, &file.keys);
	return r;
}

/* A bad file keeps the keys that are in use. */
static void on_reload(struct child *child)
{
	bool is_good = child_reload_config(child) == 0 && keys_load(child->state) == 0;

	child_reloaded(child, is_good);
}

static int vault_start(struct vault *vault)
{
	const struct config *config = vault->child->config;
	const struct vault_quota_limits limits = {
		.cases_person = (unsigned)config->vault_cases_person,
		.cases_host = (unsigned)config->vault_cases_host,
	};
	bool is_locked = false;
	int r = vault_confine_memory(&is_locked);

	if (r == 0)
		r = crypto_keep_secrets();
	if (r == 0)
		r = vault_server_new(&limits, &vault->server);
	if (r == 0)
		r = keys_load(vault);
	if (r == 0)
		r = vault_confine_calls();
	if (r == 0 && !is_locked)
		log_say(LOG_LEVEL_INFO, "the keys are locked in memory; RLIMIT_MEMLOCK is too low "
					"for locking everything");
	return r;
}

int vault_run(struct child *child)
{
	struct vault *vault = calloc(1, sizeof(*vault));
	int r = vault ? 0 : -ENOMEM;

	if (r == 0) {
		vault->child = child;
		child->state = vault;
		child->on_peer = on_peer;
		child->on_reload = on_reload;
		r = vault_start(vault);
	}
	if (r < 0)
		log_say(LOG_LEVEL_ERROR, "cannot start: %s", strerror(-r));
	if (r == 0) {
		child_ready(child);
		event_base_dispatch(child->base);
	}
	for (size_t i = 0; vault && i < ARRAY_SIZE(vault->peers); i++)
		ipc_channel_free(vault->peers[i].channel);
	if (vault)
		vault_server_free(vault->server);
	free(vault);
	/* What others want to do at an exit, a sanitizer above all, is not on the list of calls. */
	_exit(r ? PROCESS_EXIT_FAILED : EXIT_SUCCESS);
}
