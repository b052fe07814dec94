/*
 * What every child does alike: change account, be gone when the parent is, hear the parent, keep
 * the ways to vault and worker.
 */

#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/app/confine.h"
#include "daemon/app/process.h"
#include "daemon/base/log.h"

/* Of a program that root has started; else, or for "", nothing. Returns 0 or negative. */
int child_change_account(const char *user)
{
	struct passwd *account;

	if (*user == '\0' || geteuid() != 0)
		return 0;
	errno = 0;
	account = getpwnam(user);
	if (!account) {
		log_say(LOG_LEVEL_ERROR, "processes.user: there is no account %s", user);
		return errno ? -errno : -ENOENT;
	}
	if (initgroups(user, account->pw_gid) < 0 || setgid(account->pw_gid) < 0 ||
	    setuid(account->pw_uid) < 0)
		return -errno;
	return 0;
}

/* What only the vault reads is out of the reach of all others. */
static int child_confine(const struct child *child, const struct process_kind *kind)
{
	int r = kind->id == PAGE_VAULT ? 0 : confine_secrets(child->config);

	if (r == CONFINE_E_ABSENT && kind->id == PAGE_WORKER)
		log_say(LOG_LEVEL_WARN, "this kernel has no Landlock: whoever takes over web or "
					"worker can read the vault's files as this account");
	else if (r < 0)
		log_say(LOG_LEVEL_ERROR, "the vault's files cannot be kept from this process: %s",
			strerror(-r));
	return r < 0 ? r : 0;
}

/* The parent starts another one and sends the way to it. */
static void on_server_closed(struct ipc_channel *channel, const char *why, void *userdata)
{
	struct ipc_channel **place = userdata;

	*place = ipc_channel_free(channel);
}

static void on_server_message(struct ipc_channel *channel, struct ipc_message *message,
			      void *userdata)
{
	if (message->descriptor >= 0)
		(void)close(message->descriptor);
}

/* `place` is child->vault or child->worker: NULL while there is none. */
static void server_take(struct child *child, struct ipc_channel **place, int fd)
{
	const struct ipc_setup setup = { .base = child->base,
					 .fd = fd,
					 .on_message = on_server_message,
					 .on_closed = on_server_closed,
					 .userdata = place };
	struct ipc_channel *old = *place;

	*place = NULL;
	ipc_channel_free(old);
	if (ipc_channel_new(&setup, place) < 0)
		log_say(LOG_LEVEL_ERROR, "the channel to another process could not be opened");
}

static void descriptor_take(struct child *child, struct ipc_message *message)
{
	if (message->type == IPC_TYPE_VAULT)
		server_take(child, &child->vault, message->descriptor);
	else if (message->type == IPC_TYPE_WORKER)
		server_take(child, &child->worker, message->descriptor);
	else if (child->on_peer)
		child->on_peer(child, (enum page_process)(unsigned char)message->payload.at[0],
			       message->descriptor);
	else
		(void)close(message->descriptor);
}

static void on_parent_message(struct ipc_channel *channel, struct ipc_message *message,
			      void *userdata)
{
	struct child *child = userdata;

	if (message->descriptor >= 0) {
		descriptor_take(child, message);
		return;
	}
	switch (message->type) {
	case IPC_TYPE_PING:
		(void)ipc_channel_reply(channel, message, IPC_TYPE_PONG, message->payload);
		break;
	case IPC_TYPE_DRAIN:
		if (child->on_drain)
			child->on_drain(child);
		else
			event_base_loopbreak(child->base);
		break;
	case IPC_TYPE_SERVE:
		if (child->on_serve)
			child->on_serve(child);
		break;
	case IPC_TYPE_HAND_OVER:
		if (child->on_hand_over)
			child->on_hand_over(child);
		break;
	case IPC_TYPE_TICKETS:
		if (message->payload.length == sizeof(child->tickets))
			memcpy(&child->tickets, message->payload.at, sizeof(child->tickets));
		break;
	case IPC_TYPE_RELOAD:
		if (child->on_reload)
			child->on_reload(child);
		else
			child_reloaded(child, child_reload_config(child) == 0);
		break;
	case IPC_TYPE_POLICY:
		if (child->on_policy)
			child->on_policy(child);
		break;
	default:
		log_say(LOG_LEVEL_WARN, "the parent sent a message that is not for this process");
	}
}

/* Without a parent nobody restarts, reloads or stops this process: it ends at once. */
static void on_parent_closed(struct ipc_channel *channel, const char *why, void *userdata)
{
	log_flush();
	_exit(PROCESS_EXIT_ORPHAN);
}

/* A supervisor that signals the whole group means the same as the parent's message. */
static void on_term(int number, short what, void *userdata)
{
	struct child *child = userdata;

	if (child->on_drain)
		child->on_drain(child);
	else
		event_base_loopbreak(child->base);
}

static int child_watch(struct child *child)
{
	const struct ipc_setup setup = { .base = child->base,
					 .fd = child->parent_fd,
					 .on_message = on_parent_message,
					 .on_closed = on_parent_closed,
					 .userdata = child };
	int r = ipc_channel_new(&setup, &child->parent);

	if (r < 0)
		return r;
	child->term_event = evsignal_new(child->base, SIGTERM, on_term, child);
	return child->term_event && evsignal_add(child->term_event, NULL) == 0 ? 0 : -ENOMEM;
}

/* What a process has in memory is not written to a disk when it crashes. One byte, because a core
 * limit of 0 is passed over where cores go to a program (core(5)). */
static int refuse_dumps(void)
{
	const struct rlimit one = { 1, 1 }, none = { 0, 0 };

	/* Where nobody may have any, one byte is too many. */
	if (setrlimit(RLIMIT_CORE, &one) < 0 && setrlimit(RLIMIT_CORE, &none) < 0)
		return -errno;
	return 0;
}

/*
 * Makes a fresh fork a process of its kind. Returns 0 or a negative error, after which the process
 * is to exit.
 */
int child_init(struct child *child, const struct process_kind *kind)
{
	char title[48];
	int r;

	(void)snprintf(child->name, sizeof(child->name), kind->is_numbered ? "%s %u" : "%s",
		       kind->name, child->number);
	(void)snprintf(title, sizeof(title), "conductd: %s", child->name);
	title_set(child->title, title);
	log_init(child->name, (enum log_level)child->config->log_level);
	(void)signal(SIGINT, SIG_IGN); /* the terminal's; the parent says what it means */
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	r = child_confine(child, kind);
	if (r == 0)
		r = child_change_account(child->config->user);
	if (r < 0)
		return r;
	/* After the change of account, which clears it. The parent may be gone already. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	if (getppid() != child->parent_pid)
		_exit(PROCESS_EXIT_ORPHAN);
	r = refuse_dumps();
	if (r < 0)
		return r;
	child->base = event_base_new();
	return child->base ? child_watch(child) : -ENOMEM;
}

void child_deinit(struct child *child)
{
	ipc_channel_free(child->vault);
	ipc_channel_free(child->worker);
	ipc_channel_free(child->parent);
	if (child->term_event)
		event_free(child->term_event);
	if (child->base)
		event_base_free(child->base);
	child->config = config_free(child->config);
}

/* Tells the parent that this process serves. */
void child_ready(struct child *child)
{
	(void)ipc_channel_send(child->parent, IPC_TYPE_READY, (struct slice){ 0 });
}

/* Tells the parent how a reload ended. */
void child_reloaded(struct child *child, bool is_in_use)
{
	char byte = is_in_use ? 1 : 0;

	(void)ipc_channel_send(child->parent, IPC_TYPE_RELOADED, (struct slice){ &byte, 1 });
}

/*
 * Reads the configuration again and takes it. A bad one is logged and the old one kept: returns
 * CONFIG_E_… then.
 */
int child_reload_config(struct child *child)
{
	struct config_error error = { 0 };
	struct config *config = NULL;
	char text[512];
	int r = config_load(child->config_file, &config, &error);

	if (r) {
		config_error_print(child->config_file, &error, text, sizeof(text));
		log_say(LOG_LEVEL_ERROR, "reload refused: %s", r < 0 ? strerror(-r) : text);
		return r;
	}
	config_free(child->config);
	child->config = config;
	log_init(child->name, (enum log_level)config->log_level);
	return 0;
}
