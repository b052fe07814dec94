#pragma once
/* What a sealed value belongs to. It is authenticated with the value and not kept beside it, so a
 * value that was moved elsewhere does not open. */

#include "daemon/base/error.h"

enum { KEYS_ID_SIZE = 16, KEYS_KEY_SIZE = 32 };

/* The key of a unit: one for each generation. */
struct unit_key {
	uint8_t unit_id[KEYS_ID_SIZE];
	uint32_t generation; /* from 1 */
	uint8_t bytes[KEYS_KEY_SIZE];
};

int unit_key_new(const uint8_t unit_id[KEYS_ID_SIZE], uint32_t generation,
		 struct unit_key *ret_key);
/* The key of one party's channel in a unit: who has it reads that channel and nothing else. */
int unit_key_derive_channel(const struct unit_key *unit, const uint8_t party_id[KEYS_ID_SIZE],
			    struct unit_key *ret_key);
void unit_key_deinit(struct unit_key *key); /* wipes it; usable with CLEANUP() */

/* Numbers in what is kept are in network order. */
void place_put_u32(uint8_t *ret_bytes, uint32_t value);
void place_put_u64(uint8_t *ret_bytes, uint64_t value);
uint32_t place_get_u32(const void *bytes);
uint64_t place_get_u64(const void *bytes);
