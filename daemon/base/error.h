#pragma once
/*
 * Two kinds of failure, never mixed. A negative return is a broken machine or a bug (-errno):
 * it travels up untouched. A positive return is a documented outcome of that one function,
 * handled by its direct caller. Zero is success.
 *
 * Memory may run out at any call. Nothing aborts and nothing is left out for it: the function
 * returns -ENOMEM (a builder NULL), its caller frees what it has and passes it up, and the request
 * is answered 503, or closed where even that needs memory. It never reads as a refusal, and never
 * as success: an answer that cannot be told of something stored says that the outcome is unknown,
 * and the Idempotency-Key gives it again. What has to go on by itself (a timer, a connection to be
 * opened) is tried again. OpenSSL does not always tell why it failed; that is 500.
 */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define CLEANUP(function) __attribute__((cleanup(function)))
#define PRINTF(template, first) __attribute__((__format__(__printf__, template, first)))

/* Text that is borrowed and not terminated. */
struct slice {
	const char *at;
	size_t length;
};
