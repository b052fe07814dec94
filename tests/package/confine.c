/*
 * confine NAME… -- PROGRAM ARGUMENT…: runs PROGRAM with no other system calls than those named, as
 * systemd's SystemCallFilter= would, but ends whatever makes another one.
 */

#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int i = 1;

	for (; filter && i < argc && strcmp(argv[i], "--") != 0; i++) {
		int number = seccomp_syscall_resolve_name(argv[i]);

		/* systemd's sets name calls of other machines, too. */
		if (number >= 0 && seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0) < 0)
			return 2;
	}
	if (!filter || i + 1 >= argc || seccomp_load(filter) < 0)
		return 2;
	execv(argv[i + 1], &argv[i + 1]);
	perror(argv[i + 1]);
	return 2;
}
