#pragma once
/* Tokens whose signature has been checked: the same bytes under the same keys are not checked
 * again. What changes with time, and what the wiki says, is. */

#include "daemon/crypto/crypto.h"

enum { KNOWN_SIZE = 1024 }; /* tokens; one that falls into another's place replaces it */

struct issuer;

/* {0} knows none. Lives and ends with the issuers' keys. */
struct known_tokens {
	struct {
		uint8_t hash[CRYPTO_SHA256_SIZE];
		const struct issuer *issuer; /* NULL: nothing here */
	} items[KNOWN_SIZE];
};

/* ret_hash is for known_add(); false also when it could not be made. */
bool known_has(const struct known_tokens *known, const struct issuer *issuer, struct slice text,
	       uint8_t ret_hash[CRYPTO_SHA256_SIZE]);
void known_add(struct known_tokens *known, const struct issuer *issuer,
	       const uint8_t hash[CRYPTO_SHA256_SIZE]);
