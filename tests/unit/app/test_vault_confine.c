/* The vault's list of system calls, tried in children that it kills. */

#include "tests/unit/suite.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/app/vault_confine.h"

/* How a child ends that is confined and then does this: its exit status, or -signal. */
static int end_of(void (*act)(void))
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		bool is_locked;

		if (vault_confine_memory(&is_locked) < 0 || vault_confine_calls() < 0)
			_exit(99);
		act();
		_exit(7);
	}
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void reads_a_file(void)
{
	char byte;
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, &byte, 1) != 1)
		_exit(1);
	(void)close(fd);
}

static void uses_memory(void)
{
	char *bytes = malloc(32 << 20);

	if (!bytes)
		_exit(1);
	memset(bytes, 1, 32 << 20);
	free(bytes);
}

static void opens_to_write(void)
{
	(void)!open("/tmp/conductd-must-not-be-there", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static void opens_to_append(void)
{
	(void)!open("/dev/null", O_RDWR | O_CLOEXEC);
}

static void makes_a_socket(void)
{
	(void)!socket(AF_INET, SOCK_STREAM, 0);
}

static void makes_a_pair(void)
{
	int fds[2];

	(void)!socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
}

static void starts_a_program(void)
{
	char *const arguments[] = { NULL };

	(void)!execve("/bin/true", arguments, arguments);
}

static void forks(void)
{
	if (fork() == 0)
		_exit(0);
}

static void renames(void)
{
	(void)!rename("/tmp/conductd-a", "/tmp/conductd-b");
}

static void becomes_dumpable(void)
{
	(void)!prctl(PR_SET_DUMPABLE, 1);
}

START_TEST(what_a_vault_does_is_let_through)
{
	ck_assert_int_eq(end_of(reads_a_file), 7);
	ck_assert_int_eq(end_of(uses_memory), 7);
}
END_TEST

START_TEST(everything_else_ends_it)
{
	void (*const acts[])(void) = { opens_to_write, opens_to_append,  makes_a_socket,
				       makes_a_pair,   starts_a_program, forks,
				       renames,        becomes_dumpable };

	for (size_t i = 0; i < ARRAY_SIZE(acts); i++)
		ck_assert_msg(end_of(acts[i]) == -SIGSYS, "act %zu", i);
	ck_assert_int_ne(access("/tmp/conductd-must-not-be-there", F_OK), 0);
}
END_TEST

SUITE("app/vault_confine", what_a_vault_does_is_let_through, everything_else_ends_it)
