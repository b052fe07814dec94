/* Counts and fails the calls to the allocator and the kernel; see fault.h. */

#include "tests/inject/fault.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static _Thread_local bool is_watched;
static atomic_uint armed_kind, n_calls, failing, n_failed;
static atomic_bool persists;
static atomic_llong skipped_ms;

/* AddressSanitizer's. */
void *__interceptor_malloc(size_t size);
void *__interceptor_calloc(size_t n, size_t size);
void *__interceptor_realloc(void *at, size_t size);
int __interceptor_clock_gettime(clockid_t clock, struct timespec *ret_time);

void fault_watch_thread(void)
{
	is_watched = true;
}

void fault_arm(enum fault_kind kind, unsigned n, bool is_persistent)
{
	atomic_store(&n_calls, 0);
	atomic_store(&n_failed, 0);
	atomic_store(&failing, n);
	atomic_store(&persists, is_persistent);
	atomic_store(&armed_kind, kind);
}

void fault_disarm(void)
{
	atomic_store(&armed_kind, FAULT_NONE);
}

unsigned fault_count(void)
{
	return atomic_load(&n_calls);
}

unsigned fault_count_failed(void)
{
	return atomic_load(&n_failed);
}

void fault_skip_ms(unsigned ms)
{
	atomic_fetch_add(&skipped_ms, ms);
}

bool fault_is_due(enum fault_kind kind)
{
	unsigned n;

	if (!is_watched || atomic_load(&armed_kind) != kind)
		return false;
	n = atomic_fetch_add(&n_calls, 1) + 1;
	if (n < atomic_load(&failing) || (n > atomic_load(&failing) && !atomic_load(&persists)))
		return false;
	atomic_fetch_add(&n_failed, 1);
	return true;
}

static bool is_out_of_memory(void)
{
	if (!fault_is_due(FAULT_MEMORY))
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return is_out_of_memory() ? NULL : __interceptor_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return is_out_of_memory() ? NULL : __interceptor_calloc(n, size);
}

void *realloc(void *at, size_t size)
{
	return is_out_of_memory() ? NULL : __interceptor_realloc(at, size);
}

/* AddressSanitizer's own do not come by malloc(). */
char *strndup(const char *text, size_t size)
{
	size_t length = strnlen(text, size);
	char *copy = malloc(length + 1);

	if (!copy)
		return NULL;
	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

char *strdup(const char *text)
{
	return strndup(text, strlen(text));
}

int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	int r = __interceptor_clock_gettime(clock, ret_time);

	if (is_watched && (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE))
		ret_time->tv_sec += atomic_load(&skipped_ms) / 1000;
	return r;
}

/* The next definition of a function: AddressSanitizer's, or the C library's. It can fail when
 * `condition` holds. */
#define SEAM(result, name, condition, error, parameters, arguments)        \
	result name parameters                                             \
	{                                                                  \
		static result(*next) parameters;                           \
                                                                           \
		if (!next)                                                 \
			*(void **)(void *)&next = dlsym(RTLD_NEXT, #name); \
		if ((condition) && fault_is_due(FAULT_KERNEL)) {           \
			errno = (error);                                   \
			return -1;                                         \
		}                                                          \
		return next arguments;                                     \
	}

SEAM(ssize_t, read, true, EIO, (int fd, void *bytes, size_t size), (fd, bytes, size))
SEAM(ssize_t, readv, true, ECONNRESET, (int fd, const struct iovec *parts, int n), (fd, parts, n))
SEAM(ssize_t, recv, true, ECONNRESET, (int fd, void *bytes, size_t size, int flags),
     (fd, bytes, size, flags))
SEAM(ssize_t, write, true, EIO, (int fd, const void *bytes, size_t size), (fd, bytes, size))
SEAM(ssize_t, writev, true, EPIPE, (int fd, const struct iovec *parts, int n), (fd, parts, n))
SEAM(ssize_t, send, true, EPIPE, (int fd, const void *bytes, size_t size, int flags),
     (fd, bytes, size, flags))
SEAM(int, accept4, true, EMFILE, (int fd, struct sockaddr *name, socklen_t *length, int flags),
     (fd, name, length, flags))
SEAM(int, epoll_ctl, what != EPOLL_CTL_DEL, ENOMEM,
     (int fd, int what, int watched, struct epoll_event *event), (fd, what, watched, event))
SEAM(ssize_t, getrandom, true, EIO, (void *bytes, size_t size, unsigned flags),
     (bytes, size, flags))
