#pragma once
/* SHA-256 of what comes piece by piece. */

#include "daemon/crypto/crypto.h"

struct crypto_hash;

int crypto_hash_new(struct crypto_hash **ret_hash);
struct crypto_hash *crypto_hash_free(struct crypto_hash *hash);
int crypto_hash_feed(struct crypto_hash *hash, struct slice bytes);
/* Once, and nothing is fed after. */
int crypto_hash_finish(struct crypto_hash *hash, uint8_t ret_hash[CRYPTO_SHA256_SIZE]);
