/* Unit keys, and the numbers of what is sealed under them. */

#include "daemon/keys/place.h"
#include "daemon/crypto/crypto.h"

#include <string.h>

/* A fresh random key of a unit. Returns 0 or negative. */
int unit_key_new(const uint8_t unit_id[KEYS_ID_SIZE], uint32_t generation, struct unit_key *ret_key)
{
	int r = crypto_random(ret_key->bytes, sizeof(ret_key->bytes));

	if (r)
		return r;
	memcpy(ret_key->unit_id, unit_id, KEYS_ID_SIZE);
	ret_key->generation = generation;
	return 0;
}

/*
 * HKDF(unit key, "conductd channel 1" || unit || generation || party). From the channel's key
 * nobody comes back to the unit's. Returns 0 or negative.
 */
int unit_key_derive_channel(const struct unit_key *unit, const uint8_t party_id[KEYS_ID_SIZE],
			    struct unit_key *ret_key)
{
	static const char label[] = "conductd channel 1";
	uint8_t info[sizeof(label) - 1 + 2 * KEYS_ID_SIZE + 4], *at = info;

	memcpy(at, label, sizeof(label) - 1);
	at += sizeof(label) - 1;
	memcpy(at, unit->unit_id, KEYS_ID_SIZE);
	at += KEYS_ID_SIZE;
	place_put_u32(at, unit->generation);
	memcpy(at + 4, party_id, KEYS_ID_SIZE);
	memcpy(ret_key->unit_id, unit->unit_id, KEYS_ID_SIZE);
	ret_key->generation = unit->generation;
	return crypto_hkdf_sha256((struct slice){ (const char *)unit->bytes, KEYS_KEY_SIZE },
				  (struct slice){ "", 0 },
				  (struct slice){ (const char *)info, sizeof(info) },
				  ret_key->bytes, sizeof(ret_key->bytes));
}

/* Overwrites the key. */
void unit_key_deinit(struct unit_key *key)
{
	crypto_wipe(key, sizeof(*key));
}

void place_put_u32(uint8_t *ret_bytes, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		ret_bytes[i] = (uint8_t)(value >> (24 - 8 * i));
}

void place_put_u64(uint8_t *ret_bytes, uint64_t value)
{
	place_put_u32(ret_bytes, (uint32_t)(value >> 32));
	place_put_u32(ret_bytes + 4, (uint32_t)value);
}

uint32_t place_get_u32(const void *bytes)
{
	const uint8_t *at = bytes;

	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

uint64_t place_get_u64(const void *bytes)
{
	return (uint64_t)place_get_u32(bytes) << 32 | place_get_u32((const uint8_t *)bytes + 4);
}
