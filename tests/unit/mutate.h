#pragma once
/* Mutants of sealed bytes from a printed seed: flipped, overwritten, cut, grown, spliced with
 * others. */

#include "tests/unit/suite.h"

#include <time.h>

struct mutator {
	uint64_t state;
	unsigned long n_mutants;
};

static inline uint64_t mutate_next(struct mutator *mutator)
{
	/* xorshift64* (Vigna 2016). */
	mutator->state ^= mutator->state >> 12;
	mutator->state ^= mutator->state << 25;
	mutator->state ^= mutator->state >> 27;
	return mutator->state * 2685821657736338717u;
}

static inline size_t mutate_below(struct mutator *mutator, size_t limit)
{
	ck_assert_uint_gt(limit, 0);
	return limit ? (size_t)(mutate_next(mutator) >> 16) % limit : 0;
}

/* How many mutants a test makes: the whole count under EFFORT=full, else a tenth. SEED repeats a
 * run. */
static inline unsigned long mutate_count(unsigned long whole)
{
	const char *effort = getenv("EFFORT");

	return effort && strcmp(effort, "full") == 0 ? whole : whole / 10;
}

static inline struct mutator mutate_start(const char *name)
{
	const char *given = getenv("SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * 2654435761u;
	struct mutator mutator = { .state = seed | 1 };

	printf("note: %s: seed %llu\n", name, (unsigned long long)seed);
	return mutator;
}

/* What the run's log shows even when all passes. */
static inline void mutate_note(const struct mutator *mutator, const char *name,
			       unsigned long n_taken)
{
	printf("note: %s: %lu mutants, %lu taken\n", name, mutator->n_mutants, n_taken);
}

/*
 * Writes a mutant of `whole` into ret_bytes, which has room for whole.length + 64; `other` is
 * sealed text of the same kind to splice with. Never the original itself.
 */
static inline struct slice mutate(struct mutator *mutator, struct slice whole, struct slice other,
				  char *ret_bytes)
{
	size_t length = whole.length, at, n;

	memcpy(ret_bytes, whole.at, length);
	mutator->n_mutants++;
	switch (mutate_below(mutator, 6)) {
	case 0:
		at = mutate_below(mutator, length);
		ret_bytes[at] = (char)(ret_bytes[at] ^ (1 << mutate_below(mutator, 8)));
		break;
	case 1:
		for (n = 1 + mutate_below(mutator, 8); n > 0; n--)
			ret_bytes[mutate_below(mutator, length)] = (char)mutate_next(mutator);
		break;
	case 2:
		length = mutate_below(mutator, length);
		break;
	case 3:
		for (n = 1 + mutate_below(mutator, 63); n > 0; n--)
			ret_bytes[length++] = (char)mutate_next(mutator);
		break;
	case 4:
		at = mutate_below(mutator, length < other.length ? length : other.length);
		length = other.length;
		memcpy(ret_bytes + at, other.at + at, length - at);
		break;
	default: {
		size_t size = 1 + mutate_below(mutator, length / 2);
		size_t from = mutate_below(mutator, length - size);

		at = mutate_below(mutator, length - size);
		memmove(ret_bytes + at, whole.at + from, size);
	}
	}
	if (length && ((length == whole.length && memcmp(ret_bytes, whole.at, length) == 0) ||
		       (length == other.length && memcmp(ret_bytes, other.at, length) == 0)))
		ret_bytes[mutate_below(mutator, length)] ^= 0x40;
	return (struct slice){ ret_bytes, length };
}
