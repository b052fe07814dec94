#pragma once
/*
 * How many distinct cases were opened within the last hour: by each person and by the host. Whoever
 * reads a case again, or reads on in it, uses nothing up.
 */

#include "daemon/keys/place.h"

struct vault_quota;

enum {
	VAULT_QUOTA_WINDOW_MS = 3600 * 1000,
	VAULT_QUOTA_UNITS_PER_CASE = 4, /* so many units count as one case more, whatever they are
					   said to belong to */
};

struct vault_quota_limits {
	unsigned cases_person;
	unsigned cases_host;
};

enum {
	VAULT_QUOTA_E_PERSON = 1,
	VAULT_QUOTA_E_HOST, /* or no room to count in */
};

int vault_quota_new(const struct vault_quota_limits *limits, struct vault_quota **ret_quota);
struct vault_quota *vault_quota_free(struct vault_quota *quota);
/* Counts what is new. *ret_retry_after_s is set when refused; nothing is counted then. The zero
 * person is the daemon itself, which says of no case that it is one: it has a quota of its own, of
 * as many units as the host's. now_ms: monotonic. */
int vault_quota_take(struct vault_quota *quota, int64_t now_ms, const uint8_t person[KEYS_ID_SIZE],
		     const uint8_t case_id[KEYS_ID_SIZE], const uint8_t (*unit_ids)[KEYS_ID_SIZE],
		     size_t n_units, uint32_t *ret_retry_after_s);
