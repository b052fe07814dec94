#pragma once
/*
 * Two kinds of failure, never mixed. A negative return is a broken machine or a bug (-errno):
 * it travels up untouched. A positive return is a documented outcome of that one function,
 * handled by its direct caller. Zero is success.
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
