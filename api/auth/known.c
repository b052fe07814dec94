/*
 * A table by hash. A signature costs some 45 µs to check and people send the same token with each
 * request; SHA-256 of it costs 2 µs. Only what held is kept, and of it the hash alone.
 */

#include "api/auth/known.h"

#include <string.h>

static size_t slot_of(const uint8_t hash[CRYPTO_SHA256_SIZE])
{
	return ((size_t)hash[0] << 8 | hash[1]) % KNOWN_SIZE;
}

bool known_has(const struct known_tokens *known, const struct issuer *issuer, struct slice text,
	       uint8_t ret_hash[CRYPTO_SHA256_SIZE])
{
	size_t slot;

	if (crypto_sha256(text, ret_hash)) {
		memset(ret_hash, 0, CRYPTO_SHA256_SIZE);
		return false;
	}
	slot = slot_of(ret_hash);
	return known->items[slot].issuer == issuer &&
	       memcmp(known->items[slot].hash, ret_hash, CRYPTO_SHA256_SIZE) == 0;
}

void known_add(struct known_tokens *known, const struct issuer *issuer,
	       const uint8_t hash[CRYPTO_SHA256_SIZE])
{
	static const uint8_t none[CRYPTO_SHA256_SIZE];
	size_t slot = slot_of(hash);

	if (memcmp(hash, none, sizeof(none)) == 0)
		return;
	memcpy(known->items[slot].hash, hash, CRYPTO_SHA256_SIZE);
	known->items[slot].issuer = issuer;
}
