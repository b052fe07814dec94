#pragma once
/*
 * Failures at the seams: the calls of one thread to the allocator, the kernel, libpq and OpenSSL
 * are counted by kind, and the n-th one fails, alone or with all behind it. fault.c stands in front
 * of the allocator and the kernel's calls for the whole process, libraries included; wrap.c in
 * front of libpq and OpenSSL, which only the product's own code calls.
 */

#include "daemon/base/error.h"

enum fault_kind {
	FAULT_NONE,
	FAULT_MEMORY,
	FAULT_KERNEL,
	FAULT_DATABASE,
	FAULT_CRYPTO,
	FAULT_KIND_COUNT
};

/* From here on the calling thread's calls are counted, and its clock can be put forward. */
void fault_watch_thread(void);
void fault_arm(enum fault_kind kind, unsigned n, bool is_persistent);
void fault_disarm(void);
/* Of the last fault_arm(): calls that were made, and how many of them had to fail. */
unsigned fault_count(void);
unsigned fault_count_failed(void);
/* Puts the monotonic clock of the watched thread forward, so that no deadline has to be waited for.
 */
void fault_skip_ms(unsigned ms);
/* Whether this call has to fail. */
bool fault_is_due(enum fault_kind kind);
