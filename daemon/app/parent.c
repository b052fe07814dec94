/*
 * The parent: makes the listeners and the shared page, starts every process of the table, starts a
 * dead one again, and passes on what signals mean. It reads nothing from the network and has no
 * database. How it ends is in drain.c.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/app/front.h"
#include "daemon/app/notify.h"
#include "daemon/app/parent.h"
#include "daemon/app/reload.h"
#include "daemon/base/log.h"

enum {
	BACKOFF_FIRST_MS = 100,
	BACKOFF_LAST_MS = 10000,
	BACKOFF_CALM_MS = 10000, /* a child that lived so long starts again without delay */
};

static void process_start(struct process *process);

static int64_t now_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* code: how it exited; negative: it has not. */
void process_log(enum log_level level, const char *message, const struct process *process,
		 int64_t code)
{
	const struct log_field fields[] = {
		{ "conductd.process", process->kind->name, 0 },
		{ "conductd.number", NULL, process->number },
		{ "process.exit_code", NULL, code },
	};

	log_event(level, message, fields, code < 0 ? 2 : 3);
}

/* Who serves whom: the server is given one end of a new channel, the client the other. */
static const struct {
	enum page_process server;
	enum page_process client;
	uint16_t type; /* how the client hears of it */
} links[] = {
	{ PAGE_VAULT, PAGE_WEB, IPC_TYPE_VAULT },
	{ PAGE_VAULT, PAGE_WORKER, IPC_TYPE_VAULT },
	{ PAGE_WORKER, PAGE_WEB, IPC_TYPE_WORKER },
};

static void link_open(struct process *server, struct process *client, uint16_t type)
{
	char kind = (char)client->kind->id;
	int fds[2];

	if (!server->channel || !client->channel)
		return;
	if (ipc_pair_open(fds) < 0) {
		log_say(LOG_LEVEL_ERROR, "no channel between processes: %s", strerror(errno));
		return;
	}
	(void)ipc_channel_send_descriptor(server->channel, IPC_TYPE_PEER,
					  (struct slice){ &kind, 1 }, fds[0]);
	(void)ipc_channel_send_descriptor(client->channel, type, (struct slice){ 0 }, fds[1]);
}

/* Links a process that has just started with all that run already. */
static void connect_process(struct process *process)
{
	struct parent *parent = process->parent;
	enum page_process own = process->kind->id;

	for (size_t i = 0; i < parent->n_processes; i++) {
		struct process *other = &parent->processes[i];

		for (size_t j = 0; other->pid && other != process && j < ARRAY_SIZE(links); j++) {
			if (links[j].server == own && links[j].client == other->kind->id)
				link_open(process, other, links[j].type);
			if (links[j].client == own && links[j].server == other->kind->id)
				link_open(other, process, links[j].type);
		}
	}
}

/* The daemon serves. It is the parent's place to say so, also to a daemon that it replaces. */
static void announce(struct parent *parent)
{
	for (size_t i = 0; i < parent->n_processes; i++)
		if (!parent->processes[i].is_ready)
			return;
	if (!parent->is_announced) {
		log_say(LOG_LEVEL_INFO, "all processes are ready");
		if (upgrade_is_new(&parent->upgrade))
			(void)notify_write_pid(parent->config->pid_file);
		parent_send(parent, PAGE_WORKER, IPC_TYPE_SERVE, (struct slice){ 0 });
		upgrade_announce(&parent->upgrade);
		notify_send("READY=1\nSTATUS=Serving.");
	}
	parent->is_announced = true;
}

bool process_send(struct process *process, uint16_t type, struct slice payload)
{
	if (!process->channel)
		return false;
	if (ipc_channel_send(process->channel, type, payload) == 0)
		return true;
	process_log(LOG_LEVEL_WARN, "a message could not be sent", process, -1);
	return false;
}

void parent_send(struct parent *parent, enum page_process kind, uint16_t type, struct slice payload)
{
	for (size_t i = 0; i < parent->n_processes; i++) {
		struct process *process = &parent->processes[i];

		if (kind == PAGE_PARENT || process->kind->id == kind)
			(void)process_send(process, type, payload);
	}
}

static void on_message(struct ipc_channel *channel, struct ipc_message *message, void *userdata)
{
	struct process *process = userdata;

	if (message->descriptor >= 0)
		(void)close(message->descriptor);
	switch (message->type) {
	case IPC_TYPE_PING:
		(void)ipc_channel_reply(channel, message, IPC_TYPE_PONG, message->payload);
		break;
	case IPC_TYPE_READY:
		process->is_ready = true;
		announce(process->parent);
		break;
	case IPC_TYPE_RELOADED:
		process_log(message->payload.at[0] ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR,
			    message->payload.at[0] ? "reloaded" : "kept what it had", process, -1);
		if (!message->payload.at[0])
			process->parent->is_reload_partial = true;
		reload_go_on(process);
		break;
	case IPC_TYPE_POLICY:
		parent_send(process->parent, PAGE_WEB, IPC_TYPE_POLICY, (struct slice){ 0 });
		break;
	default:
		process_log(LOG_LEVEL_WARN, "a message that is not for the parent", process, -1);
	}
}

static void on_closed(struct ipc_channel *channel, const char *why, void *userdata)
{
	struct process *process = userdata;

	process->channel = ipc_channel_free(channel);
	/* It is dead, or speaks nonsense and must be. */
	if (process->pid)
		(void)kill(process->pid, SIGKILL);
}

/* In the child: forget everything that is the parent's, without a word to its epoll. */
static void parent_forget(struct parent *parent, const struct process *self)
{
	(void)event_reinit(parent->base);
	for (size_t i = 0; i < ARRAY_SIZE(parent->signals); i++)
		event_free(parent->signals[i]);
	event_free(parent->drain_timer);
	event_free(parent->reload_timer);
	event_free(parent->tickets_timer);
	watchdog_deinit(&parent->watchdog);
	upgrade_deinit(&parent->upgrade);
	event_free(parent->keys_timer);
	(void)close(parent->page->budgets_fd);
	for (size_t i = 0; i < parent->n_processes; i++) {
		struct process *process = &parent->processes[i];

		ipc_channel_free(process->channel);
		event_free(process->timer);
		if (process != self)
			listeners_close(&process->listeners);
	}
	event_base_free(parent->base);
}

__attribute__((noreturn)) static void process_become(struct process *process, int fd, pid_t pid)
{
	struct parent *parent = process->parent;
	struct child child = { .config = parent->config,
			       .config_file = parent->config->file,
			       .title = parent->title,
			       .page = parent->page,
			       .number = process->number,
			       .listeners = &process->listeners,
			       .is_late = upgrade_is_new(&parent->upgrade),
			       .parent_fd = fd,
			       .parent_pid = pid };
	const struct process_kind *kind = process->kind;
	char *file = strdup(parent->config->file);
	int status = PROCESS_EXIT_FAILED;
	int r;

	if (kind->id == PAGE_WEB)
		child.tickets = parent->tickets;
	crypto_wipe(&parent->tickets, sizeof(parent->tickets));
	parent_forget(parent, process);
	child.config_file = file;
	r = file ? child_init(&child, kind) : -ENOMEM;
	if (r < 0)
		log_say(LOG_LEVEL_ERROR, "cannot start: %s", strerror(-r));
	else
		status = kind->run(&child);
	child_deinit(&child);
	free(file);
	exit(status);
}

static int process_fork(struct process *process)
{
	struct parent *parent = process->parent;
	pid_t own = getpid();
	int fds[2];
	int r = ipc_pair_open(fds);

	if (r < 0)
		return r;
	process->pid = fork();
	if (process->pid == 0) {
		(void)close(fds[0]);
		process_become(process, fds[1], own);
	}
	(void)close(fds[1]);
	if (process->pid < 0) {
		process->pid = 0;
		(void)close(fds[0]);
		return -errno;
	}
	return ipc_channel_new(&(struct ipc_setup){ .base = parent->base,
						    .fd = fds[0],
						    .on_message = on_message,
						    .on_closed = on_closed,
						    .userdata = process },
			       &process->channel);
}

static void process_start_later(struct process *process)
{
	const struct timeval pause = { .tv_sec = process->backoff_ms / 1000,
				       .tv_usec = (suseconds_t)(process->backoff_ms % 1000) *
						  1000 };

	evtimer_add(process->timer, &pause);
	process->backoff_ms *= 2;
	if (process->backoff_ms > BACKOFF_LAST_MS)
		process->backoff_ms = BACKOFF_LAST_MS;
}

static void process_start(struct process *process)
{
	int r = process_fork(process);

	if (r < 0) {
		process_log(LOG_LEVEL_ERROR, "a process could not be started", process, -1);
		process_start_later(process);
		return;
	}
	process->started_ms = now_ms(CLOCK_MONOTONIC);
	atomic_fetch_add(&process->parent->page->n_running[process->kind->id], 1);
	connect_process(process);
}

static void on_restart(int fd, short what, void *userdata)
{
	struct process *process = userdata;

	if (!process->parent->is_draining && !process->pid)
		process_start(process);
}

/*
 * What a process finds wrong before the daemon ever served (a key file, a taken port) stays wrong:
 * the operator is told by the end of the daemon, not by a log that repeats itself.
 */
static bool is_start_over(const struct process *process, int status)
{
	return !process->parent->is_announced && !process->is_ready && WIFEXITED(status) &&
	       WEXITSTATUS(status) == PROCESS_EXIT_FAILED;
}

static void process_ended(struct process *process, int status)
{
	struct parent *parent = process->parent;
	int64_t lived = now_ms(CLOCK_MONOTONIC) - process->started_ms;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	bool is_hopeless = is_start_over(process, status);

	process->pid = 0;
	process->is_ready = false;
	process->channel = ipc_channel_free(process->channel);
	reload_go_on(process);
	if (process->kind->id == PAGE_WEB)
		page_forget_web(&parent->page->web[process->number - 1]);
	atomic_fetch_sub(&parent->page->n_running[process->kind->id], 1);
	if (parent->is_draining) {
		drain_go_on(parent);
		return;
	}
	if (is_hopeless) {
		process_log(LOG_LEVEL_ERROR, "a process cannot start: stopping", process, code);
		parent->has_failed = true;
		drain_start(parent);
		return;
	}
	process_log(LOG_LEVEL_ERROR, "a process ended and is started again", process, code);
	atomic_fetch_add(&parent->page->n_restarts[process->kind->id], 1);
	if (lived >= BACKOFF_CALM_MS)
		process->backoff_ms = BACKOFF_FIRST_MS;
	process_start_later(process);
}

static void on_child(int number, short what, void *userdata)
{
	struct parent *parent = userdata;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		upgrade_note_end(&parent->upgrade, pid);
		for (size_t i = 0; i < parent->n_processes; i++)
			if (parent->processes[i].pid == pid) {
				process_ended(&parent->processes[i], status);
				break;
			}
	}
}

static void on_stop(int number, short what, void *userdata)
{
	parent_stop(userdata);
}

static void on_upgrade(int number, short what, void *userdata)
{
	parent_upgrade(userdata);
}

/* What was given before the last key but one is good no longer. */
void parent_rotate_tickets(struct parent *parent)
{
	const struct slice bytes = { (const char *)&parent->tickets, sizeof(parent->tickets) };

	if (tls_tickets_rotate(&parent->tickets) == 0)
		parent_send(parent, PAGE_WEB, IPC_TYPE_TICKETS, bytes);
}

static void on_tickets(int fd, short what, void *userdata)
{
	parent_rotate_tickets(userdata);
}

static void on_reload(int number, short what, void *userdata)
{
	parent_reload(userdata);
}

static size_t count_processes(const struct config *config)
{
	size_t n = 0;

	for (size_t i = 0; i < process_n_kinds; i++)
		n += process_kinds[i].count(config);
	return n;
}

static int make_processes(struct parent *parent)
{
	const struct process_kind *kind = process_kinds;
	size_t n = count_processes(parent->config);
	unsigned number = 0;

	if (n == 0)
		return -EINVAL;
	parent->processes = calloc(n, sizeof(*parent->processes));
	if (!parent->processes)
		return -ENOMEM;
	parent->n_processes = 0;
	while (parent->n_processes < n) {
		struct process *process = &parent->processes[parent->n_processes];
		int r = 0;

		if (number == kind->count(parent->config)) {
			kind++;
			number = 0;
			continue;
		}
		*process = (struct process){ .parent = parent,
					     .kind = kind,
					     .number = ++number,
					     .backoff_ms = BACKOFF_FIRST_MS };
		process->timer = evtimer_new(parent->base, on_restart, process);
		if (!process->timer)
			return -ENOMEM;
		parent->n_processes++;
		if (kind->id == PAGE_WEB)
			r = listeners_open_web(parent->config, &parent->inherited, number,
					       kind->count(parent->config), &process->listeners);
		else if (kind->id == PAGE_WORKER)
			r = listeners_open_ops(parent->config, &parent->inherited,
					       &process->listeners);
		if (r < 0)
			return r;
	}
	return 0;
}

static int watch_signals(struct parent *parent)
{
	static const struct {
		int number;
		void (*callback)(int, short, void *);
	} rows[] = { { SIGTERM, on_stop },
		     { SIGINT, on_stop },
		     { SIGHUP, on_reload },
		     { SIGUSR2, on_upgrade },
		     { SIGCHLD, on_child } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		parent->signals[i] = evsignal_new(parent->base, rows[i].number, rows[i].callback,
						  parent);
		if (!parent->signals[i] || evsignal_add(parent->signals[i], NULL) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int watch_time(struct parent *parent)
{
	const struct timeval lifetime = { .tv_sec = TLS_TICKET_LIFETIME_S };
	int r = drain_init(parent);

	if (r == 0)
		r = reload_init(parent);
	parent->tickets_timer = event_new(parent->base, -1, EV_PERSIST, on_tickets, parent);
	if (!parent->tickets_timer || event_add(parent->tickets_timer, &lifetime) < 0)
		return -ENOMEM;
	return r < 0 ? r : watchdog_init(&parent->watchdog, parent);
}

/* What the daemon before this one has counted counts on, unless it counts in another way. */
static int budgets_take(struct parent *parent)
{
	int fd = parent->upgrade.budgets_fd, r;

	if (fd < 0)
		return 0;
	parent->upgrade.budgets_fd = -1;
	r = page_take_budgets(parent->page, fd);
	if (r > 0)
		log_say(LOG_LEVEL_WARN, "upgrade: the budgets begin anew");
	return r < 0 ? r : 0;
}

static int parent_start(struct parent *parent)
{
	int r = page_new(&parent->page);

	if (r == 0)
		r = budgets_take(parent);
	if (r < 0)
		return r;
	atomic_store(&parent->page->started_ms, (uint64_t)now_ms(CLOCK_REALTIME));
	atomic_store(&parent->page->n_running[PAGE_PARENT], 1);
	parent->base = event_base_new();
	if (!parent->base)
		return -ENOMEM;
	r = watch_signals(parent);
	if (r == 0)
		r = watch_time(parent);
	if (r == 0)
		r = front_watch_keys(parent->base, parent->page, &parent->keys_timer);
	if (r == 0)
		r = make_processes(parent);
	inherited_close_unused(&parent->inherited);
	if (r == 0 && !upgrade_is_new(&parent->upgrade))
		r = notify_write_pid(parent->config->pid_file);
	return r;
}

static void parent_deinit(struct parent *parent)
{
	parent_close_listeners(parent);
	for (size_t i = 0; i < parent->n_processes; i++) {
		ipc_channel_free(parent->processes[i].channel);
		event_free(parent->processes[i].timer);
	}
	free(parent->processes);
	for (size_t i = 0; i < ARRAY_SIZE(parent->signals); i++)
		if (parent->signals[i])
			event_free(parent->signals[i]);
	if (parent->drain_timer)
		event_free(parent->drain_timer);
	if (parent->reload_timer)
		event_free(parent->reload_timer);
	if (parent->tickets_timer)
		event_free(parent->tickets_timer);
	watchdog_deinit(&parent->watchdog);
	if (parent->keys_timer)
		event_free(parent->keys_timer);
	if (parent->base)
		event_base_free(parent->base);
	/* While this daemon replaces another, the file is that one's; afterwards the new one's. */
	if (*parent->config->pid_file && !parent->is_handed_over &&
	    !upgrade_is_new(&parent->upgrade))
		(void)unlink(parent->config->pid_file);
	upgrade_deinit(&parent->upgrade);
	crypto_wipe(&parent->tickets, sizeof(parent->tickets));
	page_free(parent->page);
	if (parent->config != parent->started_with)
		config_free(parent->config);
	config_free(parent->started_with);
}

static int parent_prepare(struct parent *parent, char *const *arguments)
{
	struct config *checked = NULL;
	int r = tls_tickets_init(&parent->tickets);

	if (r == 0)
		r = upgrade_init(&parent->upgrade, arguments, &parent->tickets);
	title_set(parent->title, "conductd: parent");
	(void)signal(SIGPIPE, SIG_IGN);
	if (r == 0)
		r = inherited_take(&parent->inherited);
	/* What stops a reload stops the start. */
	if (r == 0)
		r = reload_check(parent->config->file, NULL, NULL, &checked);
	config_free(checked);
	return r ? r : parent_start(parent);
}

/*
 * Runs the daemon until it is told to stop; takes the configuration. Returns the exit status.
 */
int parent_run(struct config *config, struct title *title, char *const *arguments)
{
	struct parent parent = { .config = config, .started_with = config, .title = title };
	int r = parent_prepare(&parent, arguments);

	if (r < 0)
		log_say(LOG_LEVEL_ERROR, "cannot start: %s", strerror(-r));
	if (r == 0) {
		for (size_t i = 0; i < parent.n_processes; i++)
			process_start(&parent.processes[i]);
		event_base_dispatch(parent.base);
		log_say(LOG_LEVEL_INFO, "stopped");
	}
	parent_deinit(&parent);
	return r || parent.has_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
