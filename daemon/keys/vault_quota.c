/*
 * Exact sets of what was opened within the hour, in the order in which it was: the oldest falls out
 * first. The vault cannot know which case a unit belongs to and takes web's word for it; the units
 * themselves are authenticated, so they are counted too, and a process that was taken over and
 * calls everything one case still gets no further than a fixed multiple of the quota.
 */

#include "daemon/keys/vault_quota.h"
#include "daemon/crypto/crypto.h"

#include <stdlib.h>
#include <string.h>

enum {
	KEY_SIZE = 2 * KEYS_ID_SIZE,
	PAIRS_PER_CASE = 4, /* room for so many people at each case of the host, on average */
	NONE = -1,
};

struct entry {
	int64_t at_ms;
	uint8_t key[KEY_SIZE];
	int32_t next; /* in the chain of its hash */
};

/* A ring of entries, the oldest at `first`, found by chains. */
struct set {
	struct entry *entries;
	int32_t *heads; /* as many as entries */
	size_t capacity;
	size_t first;
	size_t n;
};

struct vault_quota {
	struct vault_quota_limits limits;
	uint8_t hash_key[CRYPTO_SHA256_SIZE];
	struct set pairs; /* person and case */
	struct set cases; /* of all people */
	struct set units;
	struct set system; /* units that the daemon itself opened */
};

static int set_init(struct set *set, size_t capacity)
{
	*set = (struct set){ .capacity = capacity };
	set->entries = calloc(capacity, sizeof(*set->entries));
	set->heads = malloc(capacity * sizeof(*set->heads));
	if (!set->entries || !set->heads)
		return -ENOMEM;
	for (size_t i = 0; i < capacity; i++)
		set->heads[i] = NONE;
	return 0;
}

static void set_deinit(struct set *set)
{
	free(set->entries);
	free(set->heads);
}

/* Keyed, so that nobody chooses ids that meet in one chain. */
static size_t hash_of(const struct vault_quota *quota, const uint8_t key[KEY_SIZE])
{
	uint64_t hash = 0, word, secret;

	for (size_t i = 0; i < KEY_SIZE; i += sizeof(word)) {
		memcpy(&word, key + i, sizeof(word));
		memcpy(&secret, quota->hash_key + i, sizeof(secret));
		hash = (hash ^ word ^ secret) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 29;
	}
	return (size_t)hash;
}

static int32_t *chain_of(const struct vault_quota *quota, const struct set *set,
			 const uint8_t key[KEY_SIZE])
{
	return &set->heads[hash_of(quota, key) % set->capacity];
}

static bool set_has(const struct vault_quota *quota, const struct set *set,
		    const uint8_t key[KEY_SIZE])
{
	for (int32_t at = *chain_of(quota, set, key); at != NONE; at = set->entries[at].next)
		if (memcmp(set->entries[at].key, key, KEY_SIZE) == 0)
			return true;
	return false;
}

/* There is room. */
static void set_add(const struct vault_quota *quota, struct set *set, int64_t now_ms,
		    const uint8_t key[KEY_SIZE])
{
	size_t at = (set->first + set->n) % set->capacity;
	int32_t *head = chain_of(quota, set, key);

	set->entries[at] = (struct entry){ .at_ms = now_ms, .next = *head };
	memcpy(set->entries[at].key, key, KEY_SIZE);
	*head = (int32_t)at;
	set->n++;
}

/* Forgets what is older than the window. */
static void set_expire(const struct vault_quota *quota, struct set *set, int64_t now_ms)
{
	while (set->n > 0 &&
	       now_ms - set->entries[set->first].at_ms >= (int64_t)VAULT_QUOTA_WINDOW_MS) {
		int32_t *link = chain_of(quota, set, set->entries[set->first].key);

		while (*link != (int32_t)set->first)
			link = &set->entries[*link].next;
		*link = set->entries[set->first].next;
		set->first = (set->first + 1) % set->capacity;
		set->n--;
	}
}

/* The limits are at least 1. Returns 0 or negative. */
int vault_quota_new(const struct vault_quota_limits *limits, struct vault_quota **ret_quota)
{
	struct vault_quota *quota = calloc(1, sizeof(*quota));
	size_t n_cases = limits->cases_host;
	int r;

	if (!quota)
		return -ENOMEM;
	quota->limits = *limits;
	r = crypto_random(quota->hash_key, sizeof(quota->hash_key));
	if (r == 0)
		r = set_init(&quota->pairs, PAIRS_PER_CASE * n_cases);
	if (r == 0)
		r = set_init(&quota->cases, n_cases);
	if (r == 0)
		r = set_init(&quota->units, VAULT_QUOTA_UNITS_PER_CASE * n_cases);
	if (r == 0)
		r = set_init(&quota->system, VAULT_QUOTA_UNITS_PER_CASE * n_cases);
	if (r < 0) {
		vault_quota_free(quota);
		return r;
	}
	*ret_quota = quota;
	return 0;
}

struct vault_quota *vault_quota_free(struct vault_quota *quota)
{
	if (quota) {
		set_deinit(&quota->pairs);
		set_deinit(&quota->cases);
		set_deinit(&quota->units);
		set_deinit(&quota->system);
	}
	free(quota);
	return NULL;
}

/* Seconds until an entry falls out, at least 1. */
static uint32_t wait_of(const struct entry *entry, int64_t now_ms)
{
	int64_t left_ms = entry->at_ms + VAULT_QUOTA_WINDOW_MS - now_ms;

	return left_ms <= 1000 ? 1 : (uint32_t)((left_ms + 999) / 1000);
}

/* Of a person: the oldest, or NULL, and how many. The ring is looked through only for a case that
 * is new. */
static const struct entry *find_oldest(const struct set *pairs, const uint8_t *person,
				       size_t *ret_n)
{
	const struct entry *oldest = NULL;
	size_t n = 0;

	for (size_t i = pairs->n; i-- > 0;) {
		const struct entry *entry = &pairs->entries[(pairs->first + i) % pairs->capacity];

		if (memcmp(entry->key, person, KEYS_ID_SIZE) == 0) {
			oldest = entry;
			n++;
		}
	}
	*ret_n = n;
	return oldest;
}

/* The oldest of a set says when there is room again; an empty one has never been too small. */
static uint32_t wait_of_set(const struct set *set, int64_t now_ms)
{
	return set->n ? wait_of(&set->entries[set->first], now_ms) : 1;
}

static void key_of(const uint8_t *first, const uint8_t *second, uint8_t ret_key[KEY_SIZE])
{
	memset(ret_key, 0, KEY_SIZE);
	if (first)
		memcpy(ret_key, first, KEYS_ID_SIZE);
	memcpy(ret_key + KEYS_ID_SIZE, second, KEYS_ID_SIZE);
}

/* Units of the request that were not opened within the hour; one that is named twice counts twice.
 */
static size_t count_new_units(const struct vault_quota *quota, const struct set *units,
			      const uint8_t (*unit_ids)[KEYS_ID_SIZE], size_t n_units)
{
	uint8_t key[KEY_SIZE];
	size_t n = 0;

	for (size_t i = 0; i < n_units; i++) {
		key_of(NULL, unit_ids[i], key);
		n += !set_has(quota, units, key);
	}
	return n;
}

static void add_units(const struct vault_quota *quota, struct set *units, int64_t now_ms,
		      const uint8_t (*unit_ids)[KEYS_ID_SIZE], size_t n_units)
{
	uint8_t key[KEY_SIZE];

	for (size_t i = 0; i < n_units; i++) {
		key_of(NULL, unit_ids[i], key);
		if (!set_has(quota, units, key))
			set_add(quota, units, now_ms, key);
	}
}

/* It reads words of many cases at once, none of whose case it says: its units are counted. */
static int take_system(struct vault_quota *quota, int64_t now_ms,
		       const uint8_t (*unit_ids)[KEYS_ID_SIZE], size_t n_units,
		       uint32_t *ret_retry_after_s)
{
	struct set *system = &quota->system;

	if (system->n + count_new_units(quota, system, unit_ids, n_units) > system->capacity) {
		*ret_retry_after_s = wait_of_set(system, now_ms);
		return VAULT_QUOTA_E_HOST;
	}
	add_units(quota, system, now_ms, unit_ids, n_units);
	return 0;
}

static int check_host(const struct vault_quota *quota, int64_t now_ms, bool is_new_case,
		      size_t n_new_units, uint32_t *ret_retry_after_s)
{
	if (is_new_case && quota->cases.n == quota->cases.capacity) {
		*ret_retry_after_s = wait_of_set(&quota->cases, now_ms);
		return VAULT_QUOTA_E_HOST;
	}
	if (quota->units.n + n_new_units > quota->units.capacity) {
		*ret_retry_after_s = wait_of_set(&quota->units, now_ms);
		return VAULT_QUOTA_E_HOST;
	}
	return 0;
}

static int check_person(const struct vault_quota *quota, int64_t now_ms, const uint8_t *person,
			uint32_t *ret_retry_after_s)
{
	size_t n;
	const struct entry *oldest = find_oldest(&quota->pairs, person, &n);

	if (oldest && n >= quota->limits.cases_person) {
		*ret_retry_after_s = wait_of(oldest, now_ms);
		return VAULT_QUOTA_E_PERSON;
	}
	if (quota->pairs.n == quota->pairs.capacity) {
		*ret_retry_after_s = wait_of_set(&quota->pairs, now_ms);
		return VAULT_QUOTA_E_HOST;
	}
	return 0;
}

static void expire(struct vault_quota *quota, int64_t now_ms)
{
	set_expire(quota, &quota->pairs, now_ms);
	set_expire(quota, &quota->cases, now_ms);
	set_expire(quota, &quota->units, now_ms);
	set_expire(quota, &quota->system, now_ms);
}

/* Returns 0, VAULT_QUOTA_E_PERSON or VAULT_QUOTA_E_HOST. */
int vault_quota_take(struct vault_quota *quota, int64_t now_ms, const uint8_t person[KEYS_ID_SIZE],
		     const uint8_t case_id[KEYS_ID_SIZE], const uint8_t (*unit_ids)[KEYS_ID_SIZE],
		     size_t n_units, uint32_t *ret_retry_after_s)
{
	static const uint8_t nobody[KEYS_ID_SIZE];
	uint8_t pair[KEY_SIZE], of_case[KEY_SIZE];
	bool is_new_pair, is_new_case;
	int r;

	expire(quota, now_ms);
	key_of(person, case_id, pair);
	key_of(NULL, case_id, of_case);
	if (memcmp(person, nobody, KEYS_ID_SIZE) == 0)
		return take_system(quota, now_ms, unit_ids, n_units, ret_retry_after_s);
	is_new_pair = !set_has(quota, &quota->pairs, pair);
	is_new_case = !set_has(quota, &quota->cases, of_case);
	r = is_new_pair ? check_person(quota, now_ms, person, ret_retry_after_s) : 0;
	if (r == 0)
		r = check_host(quota, now_ms, is_new_case,
			       count_new_units(quota, &quota->units, unit_ids, n_units),
			       ret_retry_after_s);
	if (r)
		return r;
	if (is_new_pair)
		set_add(quota, &quota->pairs, now_ms, pair);
	if (is_new_case)
		set_add(quota, &quota->cases, now_ms, of_case);
	add_units(quota, &quota->units, now_ms, unit_ids, n_units);
	return 0;
}
