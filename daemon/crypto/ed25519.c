/*
 * Ed25519 over EVP. Keys are the raw 32 bytes of RFC 8032, so that they fit into key files and
 * notes without another encoding.
 */

#include "daemon/crypto/ed25519.h"
#include "daemon/crypto/internal.h"

#include <string.h>

static void free_key(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void free_context(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}

static const unsigned char *bytes_of(struct slice text)
{
	return (const unsigned char *)(text.length ? text.at : "");
}

/* A new secret key: 32 random bytes are one. Returns 0 or negative. */
int ed25519_generate(uint8_t ret_secret[ED25519_KEY_SIZE])
{
	return crypto_random(ret_secret, ED25519_KEY_SIZE);
}

/* The public key of a secret one. Returns 0 or negative. */
int ed25519_get_public(const uint8_t secret[ED25519_KEY_SIZE], uint8_t ret_public[ED25519_KEY_SIZE])
{
	CLEANUP(free_key)
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret,
						     ED25519_KEY_SIZE);
	uint8_t bytes[ED25519_KEY_SIZE];
	size_t length = sizeof(bytes);

	if (!key || EVP_PKEY_get_raw_public_key(key, bytes, &length) != 1 ||
	    length != sizeof(bytes))
		return crypto_failed();
	memcpy(ret_public, bytes, sizeof(bytes));
	return 0;
}

/* Signs a message. Returns 0 or negative. */
int ed25519_sign(const uint8_t secret[ED25519_KEY_SIZE], struct slice message,
		 uint8_t ret_signature[ED25519_SIGNATURE_SIZE])
{
	CLEANUP(free_key)
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret,
						     ED25519_KEY_SIZE);
	CLEANUP(free_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t bytes[ED25519_SIGNATURE_SIZE];
	size_t length = sizeof(bytes);

	if (!key || !context || EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
	    EVP_DigestSign(context, bytes, &length, bytes_of(message), message.length) != 1 ||
	    length != sizeof(bytes))
		return crypto_failed();
	memcpy(ret_signature, bytes, sizeof(bytes));
	return 0;
}

/* Returns 0, ED25519_E_SIGNATURE (a key that is no point included), or negative. */
int ed25519_verify(const uint8_t key[ED25519_KEY_SIZE], struct slice message,
		   const uint8_t signature[ED25519_SIGNATURE_SIZE])
{
	CLEANUP(free_key)
	EVP_PKEY *public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key,
						       ED25519_KEY_SIZE);
	CLEANUP(free_context) EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (!public || !context || EVP_DigestVerifyInit(context, NULL, NULL, NULL, public) != 1)
		return crypto_failed();
	if (EVP_DigestVerify(context, signature, ED25519_SIGNATURE_SIZE, bytes_of(message),
			     message.length) != 1) {
		(void)crypto_failed();
		return ED25519_E_SIGNATURE;
	}
	return 0;
}
