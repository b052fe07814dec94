/* The worker process: what daemon/worker needs, taken from the configuration. */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "daemon/app/process.h"
#include "daemon/app/vault_load.h"
#include "daemon/base/log.h"
#include "daemon/base/text.h"
#include "daemon/keys/key_file.h"
#include "daemon/worker/worker.h"

struct process {
	struct child *child;
	struct worker *worker;
	/* The worker borrows its strings: a configuration stays until the next one is taken. */
	struct config *started_with;
	struct worker_people people[CONFIG_ISSUER_LIMIT];
	struct worker_wiki wikis[CONFIG_ISSUER_LIMIT];
	struct sealer sealer;
	const char *tls_addresses[CONFIG_TLS_LIMIT];
};

static void wiki_fill(const struct config_issuer *issuer, struct worker_wiki *wiki)
{
	*wiki = (struct worker_wiki){
		.name = issuer->name,
		.iss = issuer->iss,
		.scope = issuer->scope,
		.profile = issuer->profile,
		.access_token = issuer->access_token,
		.api = issuer->api,
		.rest = issuer->rest,
		.central_ids = config_issuer_central_ids(issuer),
		.wikis = issuer->wikis.at,
		.n_wikis = issuer->wikis.n,
	};
	for (size_t i = 0; i < issuer->n_clients; i++) {
		if (!issuer->clients[i].is_login)
			continue;
		wiki->login_client = issuer->clients[i].id;
		wiki->secret_file = issuer->clients[i].secret_file;
	}
}

static void terms_fill(struct process *process, struct worker_terms *terms)
{
	const struct config *config = process->child->config;

	*terms = (struct worker_terms){
		.policy_directories = (const char *const *)config->policy_path.at,
		.n_policy_directories = config->policy_path.n,
		.people = process->people,
		.wikis = process->wikis,
		.contact = config->contact,
		.ops_host_names = (const char *const *)config->host_names.at,
		.n_ops_host_names = config->host_names.n,
		.tls_addresses = process->tls_addresses,
		.n_tls_addresses = config->n_tls,
		.is_demo = config->n_issuers == 1 && config->issuers[0].is_demo,
		.deadlines_every_ms = (unsigned)config->deadlines_every * 1000,
		.audit_every_ms = (unsigned)config->audit_every * 1000,
		.lookups_every_ms = (unsigned)config->lookups_every * 1000,
		.snapshots_every_ms = (unsigned)config->snapshots_every * 1000,
		.sweep_every_ms = (unsigned)config->sweep_every * 1000,
		.rotation_every_ms = (unsigned)config->rotation_every * 1000,
		.retention_every_ms = (unsigned)config->retention_every * 1000,
	};
	for (size_t i = 0; i < config->n_tls; i++)
		process->tls_addresses[i] = config->tls[i].listen;
	for (size_t i = 0; i < config->n_issuers; i++) {
		const struct config_issuer *issuer = &config->issuers[i];

		if (!issuer->is_demo)
			wiki_fill(issuer, &process->wikis[terms->n_wikis++]);
		if (!issuer->is_demo || *issuer->people == '\0')
			continue;
		process->people[terms->n_people++] =
			(struct worker_people){ issuer->iss, issuer->scope, issuer->people };
	}
}

static void on_peer(struct child *child, enum page_process kind, int fd)
{
	struct process *process = child->state;

	worker_add_peer(process->worker, fd);
}

static void on_published(void *userdata)
{
	struct child *child = userdata;

	(void)ipc_channel_send(child->parent, IPC_TYPE_POLICY, (struct slice){ 0 });
}

static void on_drained(void *userdata)
{
	struct child *child = userdata;

	event_base_loopbreak(child->base);
}

static void on_drain(struct child *child)
{
	struct process *process = child->state;

	worker_drain(process->worker, on_drained, child);
}

static int ops_listen(struct process *process)
{
	int fd = fcntl(process->child->listeners->at[0].fd, F_DUPFD_CLOEXEC, 3);

	return fd < 0 ? -errno : worker_open_ops_take(process->worker, fd);
}

/* Until here the daemon that is replaced said how things are. */
static void on_serve(struct child *child)
{
	if (child->is_late && ops_listen(child->state) < 0)
		log_say(LOG_LEVEL_ERROR, "cannot listen on %s", child->config->ops_listen);
	child->is_late = false;
}

/* The new daemon says how things are; the jobs go on until the web processes have ended. */
static void on_hand_over(struct child *child)
{
	struct process *process = child->state;

	worker_close_ops(process->worker);
	listeners_close(child->listeners);
}

/* A new intake key, or another key for the log; what is wrong with the file is logged. */
static int keys_renew(struct process *process)
{
	struct public_keys keys;
	struct note_key log_key;
	int r = vault_load_public_or_log(process->child->config->vault_public_file, &keys);

	if (r == 0)
		r = note_key_init(&log_key, keys.host, keys.log_key);
	if (r == 0)
		r = vault_load_renew_or_log(&process->sealer, &keys);
	if (r == 0)
		worker_set_log_key(process->worker, &log_key);
	return r;
}

/* No job uses the old configuration any more. */
static void on_paused(void *userdata)
{
	struct child *child = userdata;
	struct process *process = child->state;
	struct config *old = child->config;
	struct worker_terms terms;
	bool is_good;

	child->config = NULL;
	is_good = child_reload_config(child) == 0 && keys_renew(process) == 0;
	if (!is_good) {
		config_free(child->config);
		child->config = old;
	}
	terms_fill(process, &terms);
	worker_reload(process->worker, &terms);
	child_reloaded(child, is_good);
	if (is_good && old != process->started_with)
		config_free(old);
}

static void on_reload(struct child *child)
{
	struct process *process = child->state;

	worker_pause(process->worker, on_paused, child);
}

/* The files of keys; what is wrong with one is logged. */
static int keys_load(struct process *process, struct worker_setup *setup)
{
	const struct config *config = process->child->config;
	struct public_keys keys;
	int r = key_file_load_index(config->index_key_file, &setup->index_key);

	if (r) {
		log_say(LOG_LEVEL_ERROR, "%s: %s", config->index_key_file, key_file_explain(r));
		return r;
	}
	r = vault_load_public_or_log(config->vault_public_file, &keys);
	if (r)
		return r;
	sealer_init(&process->sealer, &keys.intake, &process->child->vault);
	setup->sealer = &process->sealer;
	return note_key_init(&setup->log_key, keys.host, keys.log_key);
}

static int setup_fill(struct process *process, struct worker_setup *setup)
{
	struct child *child = process->child;
	const struct config *config = child->config;
	static const char version[] = CONDUCT_VERSION;

	*setup = (struct worker_setup){
		.base = child->base,
		.page = child->page,
		.conninfo = config->database_worker,
		.version = version,
		.log_head_file = config->audit_head_file,
		.vault = &child->vault,
		.published = on_published,
		.userdata = child,
	};
	terms_fill(process, &setup->terms);
	return keys_load(process, setup);
}

int worker_process_run(struct child *child)
{
	struct process process = { .child = child, .started_with = child->config };
	struct worker_setup setup;
	int status = PROCESS_EXIT_FAILED;
	int r = setup_fill(&process, &setup);

	child->state = &process;
	child->on_drain = on_drain;
	child->on_serve = on_serve;
	child->on_hand_over = on_hand_over;
	child->on_reload = on_reload;
	child->on_peer = on_peer;
	if (r == 0) {
		r = worker_new(&setup, &process.worker);
		if (r == 0 && !child->is_late)
			r = ops_listen(&process);
		if (r < 0)
			log_say(LOG_LEVEL_ERROR, "cannot start: %s", strerror(-r));
	}
	if (r == 0) {
		child_ready(child);
		event_base_dispatch(child->base);
		status = EXIT_SUCCESS;
	}
	/* What waits for the vault is answered while the worker is there. */
	child->vault = ipc_channel_free(child->vault);
	worker_free(process.worker);
	index_key_deinit(&setup.index_key);
	sealer_deinit(&process.sealer);
	if (process.started_with != child->config)
		config_free(process.started_with);
	return status;
}
