/*
 * The table of budgets on the shared page. A slot is one word (fingerprint, end, count), so that
 * every change is one compare-and-swap: a process that dies between two instructions leaves nothing
 * half-done, and none can block another. A bucket whose slots are all in use gives up its lowest
 * count, so a flood of new subjects cannot wash out who has used much.
 */

#include "daemon/ipc/budget.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	COUNT_BITS = 24,
	ENDS_BITS = 18, /* minutes, in a circle of 182 days */
	MARK_SHIFT = COUNT_BITS + ENDS_BITS,
	N_BUCKETS = BUDGET_SLOTS / BUDGET_WAYS,
};

/* Named after slots of one word with fingerprint, end and count, and two keys. */
static const uint64_t layout = UINT64_C(0x636f6e6475637401);

static const uint64_t ends_mask = ((uint64_t)1 << ENDS_BITS) - 1;

static uint64_t make_slot(uint64_t hash, uint64_t ends, uint64_t count)
{
	return hash >> MARK_SHIFT << MARK_SHIFT | (ends & ends_mask) << COUNT_BITS | count;
}

static uint32_t count_of(uint64_t slot)
{
	return (uint32_t)(slot & BUDGET_COUNT_MAX);
}

static bool is_over(uint64_t slot, uint64_t now)
{
	uint64_t since = (now - (slot >> COUNT_BITS)) & ends_mask;

	return count_of(slot) == 0 || since < (ends_mask + 1) / 2;
}

static bool is_of(uint64_t slot, uint64_t hash)
{
	return slot >> MARK_SHIFT == hash >> MARK_SHIFT;
}

static size_t bucket_of(uint64_t hash)
{
	return (size_t)(hash % N_BUCKETS) * BUDGET_WAYS;
}

static int table_map(int fd, struct budget_table **ret_table)
{
	struct budget_table *table = mmap(NULL, sizeof(struct budget_table), PROT_READ | PROT_WRITE,
					  MAP_SHARED, fd, 0);

	if (table == MAP_FAILED)
		return -errno;
	*ret_table = table;
	return 0;
}

/* 0 or -errno. */
int budget_table_new(int *ret_fd, struct budget_table **ret_table)
{
	int fd = memfd_create("conductd-budgets", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r = fd < 0 ? -errno : 0;

	/* Sealed: who maps it can rely on its size. */
	if (r == 0 && (ftruncate(fd, sizeof(struct budget_table)) < 0 ||
		       fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0))
		r = -errno;
	if (r == 0)
		r = table_map(fd, ret_table);
	if (r < 0) {
		if (fd >= 0)
			(void)close(fd);
		return r;
	}
	(*ret_table)->layout = layout;
	*ret_fd = fd;
	return 0;
}

/* 0, BUDGET_E_FOREIGN or -errno; the descriptor stays the caller's. */
int budget_table_open(int fd, struct budget_table **ret_table)
{
	struct budget_table *table = NULL;
	struct stat status;
	int seals = fcntl(fd, F_GET_SEALS), r;

	if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(fd, &status) < 0 ||
	    status.st_size != sizeof(struct budget_table))
		return BUDGET_E_FOREIGN;
	r = table_map(fd, &table);
	if (r < 0 || !table)
		return r;
	if (table->layout != layout) {
		budget_table_free(table);
		return BUDGET_E_FOREIGN;
	}
	*ret_table = table;
	return 0;
}

struct budget_table *budget_table_free(struct budget_table *table)
{
	if (table)
		(void)munmap(table, sizeof(*table));
	return NULL;
}

/* 0 or the error of getrandom(2). */
int budget_turn_keys(struct budget_table *table, uint64_t day)
{
	uint64_t words[BUDGET_KEY_SIZE / 8];

	for (uint64_t next = day; next <= day + 1; next++) {
		uint64_t last = atomic_load(&table->next_day);

		if (last >= next)
			continue;
		if (getrandom(words, sizeof(words), 0) != (ssize_t)sizeof(words))
			return -errno;
		for (size_t i = 0; i < ARRAY_SIZE(words); i++)
			atomic_store(&table->keys[next % 2][i], words[i]);
		atomic_store(&table->next_day, next);
	}
	explicit_bzero(words, sizeof(words));
	return 0;
}

void budget_get_key(const struct budget_table *table, uint64_t day,
		    uint8_t ret_key[BUDGET_KEY_SIZE])
{
	for (size_t i = 0; i < BUDGET_KEY_SIZE / 8; i++) {
		uint64_t word = atomic_load(&table->keys[day % 2][i]);

		memcpy(ret_key + i * 8, &word, 8);
	}
}

/* The subject's slot; else *ret_free is the one that is worth least. */
static _Atomic uint64_t *find(struct budget_table *table, uint64_t hash, uint64_t now,
			      uint64_t *ret_slot, _Atomic uint64_t **ret_free)
{
	_Atomic uint64_t *slots = &table->slots[bucket_of(hash)];
	uint32_t least = UINT32_MAX;

	for (size_t i = 0; i < BUDGET_WAYS; i++) {
		uint64_t slot = atomic_load(&slots[i]);
		uint32_t worth = is_over(slot, now) ? 0 : count_of(slot);

		if (worth && is_of(slot, hash)) {
			*ret_slot = slot;
			return &slots[i];
		}
		if (worth < least) {
			least = worth;
			*ret_free = &slots[i];
			*ret_slot = slot;
		}
	}
	return NULL;
}

/**
 * budget_take() - use one of a budget
 * @most: at most BUDGET_COUNT_MAX
 * @ret_used: how many are used now
 *
 * Return: 0 or BUDGET_E_EXHAUSTED.
 */
int budget_take(struct budget_table *table, uint64_t hash, uint32_t most, uint64_t now,
		uint64_t ends, uint32_t *ret_used)
{
	for (;;) {
		_Atomic uint64_t *at, *free_slot = NULL;
		uint64_t slot, next;

		at = find(table, hash, now, &slot, &free_slot);
		if (at && count_of(slot) >= most) {
			*ret_used = count_of(slot);
			return BUDGET_E_EXHAUSTED;
		}
		next = at ? slot + 1 : make_slot(hash, ends, 1);
		if (!atomic_compare_exchange_strong(at ? at : free_slot, &slot, next))
			continue; /* somebody was faster, and so made progress */
		*ret_used = count_of(next);
		return 0;
	}
}

/* 0 for who is not in the table. */
uint32_t budget_used(const struct budget_table *table, uint64_t hash, uint64_t now)
{
	for (size_t i = 0; i < BUDGET_WAYS; i++) {
		uint64_t slot = atomic_load(&table->slots[bucket_of(hash) + i]);

		if (is_of(slot, hash) && !is_over(slot, now))
			return count_of(slot);
	}
	return 0;
}

/* Undoes one use, if it is still counted. */
void budget_give_back(struct budget_table *table, uint64_t hash, uint64_t now)
{
	for (;;) {
		_Atomic uint64_t *at, *ignored = NULL;
		uint64_t slot;

		at = find(table, hash, now, &slot, &ignored);
		if (!at || atomic_compare_exchange_strong(at, &slot, slot - 1))
			return;
	}
}
