#pragma once
/* Counts of what somebody has used up, shared by all processes: fixed memory, no locks. */

#include <stdatomic.h>

#include "daemon/base/error.h"

enum {
	BUDGET_SLOTS = 1 << 17,
	BUDGET_WAYS = 8,
	BUDGET_COUNT_MAX = (1 << 24) - 1,
	BUDGET_KEY_SIZE = 32,
	BUDGET_MINUTES_A_DAY = 24 * 60,
};

enum { BUDGET_E_EXHAUSTED = 1, BUDGET_E_FOREIGN };

/* Besides the layout all zero is an empty table without keys. A change of what stands in it is one
 * of the layout's name. */
struct budget_table {
	uint64_t layout;
	_Atomic uint64_t slots[BUDGET_SLOTS];
	_Atomic uint64_t keys[2][BUDGET_KEY_SIZE / 8]; /* of even and of odd days */
	_Atomic uint64_t next_day;                     /* the last day that has a key */
};

/* In memory that goes by its descriptor, which is the caller's, to processes that are no forks. */
int budget_table_new(int *ret_fd, struct budget_table **ret_table);
/* Another daemon's; BUDGET_E_FOREIGN: it is none, or of another layout. */
int budget_table_open(int fd, struct budget_table **ret_table);
struct budget_table *budget_table_free(struct budget_table *table); /* takes NULL; NULL */

/* Who calls first on a day makes the key of the next, which wipes that of the day before. */
int budget_turn_keys(struct budget_table *table, uint64_t day);
/* The key of a day, under which subjects are hashed: no table tells who is in it. */
void budget_get_key(const struct budget_table *table, uint64_t day,
		    uint8_t ret_key[BUDGET_KEY_SIZE]);

/* Minutes since 1970. A count begins with the first use and ends at `ends`. `hash` is 64 bits under
 * the day's key. BUDGET_E_EXHAUSTED: `most` were used before. */
int budget_take(struct budget_table *table, uint64_t hash, uint32_t most, uint64_t now,
		uint64_t ends, uint32_t *ret_used);
uint32_t budget_used(const struct budget_table *table, uint64_t hash, uint64_t now);
void budget_give_back(struct budget_table *table, uint64_t hash, uint64_t now);
