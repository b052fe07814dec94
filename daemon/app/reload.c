/*
 * Reloads, and what is looked at before a start or a reload touches any process: everything that
 * the processes will read, so that a reload is taken by all of them or by none.
 */

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>

#include "daemon/app/certificates.h"
#include "daemon/app/confine.h"
#include "daemon/app/files.h"
#include "daemon/app/issuers.h"
#include "daemon/app/notify.h"
#include "daemon/app/parent.h"
#include "daemon/app/reload.h"
#include "daemon/base/buffer.h"
#include "daemon/base/log.h"
#include "policy/set.h"

enum { RELOAD_E_REFUSED = 1, RELOAD_LIMIT_S = 10 };

/* Their files are read once more by each web process, as the account it has then. */
static int check_issuers(const struct config *config)
{
	struct issuers *issuers = NULL;
	char text[512] = "";
	int r = issuers_new(config, &issuers, text, sizeof(text));

	if (r > 0)
		log_say(LOG_LEVEL_ERROR, "issuers: %s", text);
	issuers_free(issuers);
	return r;
}

/* The sockets of TLS addresses are bound to their rows, so the rows stay. */
static int check_tls(const struct config *old, const struct config *config, const struct page *page)
{
	int r = certificates_check(config, page);

	for (size_t i = 0; r == 0 && old && i < CONFIG_TLS_LIMIT; i++) {
		if ((i < old->n_tls) == (i < config->n_tls) &&
		    (i >= old->n_tls || strcmp(old->tls[i].listen, config->tls[i].listen) == 0))
			continue;
		log_say(LOG_LEVEL_ERROR, "tls: addresses change with an upgrade (USR2) or a "
					 "restart only");
		r = CERTIFICATES_E_REFUSED;
	}
	return r;
}

/* Web and worker are kept out of the files that they knew of when they began. */
static int check_vault(const struct config *old, const struct config *config)
{
	if (!old || (strcmp(old->vault_key_file, config->vault_key_file) == 0 &&
		     strcmp(old->vault_passphrase_file, config->vault_passphrase_file) == 0))
		return 0;
	log_say(LOG_LEVEL_ERROR, "vault: key_file and passphrase_file change with an upgrade "
				 "(USR2) or a restart only");
	return RELOAD_E_REFUSED;
}

static int check_policy(const struct config *config)
{
	CLEANUP(policy_errors_deinit) struct policy_errors errors = { 0 };
	CLEANUP(policy_set_unrefp) struct policy_set *set = NULL;
	int r = policy_set_load(config->policy_path.at, config->policy_path.n, &set, &errors);

	for (size_t i = 0; i < errors.n_lines; i++)
		log_say(LOG_LEVEL_ERROR, "%s", errors.lines[i]);
	return r;
}

/*
 * Reads configuration, policy and the files that they name as the children will; each reason of a
 * refusal is logged with its place. old and page: what is in use; NULL at a start. 0: all are good,
 * and *ret_config is the caller's.
 */
int reload_check(const char *file, const struct config *old, const struct page *page,
		 struct config **ret_config)
{
	struct config_error error = { 0 };
	struct config *config = NULL;
	char text[512];
	int r = config_load(file, &config, &error);
	int results[6] = { 0 };

	if (r > 0) {
		config_error_print(file, &error, text, sizeof(text));
		log_say(LOG_LEVEL_ERROR, "%s", text);
	}
	if (r)
		return r;
	/* All of them, so that all that is wrong is said at once. */
	results[0] = check_policy(config);
	results[1] = check_issuers(config);
	results[2] = files_check_secrets(config);
	results[3] = check_tls(old, config, page);
	results[4] = confine_check(config);
	results[5] = check_vault(old, config);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(results); i++)
		r = results[i];
	if (r) {
		config_free(config);
		return r;
	}
	*ret_config = config;
	return 0;
}

/* While the daemon starts or stops, the manager hears of that alone. */
static bool is_told(const struct parent *parent)
{
	return parent->is_announced && !parent->is_draining;
}

static void announce_begin(const struct parent *parent)
{
	struct timespec now;
	char text[96];

	if (!is_told(parent))
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	(void)snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld",
		       (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	notify_send(text);
}

static void announce_end(const struct parent *parent, const char *status)
{
	char text[96];

	(void)snprintf(text, sizeof(text), "READY=1\nSTATUS=%s", status);
	if (is_told(parent))
		notify_send(text);
}

static bool is_reload_over(const struct parent *parent)
{
	for (size_t i = 0; i < parent->n_processes; i++)
		if (parent->processes[i].is_reloading)
			return false;
	return true;
}

static void end_if_over(struct parent *parent)
{
	if (!is_reload_over(parent))
		return;
	evtimer_del(parent->reload_timer);
	if (parent->is_reload_due)
		parent_reload(parent);
	else
		announce_end(parent, parent->is_reload_partial
					     ? "Not all processes have reloaded; see the log."
					     : "Serving.");
}

/* A process has reloaded, or has ended instead; after the last one the reload is over. */
void reload_go_on(struct process *process)
{
	if (!process->is_reloading)
		return;
	process->is_reloading = false;
	end_if_over(process->parent);
}

/* One that hangs, or has long work to end before, does not keep the next reload from the others. */
static void on_late(int fd, short what, void *userdata)
{
	struct parent *parent = userdata;

	for (size_t i = 0; !parent->is_draining && i < parent->n_processes; i++) {
		struct process *process = &parent->processes[i];

		if (!process->is_reloading)
			continue;
		process_log(LOG_LEVEL_WARN, "a process has not reloaded yet", process, -1);
		process->is_reloading = false;
		parent->is_reload_partial = true;
	}
	end_if_over(parent);
}

int reload_init(struct parent *parent)
{
	parent->reload_timer = evtimer_new(parent->base, on_late, parent);
	return parent->reload_timer ? 0 : -ENOMEM;
}

/*
 * HUP. While the processes reload, those that come are one more reload after it: a set of files is
 * read once however often they were changed meanwhile, and no process falls behind.
 */
void parent_reload(struct parent *parent)
{
	CLEANUP(buffer_deinit) struct buffer fixed = BUFFER_NULL;
	const struct timeval limit = { .tv_sec = RELOAD_LIMIT_S };
	struct config *config = NULL;

	/* The daemon that replaces this one has read its files already, or may have. */
	parent->is_reload_owed = parent->upgrade.event != NULL;
	if (parent->is_handed_over)
		upgrade_signal(&parent->upgrade, SIGHUP);
	if (parent->is_draining)
		return;
	parent->is_reload_due = !is_reload_over(parent);
	if (parent->is_reload_due)
		return;
	announce_begin(parent);
	if (reload_check(parent->config->file, parent->config, parent->page, &config)) {
		atomic_fetch_add(&parent->page->n_reloads_refused, 1);
		log_say(LOG_LEVEL_ERROR, "reload refused: what is in effect is kept");
		announce_end(parent, "A reload was refused; see the log.");
		return;
	}
	config_list_fixed(parent->started_with, config, &fixed);
	if (fixed.length && buffer_finish(&fixed) == 0)
		log_say(LOG_LEVEL_WARN,
			"%s: changed, and taken with an upgrade (USR2) or a restart only",
			fixed.at);
	atomic_fetch_add(&parent->page->n_reloads, 1);
	if (parent->config != parent->started_with)
		config_free(parent->config);
	parent->config = config;
	log_init("parent", (enum log_level)config->log_level);
	log_say(LOG_LEVEL_INFO, "reloading");
	parent_rotate_tickets(parent);
	parent->is_reload_partial = false;
	evtimer_add(parent->reload_timer, &limit);
	for (size_t i = 0; i < parent->n_processes; i++)
		parent->processes[i].is_reloading = process_send(
			&parent->processes[i], IPC_TYPE_RELOAD, (struct slice){ 0 });
	end_if_over(parent); /* where all are being started again, nobody could be told */
}
