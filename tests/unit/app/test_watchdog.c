/* daemon/app/watchdog: fed while every process answers; one that does not is killed. */

#include "daemon/app/parent.h"
#include "daemon/base/log.h"
#include "tests/unit/suite.h"

#include <event2/event.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N_PROCESSES = 2, INTERVAL_US = 40000 };

static struct event_base *base;
static struct process processes[N_PROCESSES];
static struct parent parent;
static int manager;
static struct ipc_channel *answerers[N_PROCESSES];
static bool is_silent[N_PROCESSES];

static void on_message(struct ipc_channel *channel, struct ipc_message *message, void *userdata)
{
	const bool *is_one_silent = userdata;

	ck_assert_int_eq(message->type, IPC_TYPE_PING);
	if (!*is_one_silent)
		(void)ipc_channel_reply(channel, message, IPC_TYPE_PONG, message->payload);
}

static void on_parents_message(struct ipc_channel *channel, struct ipc_message *message,
			       void *userdata)
{
}

static void on_closed(struct ipc_channel *channel, const char *why, void *userdata)
{
}

/* In the place of a process: its end of the channel here, and somebody to be killed. */
static void process_make(size_t i)
{
	static const struct process_kind kind = { .id = PAGE_WEB, .name = "web" };
	int fds[2];

	ck_assert_int_eq(ipc_pair_open(fds), 0);
	is_silent[i] = false;
	processes[i] = (struct process){ .parent = &parent, .kind = &kind };
	processes[i].pid = fork();
	if (processes[i].pid == 0) {
		(void)pause();
		_exit(0);
	}
	ck_assert_int_eq(ipc_channel_new(&(struct ipc_setup){ .base = base,
							      .fd = fds[0],
							      .on_message = on_parents_message,
							      .on_closed = on_closed },
					 &processes[i].channel),
			 0);
	ck_assert_int_eq(ipc_channel_new(&(struct ipc_setup){ .base = base,
							      .fd = fds[1],
							      .on_message = on_message,
							      .on_closed = on_closed,
							      .userdata = &is_silent[i] },
					 &answerers[i]),
			 0);
}

static void begin(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t length = sizeof(sa_family_t);
	char text[128];

	alarm(60);
	log_init("test", LOG_LEVEL_ERROR);
	base = event_base_new();
	parent =
		(struct parent){ .base = base, .processes = processes, .n_processes = N_PROCESSES };
	/* An abstract name of the kernel's choice (unix(7), autobind). */
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(manager, (struct sockaddr *)&address, length), 0);
	length = sizeof(address);
	ck_assert_int_eq(getsockname(manager, (struct sockaddr *)&address, &length), 0);
	(void)snprintf(text, sizeof(text), "@%.*s", (int)(length - sizeof(sa_family_t) - 1),
		       address.sun_path + 1);
	(void)setenv("NOTIFY_SOCKET", text, 1);
	(void)setenv("WATCHDOG_USEC", "40000", 1);
	(void)unsetenv("WATCHDOG_PID");
	for (size_t i = 0; i < N_PROCESSES; i++)
		process_make(i);
}

static void end(void)
{
	watchdog_deinit(&parent.watchdog);
	for (size_t i = 0; i < N_PROCESSES; i++) {
		ipc_channel_free(processes[i].channel);
		ipc_channel_free(answerers[i]);
		(void)kill(processes[i].pid, SIGKILL);
		(void)waitpid(processes[i].pid, NULL, 0);
	}
	close(manager);
	event_base_free(base);
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
	alarm(0);
}

/* How often it was fed since the last time it was asked. */
static unsigned n_fed(void)
{
	char text[64];
	unsigned n = 0;
	ssize_t length;

	while ((length = recv(manager, text, sizeof(text), 0)) > 0) {
		ck_assert_int_eq(length, sizeof("WATCHDOG=1") - 1);
		ck_assert_mem_eq(text, "WATCHDOG=1", (size_t)length);
		n++;
	}
	return n;
}

/* Runs the loop until so many quarters of the interval have passed. */
static void wait_quarters(unsigned n)
{
	const struct timeval time = { .tv_usec = INTERVAL_US / 4 * (suseconds_t)n };

	event_base_loopexit(base, &time);
	event_base_dispatch(base);
}

static bool is_killed(size_t i)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)processes[i].pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid && info.si_status == SIGKILL;
}

START_TEST(it_is_fed_while_all_answer)
{
	unsigned n = 0;

	ck_assert_int_eq(watchdog_init(&parent.watchdog, &parent), 0);
	while (n < 5) {
		wait_quarters(2);
		n += n_fed();
	}
	ck_assert(!is_killed(0));
	ck_assert(!is_killed(1));
}
END_TEST

START_TEST(one_that_is_silent_is_killed_and_meanwhile_nothing_is_fed)
{
	unsigned n = 0;

	ck_assert_int_eq(watchdog_init(&parent.watchdog, &parent), 0);
	is_silent[1] = true;
	while (!is_killed(1)) {
		wait_quarters(1);
		n += n_fed();
	}
	/* The first question was on its way, and nobody knew better. */
	ck_assert_uint_le(n, 1);
	ck_assert(!is_killed(0));
	/* As the parent does; then the others are asked again. */
	processes[1].channel = ipc_channel_free(processes[1].channel);
	processes[1].watched = (struct watched){ 0 };
	while (n_fed() == 0)
		wait_quarters(2);
}
END_TEST

START_TEST(one_that_is_late_once_is_forgiven)
{
	ck_assert_int_eq(watchdog_init(&parent.watchdog, &parent), 0);
	while (!processes[0].watched.is_asked)
		event_base_loop(base, EVLOOP_ONCE);
	processes[0].watched.n_missed = 1;
	while (processes[0].watched.n_missed)
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert(!is_killed(0));
}
END_TEST

START_TEST(without_a_watchdog_or_with_another_ones_nothing_is_asked)
{
	static const char *const values[] = {
		"", "0", "3", "x", "-40000", "40000x", "99999999999999999999999"
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		(void)setenv("WATCHDOG_USEC", values[i], 1);
		ck_assert_int_eq(watchdog_init(&parent.watchdog, &parent), 0);
		ck_assert_ptr_null(parent.watchdog.timer);
	}
	(void)setenv("WATCHDOG_USEC", "40000", 1);
	(void)setenv("WATCHDOG_PID", "1", 1);
	ck_assert_int_eq(watchdog_init(&parent.watchdog, &parent), 0);
	ck_assert_ptr_null(parent.watchdog.timer);
	(void)unsetenv("WATCHDOG_USEC");
	ck_assert_int_eq(watchdog_init(&parent.watchdog, &parent), 0);
	ck_assert_ptr_null(parent.watchdog.timer);
}
END_TEST

SUITE_EACH("app/watchdog", begin, end, it_is_fed_while_all_answer,
	   one_that_is_silent_is_killed_and_meanwhile_nothing_is_fed,
	   one_that_is_late_once_is_forgiven,
	   without_a_watchdog_or_with_another_ones_nothing_is_asked)
