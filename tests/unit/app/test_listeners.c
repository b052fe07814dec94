/* daemon/app/listeners: whose sockets serve which address, of those inherited and those opened. */

#include "daemon/app/listeners.h"
#include "daemon/base/log.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIRST_FD = 3 };

static struct listeners listeners[3];
static struct inherited inherited;

static void begin(void)
{
	memset(listeners, 0, sizeof(listeners));
	inherited.n = 0;
	/* Without the warnings; what is refused is said there, too. */
	log_init("test", LOG_LEVEL_ERROR);
}

static void end(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(listeners); i++)
		listeners_close(&listeners[i]);
}

/* A listening socket on a free port of loopback. */
static int open_socket(bool is_shared, char ret_text[32])
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = is_shared;

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	(void)snprintf(ret_text, 32, "127.0.0.1:%u", ntohs(address.sin_port));
	return fd;
}

static void inherit(int fd, bool is_lent, bool is_shared)
{
	inherited.at[inherited.n].fd = fd;
	inherited.at[inherited.n].is_lent = is_lent;
	inherited.at[inherited.n].is_shared = is_shared;
	inherited.at[inherited.n].is_used = false;
	ck_assert_int_eq(address_of_socket(fd, &inherited.at[inherited.n].address), 0);
	inherited.n++;
}

static int open_web(const struct config *config, unsigned number, unsigned n)
{
	return listeners_open_web(config, &inherited, number, n, &listeners[number - 1]);
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

START_TEST(each_process_opens_sockets_of_its_own_on_a_port_that_is_free)
{
	char plain[32], secured[32];
	struct config_tls tls = { .listen = secured };
	const char *addresses[] = { plain };
	struct config config = { .listen = { addresses, 1 }, .tls = &tls, .n_tls = 1 };
	int taken = open_socket(false, plain), other = open_socket(false, secured);

	ck_assert_int_eq(open_web(&config, 1, 2), -EADDRINUSE);
	ck_assert_uint_eq(listeners[0].n, 0);
	close(taken);
	close(other);
	for (unsigned i = 1; i <= 2; i++) {
		ck_assert_int_eq(open_web(&config, i, 2), 0);
		ck_assert_uint_eq(listeners[i - 1].n, 2);
		ck_assert_int_eq(listeners[i - 1].at[0].kind, LISTENER_PLAIN);
		ck_assert_int_eq(listeners[i - 1].at[1].kind, LISTENER_TLS);
		ck_assert(!listeners[i - 1].at[0].is_lent);
	}
	/* Sharing is not for who comes by chance. */
	ck_assert_int_eq(open_web(&config, 1, 1), -EADDRINUSE);
}
END_TEST

START_TEST(inherited_sockets_are_dealt_out_in_turn_and_others_are_opened)
{
	char address[32];
	const char *addresses[] = { address };
	struct config config = { .listen = { addresses, 1 } };
	int first = open_socket(true, address), second;
	struct sockaddr_in bound;
	socklen_t length = sizeof(bound);

	ck_assert_int_eq(getsockname(first, (struct sockaddr *)&bound, &length), 0);
	second = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(setsockopt(second, SOL_SOCKET, SO_REUSEPORT, &(int){ 1 }, sizeof(int)), 0);
	ck_assert_int_eq(bind(second, (struct sockaddr *)&bound, length), 0);
	ck_assert_int_eq(listen(second, 8), 0);
	inherit(first, false, true);
	inherit(second, true, true);
	for (unsigned i = 1; i <= 3; i++) {
		ck_assert_int_eq(open_web(&config, i, 3), 0);
		ck_assert_uint_eq(listeners[i - 1].n, 1);
	}
	ck_assert_int_eq(listeners[0].at[0].fd, first);
	ck_assert_int_eq(listeners[1].at[0].fd, second);
	ck_assert(!listeners[0].at[0].is_lent && listeners[1].at[0].is_lent);
	ck_assert_int_ne(listeners[2].at[0].fd, first);
	ck_assert_int_ne(listeners[2].at[0].fd, second);
}
END_TEST

START_TEST(more_sockets_than_processes_are_all_served)
{
	char address[32];
	const char *addresses[] = { address };
	struct config config = { .listen = { addresses, 1 } };
	int first = open_socket(true, address), second = dup(first);

	inherit(first, false, true);
	inherit(second, false, true);
	ck_assert_int_eq(open_web(&config, 1, 1), 0);
	ck_assert_uint_eq(listeners[0].n, 2);
}
END_TEST

START_TEST(a_socket_that_does_not_share_its_port_is_shared_by_descriptor)
{
	char address[32];
	const char *addresses[] = { address };
	struct config config = { .listen = { addresses, 1 } };
	int fd = open_socket(false, address);
	struct address one, other;

	inherit(fd, true, false);
	ck_assert_int_eq(open_web(&config, 1, 2), 0);
	ck_assert_int_eq(open_web(&config, 2, 2), 0);
	ck_assert_int_eq(listeners[0].at[0].fd, fd);
	ck_assert_int_ne(listeners[1].at[0].fd, fd);
	ck_assert(listeners[1].at[0].is_lent);
	ck_assert_int_eq(address_of_socket(fd, &one), 0);
	ck_assert_int_eq(address_of_socket(listeners[1].at[0].fd, &other), 0);
	ck_assert(address_equals(&one, &other));
}
END_TEST

START_TEST(what_the_configuration_does_not_name_is_closed)
{
	char named[32], unnamed[32];
	struct config config = { .ops_listen = named };
	int fd = open_socket(false, named), other = open_socket(false, unnamed);

	inherit(fd, true, false);
	inherit(other, true, false);
	ck_assert_int_eq(listeners_open_ops(&config, &inherited, &listeners[0]), 0);
	ck_assert_int_eq(listeners[0].at[0].kind, LISTENER_OPS);
	inherited_close_unused(&inherited);
	ck_assert(is_open(fd));
	ck_assert(!is_open(other));
	ck_assert_uint_eq(inherited.n, 0);
	listeners_close(&listeners[0]);
	ck_assert(!is_open(fd));
}
END_TEST

/* The numbers of inherited descriptors are fixed, so this is done in a process of its own. Returns
 * what it took, or 100 when it failed. */
static int take(const int *fds, int n, const char *pid, const char *count, const char *names)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		char own[16];
		int high[8], r;

		for (int i = 0; i < n; i++)
			high[i] = fcntl(fds[i], F_DUPFD, 100);
		for (int i = 0; i < n; i++)
			(void)dup2(high[i], FIRST_FD + i);
		(void)snprintf(own, sizeof(own), "%d", (int)getpid());
		(void)setenv("LISTEN_PID", pid ? pid : own, 1);
		(void)setenv("LISTEN_FDS", count, 1);
		(void)setenv("LISTEN_FDNAMES", names, 1);
		r = inherited_take(&inherited);
		if (getenv("LISTEN_PID") || getenv("LISTEN_FDS") || getenv("LISTEN_FDNAMES"))
			_exit(101);
		for (size_t i = 0; r == 0 && i < inherited.n; i++)
			if (inherited.at[i].fd != FIRST_FD + (int)i ||
			    !(fcntl(inherited.at[i].fd, F_GETFD) & FD_CLOEXEC) ||
			    !(fcntl(inherited.at[i].fd, F_GETFL) & O_NONBLOCK) ||
			    inherited.at[i].is_lent != (i != 1) || inherited.at[i].is_used)
				_exit(102);
		_exit(r < 0 ? 100 : (int)inherited.n);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(descriptors_are_taken_as_a_service_manager_passes_them)
{
	char address[32];
	int fds[] = { open_socket(true, address), open_socket(true, address),
		      open_socket(true, address) };
	int pipes[2];

	ck_assert_int_eq(take(fds, 3, NULL, "3", "http:own:more"), 3);
	ck_assert_int_eq(take(fds, 3, NULL, "2", "lent:own"), 2);
	ck_assert_int_eq(take(fds, 3, "1", "3", ""), 0);
	ck_assert_int_eq(take(fds, 3, NULL, "", ""), 0);
	ck_assert_int_eq(take(fds, 3, NULL, "3x", ""), 0);
	ck_assert_int_eq(take(fds, 3, NULL, "-1", ""), 0);
	ck_assert_int_eq(take(fds, 3, NULL, "99999999999999999999", ""), 0);
	ck_assert_int_eq(pipe(pipes), 0);
	ck_assert_int_eq(take((int[]){ fds[0], pipes[0] }, 2, NULL, "2", ""), 100);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	close(pipes[0]);
	close(pipes[1]);
}
END_TEST

SUITE_EACH("app/listeners", begin, end,
	   each_process_opens_sockets_of_its_own_on_a_port_that_is_free,
	   inherited_sockets_are_dealt_out_in_turn_and_others_are_opened,
	   more_sockets_than_processes_are_all_served,
	   a_socket_that_does_not_share_its_port_is_shared_by_descriptor,
	   what_the_configuration_does_not_name_is_closed,
	   descriptors_are_taken_as_a_service_manager_passes_them)
