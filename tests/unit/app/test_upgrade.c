/* daemon/app/upgrade: both ends of handing over, with a shell in the place of the new daemon. */

#include "daemon/app/upgrade.h"
#include "daemon/ipc/budget.h"
#include "daemon/ipc/packet.h"
#include "tests/unit/suite.h"

#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char variable[] = "CONDUCTD_UPGRADE_FD";

/* An end that closes over something unread takes what it has said with it. */
#define TAKE_KEYS "dd bs=4096 count=1 <&$CONDUCTD_UPGRADE_FD >/dev/null 2>&1; "

static struct event_base *base;
static struct upgrade upgrade;
static struct tls_tickets tickets, own;
static int n_done;
static bool is_taken_over;

static void begin(void)
{
	base = event_base_new();
	n_done = 0;
	memset(&own, 1, sizeof(own));
	tickets = own;
}

static void end(void)
{
	upgrade_deinit(&upgrade);
	event_base_free(base);
	(void)unsetenv("LISTEN_FDNAMES");
}

static void on_done(void *userdata, bool is_good)
{
	ck_assert_ptr_eq(userdata, &upgrade);
	n_done++;
	is_taken_over = is_good;
	event_base_loopbreak(base);
}

/* Becomes the daemon that is replaced by what the shell does; waits for no more than the shell. */
static void start(const char *script, const struct listener *const *listeners, size_t n)
{
	static char shell[] = "sh", option[] = "-c";
	char text[512];
	char *arguments[] = { shell, option, text, NULL };
	const struct upgrade_load load = {
		.listeners = listeners, .n_listeners = n, .tickets = &own, .budgets_fd = -1
	};

	(void)snprintf(text, sizeof(text), "%s", script);
	ck_assert_int_eq(upgrade_init(&upgrade, arguments, &tickets), 0);
	free(upgrade.program);
	upgrade.program = strdup("/bin/sh");
	upgrade.done = on_done;
	upgrade.userdata = &upgrade;
	ck_assert_int_eq(upgrade_start(&upgrade, base, &load), 0);
}

static int shell_end(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

START_TEST(a_byte_of_the_new_one_means_that_it_has_taken_over)
{
	pid_t pid;

	start(TAKE_KEYS "printf x >&$CONDUCTD_UPGRADE_FD", NULL, 0);
	pid = upgrade.pid;
	ck_assert_int_gt(pid, 0);
	event_base_dispatch(base);
	ck_assert_int_eq(n_done, 1);
	ck_assert(is_taken_over);
	ck_assert_int_eq(upgrade.pid, pid);
	ck_assert_ptr_null(upgrade.event);
	ck_assert_int_eq(shell_end(pid), 0);
}
END_TEST

START_TEST(the_end_of_the_new_one_means_that_it_has_not)
{
	pid_t pid;

	start("exit 3", NULL, 0);
	pid = upgrade.pid;
	event_base_dispatch(base);
	ck_assert_int_eq(n_done, 1);
	ck_assert(!is_taken_over);
	ck_assert_int_eq(upgrade.pid, 0);
	ck_assert_int_eq(WEXITSTATUS(shell_end(pid)), 3);
}
END_TEST

START_TEST(a_program_that_is_not_there_is_like_one_that_ends)
{
	static char name[] = "none";
	char *arguments[] = { name, NULL };
	const struct upgrade_load load = { .tickets = &own, .budgets_fd = -1 };
	pid_t pid;

	ck_assert_int_eq(upgrade_init(&upgrade, arguments, &tickets), 0);
	free(upgrade.program);
	upgrade.program = strdup("/nonexistent/conductd");
	upgrade.done = on_done;
	upgrade.userdata = &upgrade;
	ck_assert_int_eq(upgrade_start(&upgrade, base, &load), 0);
	pid = upgrade.pid;
	event_base_dispatch(base);
	ck_assert(!is_taken_over);
	ck_assert_int_eq(WEXITSTATUS(shell_end(pid)), EXIT_FAILURE);
}
END_TEST

/* Where sockets are, as sd_listen_fds_with_names(3) wants them, and nothing else is open. */
START_TEST(sockets_are_handed_over_in_order_and_named)
{
	struct listener one = { .fd = -1 }, other = { .fd = -1, .is_lent = true };
	const struct listener *const both[] = { &one, &other };
	pid_t pid;

	one.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	other.fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	start(TAKE_KEYS
	      "test $LISTEN_PID = $$ && test $LISTEN_FDS = 2 && test $LISTEN_FDNAMES = own:lent && "
	      "test $CONDUCTD_UPGRADE_FD = 5 && test -S /dev/fd/3 && test -S /dev/fd/4 && "
	      "test ! -e /dev/fd/6 && printf x >&5",
	      both, 2);
	pid = upgrade.pid;
	event_base_dispatch(base);
	ck_assert(is_taken_over);
	ck_assert_int_eq(shell_end(pid), 0);
	close(one.fd);
	close(other.fd);
}
END_TEST

START_TEST(more_sockets_than_can_be_named_are_not_handed_over)
{
	const struct upgrade_load load = { .n_listeners = INHERITED_LIMIT + 1,
					   .tickets = &own,
					   .budgets_fd = -1 };
	static char name[] = "sh";
	char *arguments[] = { name, NULL };

	ck_assert_int_eq(upgrade_init(&upgrade, arguments, &tickets), 0);
	ck_assert_int_eq(upgrade_start(&upgrade, base, &load), -ENOSPC);
	ck_assert_ptr_null(upgrade.event);
	ck_assert_int_eq(upgrade.fd, -1);
	ck_assert_int_eq(upgrade.pid, 0);
}
END_TEST

START_TEST(who_stops_takes_the_new_one_along)
{
	pid_t pid;

	start("exec sleep 600", NULL, 0);
	pid = upgrade.pid;
	upgrade_cancel(&upgrade);
	ck_assert_int_eq(WTERMSIG(shell_end(pid)), SIGTERM);
	ck_assert_int_eq(upgrade.pid, 0);
	ck_assert_int_eq(n_done, 0);
	upgrade_cancel(&upgrade);
}
END_TEST

/* The other end: what the old daemon has sent. Returns the old one's end. */
static int start_new(struct slice bytes, int budgets_fd)
{
	static char name[] = "conductd";
	char *arguments[] = { name, NULL };
	char number[16];
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	ck_assert_int_eq(ipc_packet_send(fds[0], bytes, budgets_fd), 0);
	(void)snprintf(number, sizeof(number), "%d", fds[1]);
	(void)setenv(variable, number, 1);
	ck_assert_int_eq(upgrade_init(&upgrade, arguments, &tickets), 0);
	ck_assert_ptr_null(getenv(variable));
	return fds[0];
}

START_TEST(the_new_one_takes_keys_and_budgets_and_says_when_it_serves)
{
	struct tls_tickets given;
	struct budget_table *table = NULL, *taken = NULL;
	int budgets_fd = -1, old;
	uint32_t used;
	char byte;

	memset(&given, 2, sizeof(given));
	ck_assert_int_eq(budget_table_new(&budgets_fd, &table), 0);
	ck_assert_int_eq(budget_take(table, 42, 9, 1, 2, &used), 0);
	old = start_new((struct slice){ (const char *)&given, sizeof(given) }, budgets_fd);
	ck_assert(upgrade_is_new(&upgrade));
	ck_assert_mem_eq(&tickets, &given, sizeof(given));
	ck_assert_int_ge(upgrade.budgets_fd, 0);
	ck_assert(fcntl(upgrade.budgets_fd, F_GETFD) & FD_CLOEXEC);
	ck_assert_int_eq(budget_table_open(upgrade.budgets_fd, &taken), 0);
	ck_assert_uint_eq(budget_used(taken, 42, 1), 1);
	ck_assert_int_eq(recv(old, &byte, 1, MSG_DONTWAIT), -1);
	upgrade_announce(&upgrade);
	ck_assert(!upgrade_is_new(&upgrade));
	ck_assert_int_eq(recv(old, &byte, 1, MSG_DONTWAIT), 1);
	upgrade_announce(&upgrade);
	ck_assert_int_eq(recv(old, &byte, 1, MSG_DONTWAIT), 0);
	budget_table_free(taken);
	budget_table_free(table);
	close(budgets_fd);
	close(old);
}
END_TEST

START_TEST(an_old_one_of_another_kind_is_replaced_without_its_keys)
{
	int old = start_new(SLICE("other"), -1);

	ck_assert(upgrade_is_new(&upgrade));
	ck_assert_mem_eq(&tickets, &own, sizeof(own));
	ck_assert_int_eq(upgrade.budgets_fd, -1);
	close(old);
}
END_TEST

START_TEST(who_was_not_started_to_replace_another_does_not)
{
	static const char *const values[] = { "", "0", "2", "-1", "x", "9999" };
	static char name[] = "conductd";
	char *arguments[] = { name, NULL };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		(void)setenv(variable, values[i], 1);
		ck_assert_int_eq(upgrade_init(&upgrade, arguments, &tickets), 0);
		ck_assert(!upgrade_is_new(&upgrade));
		ck_assert_mem_eq(&tickets, &own, sizeof(own));
		upgrade_announce(&upgrade);
		upgrade_deinit(&upgrade);
	}
	ck_assert_int_eq(upgrade_init(&upgrade, arguments, &tickets), 0);
	ck_assert_str_eq(upgrade.arguments[0], name);
}
END_TEST

SUITE_EACH("app/upgrade", begin, end, a_byte_of_the_new_one_means_that_it_has_taken_over,
	   the_end_of_the_new_one_means_that_it_has_not,
	   a_program_that_is_not_there_is_like_one_that_ends,
	   sockets_are_handed_over_in_order_and_named,
	   more_sockets_than_can_be_named_are_not_handed_over, who_stops_takes_the_new_one_along,
	   the_new_one_takes_keys_and_budgets_and_says_when_it_serves,
	   an_old_one_of_another_kind_is_replaced_without_its_keys,
	   who_was_not_started_to_replace_another_does_not)
