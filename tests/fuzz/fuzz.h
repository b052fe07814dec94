#pragma once
/*
 * What fuzz targets share. A target is one file with LLVMFuzzerTestOneInput(), which states what
 * holds for every input, and sometimes a mutator of its own. clang links it with libFuzzer; any
 * compiler links it with replay.c, which runs committed inputs and lets allocations fail.
 */

#include "daemon/base/error.h"

#include <stdbool.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t size_max, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t size_max);

/* Whether an allocation has been made to fail during this input: then every reader may give up with
 * a negative return, and the properties of its results do not apply. */
bool fuzz_has_fault(void);

_Noreturn void fuzz_fail(const char *property, const char *file, int line);

/* Aborts unless the property holds. */
#define PROPERTY(condition)                                             \
	do {                                                            \
		if (!(condition))                                       \
			fuzz_fail(#condition, __FILE_NAME__, __LINE__); \
	} while (0)

/* Leaves the target when a reader is out of memory, which only a fault may bring about. */
#define NOT_NEGATIVE(r, label)                      \
	do {                                        \
		if ((r) < 0) {                      \
			PROPERTY(fuzz_has_fault()); \
			goto label;                 \
		}                                   \
	} while (0)

/* Plain text on one line, as every message of a reader has to be. */
bool fuzz_is_line(const char *text);
/* A number that follows from the bytes, to choose by without spending any of them. */
uint32_t fuzz_hash(const uint8_t *bytes, size_t size);
