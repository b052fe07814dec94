/*
 * Handing over to another program. The sockets go as a service manager would pass them
 * (LISTEN_FDS), so connections that wait in their queues are lost by nobody; beside them goes one
 * end of a socketpair, on which the old daemon gives the ticket keys and the table of budgets, and
 * the new one says that it serves. When it ends or is silent for too long instead, the old daemon
 * goes on as if nothing had been.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/app/upgrade.h"
#include "daemon/base/buffer.h"
#include "daemon/base/log.h"
#include "daemon/ipc/packet.h"

enum { LIMIT_S = 60, FIRST_FD = 3 };

static const char variable[] = "CONDUCTD_UPGRADE_FD";

/* Where this program lies; a package puts the next one there. */
static char *program_path(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path));

	return n > 0 && (size_t)n < sizeof(path) ? strndup(path, (size_t)n) : NULL;
}

static char **arguments_copy(char *const *arguments)
{
	size_t n = 0;
	char **copy;

	while (arguments[n])
		n++;
	copy = calloc(n + 1, sizeof(*copy));
	for (size_t i = 0; copy && i < n; i++)
		copy[i] = strdup(arguments[i]);
	return copy;
}

static void old_take(struct upgrade *upgrade, struct tls_tickets *tickets)
{
	struct ipc_received received = { .descriptor = -1 };
	struct tls_tickets given;
	const char *text = getenv(variable);
	int fd = text && *text >= '0' && *text <= '9' ? (int)strtol(text, NULL, 10) : -1;

	(void)unsetenv(variable);
	if (fd < FIRST_FD || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return;
	upgrade->old_fd = fd;
	if (ipc_packet_receive(fd, (char *)&given, sizeof(given), MSG_DONTWAIT, &received) == 0 &&
	    received.length == sizeof(given) && !received.is_cut)
		*tickets = given;
	upgrade->budgets_fd = received.descriptor;
	crypto_wipe(&given, sizeof(given));
}

/*
 * Before the process's title is written over its arguments. Takes over the ticket keys of the
 * daemon that started this one to replace it. Returns 0 or -ENOMEM.
 */
int upgrade_init(struct upgrade *upgrade, char *const *arguments, struct tls_tickets *tickets)
{
	*upgrade = (struct upgrade){ .fd = -1, .old_fd = -1, .budgets_fd = -1 };
	upgrade->program = program_path();
	upgrade->arguments = arguments_copy(arguments);
	if (!upgrade->program || !upgrade->arguments)
		return -ENOMEM;
	old_take(upgrade, tickets);
	return 0;
}

static void side_close(struct upgrade *upgrade)
{
	if (upgrade->event)
		event_free(upgrade->event);
	upgrade->event = NULL;
	if (upgrade->fd >= 0)
		(void)close(upgrade->fd);
	upgrade->fd = -1;
}

/* Also in a child, which has no part in it. */
void upgrade_deinit(struct upgrade *upgrade)
{
	side_close(upgrade);
	if (upgrade->old_fd >= 0)
		(void)close(upgrade->old_fd);
	upgrade->old_fd = -1;
	if (upgrade->budgets_fd >= 0)
		(void)close(upgrade->budgets_fd);
	upgrade->budgets_fd = -1;
	for (size_t i = 0; upgrade->arguments && upgrade->arguments[i]; i++)
		free(upgrade->arguments[i]);
	free(upgrade->arguments);
	free(upgrade->program);
	upgrade->arguments = NULL;
	upgrade->program = NULL;
}

/* Another daemon serves on the same sockets until upgrade_announce(). */
bool upgrade_is_new(const struct upgrade *upgrade)
{
	return upgrade->old_fd >= 0;
}

/* Tells the old daemon, if there is one, that this one serves. */
void upgrade_announce(struct upgrade *upgrade)
{
	if (upgrade->old_fd < 0)
		return;
	(void)send(upgrade->old_fd, "", 1, MSG_NOSIGNAL);
	(void)close(upgrade->old_fd);
	upgrade->old_fd = -1;
}

/* In the fork: descriptors to their places, by way of places that none of them has. */
static int descriptors_place(const int *fds, size_t n)
{
	int high[INHERITED_LIMIT + 1];

	for (size_t i = 0; i < n; i++) {
		high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, FIRST_FD + (int)n);
		if (high[i] < 0)
			return -errno;
	}
	for (size_t i = 0; i < n; i++)
		if (dup2(high[i], FIRST_FD + (int)i) < 0)
			return -errno;
	return 0;
}

static void number_set(const char *name, int number)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", number);
	(void)setenv(name, text, 1);
}

/* A signal for the new one must not run a handler of the old one, which would tell the old one. */
static void signals_reset(void)
{
	static const int handled[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR2, SIGCHLD };
	sigset_t none;

	for (size_t i = 0; i < ARRAY_SIZE(handled); i++)
		(void)signal(handled[i], SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

__attribute__((noreturn)) static void become_new(const struct upgrade *upgrade, const int *fds,
						 size_t n, const char *names)
{
	int r = descriptors_place(fds, n);

	number_set("LISTEN_PID", getpid());
	number_set("LISTEN_FDS", (int)n - 1);
	(void)setenv("LISTEN_FDNAMES", names, 1);
	number_set(variable, FIRST_FD + (int)n - 1);
	if (getenv("WATCHDOG_PID"))
		number_set("WATCHDOG_PID", getpid());
	signals_reset();
	if (r == 0) {
		(void)execv(upgrade->program, upgrade->arguments);
		r = -errno;
	}
	log_say(LOG_LEVEL_ERROR, "upgrade: %s: %s", upgrade->program, strerror(-r));
	_exit(EXIT_FAILURE);
}

static int fork_new(struct upgrade *upgrade, const struct upgrade_load *load, int peer)
{
	CLEANUP(buffer_deinit) struct buffer names = BUFFER_NULL;
	sigset_t all, before;
	int fds[INHERITED_LIMIT + 1];
	size_t n = 0;

	if (load->n_listeners > INHERITED_LIMIT)
		return -ENOSPC;
	for (; n < load->n_listeners; n++) {
		fds[n] = load->listeners[n]->fd;
		buffer_printf(&names, "%s%s", n ? ":" : "",
			      load->listeners[n]->is_lent ? "lent" : "own");
	}
	fds[n++] = peer;
	if (buffer_finish(&names) < 0)
		return -ENOMEM;
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &before);
	upgrade->pid = fork();
	if (upgrade->pid == 0)
		become_new(upgrade, fds, n, names.at);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	if (upgrade->pid < 0) {
		upgrade->pid = 0;
		return -errno;
	}
	return 0;
}

/* A byte: it serves. The end of the channel: it has ended. Neither: it is told to. */
static void on_answer(int fd, short what, void *userdata)
{
	struct upgrade *upgrade = userdata;
	char byte;
	bool is_taken_over = (what & EV_READ) && recv(fd, &byte, 1, MSG_DONTWAIT) == 1;

	if (!(what & EV_READ))
		upgrade_signal(upgrade, SIGTERM);
	side_close(upgrade);
	if (!is_taken_over)
		upgrade->pid = 0;
	upgrade->done(upgrade->userdata, is_taken_over);
}

/*
 * Starts the new daemon; done() is called from the loop, once. Returns 0 or negative, after which
 * nothing has changed.
 */
int upgrade_start(struct upgrade *upgrade, struct event_base *base, const struct upgrade_load *load)
{
	const struct timeval limit = { .tv_sec = LIMIT_S };
	int fds[2], r = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	upgrade->fd = fds[0];
	upgrade->event = event_new(base, fds[0], EV_READ, on_answer, upgrade);
	if (!upgrade->event || event_add(upgrade->event, &limit) < 0)
		r = -ENOMEM;
	if (r == 0)
		r = ipc_packet_send(
			fds[0],
			(struct slice){ (const char *)load->tickets, sizeof(*load->tickets) },
			load->budgets_fd);
	if (r == 0)
		r = fork_new(upgrade, load, fds[1]);
	(void)close(fds[1]);
	if (r < 0)
		side_close(upgrade);
	return r;
}

/* The daemon is told to stop: whatever was to replace it as well. */
void upgrade_cancel(struct upgrade *upgrade)
{
	if (!upgrade->event)
		return;
	side_close(upgrade);
	upgrade_signal(upgrade, SIGTERM);
	upgrade->pid = 0;
}

/* To the new daemon, while there is one. */
void upgrade_signal(const struct upgrade *upgrade, int number)
{
	if (upgrade->pid > 0)
		(void)kill(upgrade->pid, number);
}

/* A process has ended, and its number may be another's soon. */
void upgrade_note_end(struct upgrade *upgrade, pid_t pid)
{
	if (upgrade->pid == pid)
		upgrade->pid = 0;
}
