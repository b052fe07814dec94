/* SHA-256 over EVP, for what is too long to be held. */

#include "daemon/crypto/hash.h"
#include "daemon/crypto/internal.h"

#include <stdlib.h>
#include <string.h>

struct crypto_hash {
	EVP_MD_CTX *context;
};

/* Return: 0, or negative where memory or the algorithm is missing. */
int crypto_hash_new(struct crypto_hash **ret_hash)
{
	struct crypto_hash *hash = calloc(1, sizeof(*hash));

	if (!hash)
		return -ENOMEM;
	hash->context = EVP_MD_CTX_new();
	if (!hash->context || EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL) != 1) {
		crypto_hash_free(hash);
		return crypto_failed();
	}
	*ret_hash = hash;
	return 0;
}

/* Takes NULL; returns NULL. */
struct crypto_hash *crypto_hash_free(struct crypto_hash *hash)
{
	if (hash)
		EVP_MD_CTX_free(hash->context);
	free(hash);
	return NULL;
}

int crypto_hash_feed(struct crypto_hash *hash, struct slice bytes)
{
	return EVP_DigestUpdate(hash->context, bytes.at, bytes.length) == 1 ? 0 : crypto_failed();
}

int crypto_hash_finish(struct crypto_hash *hash, uint8_t ret_hash[CRYPTO_SHA256_SIZE])
{
	uint8_t bytes[CRYPTO_SHA256_SIZE];

	if (EVP_DigestFinal_ex(hash->context, bytes, NULL) != 1)
		return crypto_failed();
	memcpy(ret_hash, bytes, sizeof(bytes));
	return 0;
}
