/*
 * X25519. Keys are kept by the caller as raw bytes and become objects of OpenSSL for one
 * operation only, so that there is one place, the caller's, from which a private key has to be
 * wiped.
 */

#include "daemon/crypto/x25519.h"
#include "daemon/crypto/internal.h"

#include <string.h>

static void free_key(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void free_key_context(EVP_PKEY_CTX **context)
{
	EVP_PKEY_CTX_free(*context);
}

/* The public key of a private one. Returns 0 or negative. */
int x25519_public(const uint8_t key[X25519_KEY_SIZE], uint8_t ret_public[X25519_KEY_SIZE])
{
	CLEANUP(free_key)
	EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, key, X25519_KEY_SIZE);
	size_t length = X25519_KEY_SIZE;

	if (!pkey || EVP_PKEY_get_raw_public_key(pkey, ret_public, &length) != 1)
		return crypto_failed();
	return 0;
}

/*
 * The secret that both sides agree on. OpenSSL refuses the peer's points of small order, whose
 * result is zero for every private key: X25519_E_POINT. Returns 0, that, or negative.
 */
int x25519_agree(const uint8_t key[X25519_KEY_SIZE], const uint8_t peer[X25519_KEY_SIZE],
		 uint8_t ret_shared[X25519_KEY_SIZE])
{
	CLEANUP(free_key)
	EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, key, X25519_KEY_SIZE);
	CLEANUP(free_key)
	EVP_PKEY *other = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, peer, X25519_KEY_SIZE);
	CLEANUP(free_key_context)
	EVP_PKEY_CTX *context = own && other ? EVP_PKEY_CTX_new(own, NULL) : NULL;
	uint8_t shared[X25519_KEY_SIZE] = { 0 };
	size_t length = sizeof(shared);
	int r = 0;

	if (!context || EVP_PKEY_derive_init(context) != 1 ||
	    EVP_PKEY_derive_set_peer(context, other) != 1)
		return crypto_failed();
	if (EVP_PKEY_derive(context, shared, &length) != 1) {
		r = crypto_failed();
		r = r == -ENOMEM ? r : X25519_E_POINT;
	}
	if (r == 0)
		memcpy(ret_shared, shared, sizeof(shared));
	crypto_wipe(shared, sizeof(shared));
	return r;
}
