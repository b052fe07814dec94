/*
 * AES-256-GCM with a random nonce: a key seals far fewer texts than the 2^32 that SP 800-38D
 * section 8.3 allows for 96-bit random nonces.
 */

#include "daemon/crypto/seal.h"
#include "daemon/crypto/internal.h"

#include <string.h>

static struct gcm gcm_of(const uint8_t *key, const void *nonce)
{
	return (struct gcm){ .cipher = EVP_aes_256_gcm(), .key = key, .nonce = nonce };
}

/* Encrypts and authenticates. Returns 0, -EINVAL for too long a text, or negative. */
int crypto_seal(const uint8_t key[SEAL_KEY_SIZE], struct slice context, struct slice text,
		void *ret_sealed)
{
	struct gcm gcm = gcm_of(key, ret_sealed);
	int r;

	if (text.length > SEAL_TEXT_MAX || context.length > SEAL_TEXT_MAX)
		return -EINVAL;
	r = crypto_random(ret_sealed, SEAL_NONCE_SIZE);
	return r ? r : gcm_seal(&gcm, context, text, (char *)ret_sealed + SEAL_NONCE_SIZE);
}

/* Decrypts. Returns 0, SEAL_E_BROKEN, or negative. */
int crypto_open(const uint8_t key[SEAL_KEY_SIZE], struct slice context, struct slice sealed,
		void *ret_text)
{
	struct gcm gcm = gcm_of(key, sealed.at);
	int r;

	if (sealed.length < SEAL_OVERHEAD || sealed.length > SEAL_TEXT_MAX + SEAL_OVERHEAD)
		return SEAL_E_BROKEN;
	if (context.length > SEAL_TEXT_MAX)
		return -EINVAL;
	sealed = (struct slice){ sealed.at + SEAL_NONCE_SIZE, sealed.length - SEAL_NONCE_SIZE };
	r = gcm_open(&gcm, context, sealed, ret_text);
	return r > 0 ? SEAL_E_BROKEN : r;
}
