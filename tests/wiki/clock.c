/*
 * Loaded into the daemon by LD_PRELOAD: the monotonic clock of its processes runs ahead by the
 * seconds that stand in the file CONDUCTD_CLOCK, so that no test waits until what is remembered is
 * forgotten. The parent keeps the real one: it would take its children for stuck.
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *ahead_s;
static pid_t parent;

__attribute__((constructor)) static void clock_open(void)
{
	const char *path = getenv("CONDUCTD_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*ahead_s), PROT_READ, MAP_SHARED, fd, 0);

	/* A daemon that ran with the real clock would make the tests lie. */
	if (at == MAP_FAILED)
		abort();
	close(fd);
	ahead_s = at;
	parent = getpid();
}

int clock_gettime(clockid_t clock_id, struct timespec *tp)
{
	int r = (int)syscall(SYS_clock_gettime, clock_id, tp);

	if (r == 0 && ahead_s && getpid() != parent &&
	    (clock_id == CLOCK_MONOTONIC || clock_id == CLOCK_MONOTONIC_COARSE ||
	     clock_id == CLOCK_MONOTONIC_RAW))
		tp->tv_sec += *ahead_s;
	return r;
}
