/*
 * AES-256-GCM over EVP. The nonce is random: a key seals a handful of texts, far below the 2^32
 * that SP 800-38D section 8.3 allows for 96-bit random nonces.
 */

#include "daemon/crypto/seal.h"
#include "daemon/crypto/internal.h"

#include <string.h>

static void free_context(EVP_CIPHER_CTX **context)
{
	EVP_CIPHER_CTX_free(*context);
}

static const unsigned char *bytes_of(struct slice text)
{
	return (const unsigned char *)(text.length ? text.at : "");
}

/* Encrypts and authenticates. Returns 0, -EINVAL for too long a text, or negative. */
int crypto_seal(const uint8_t key[SEAL_KEY_SIZE], struct slice context, struct slice text,
		void *ret_sealed)
{
	CLEANUP(free_context) EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	unsigned char *nonce = ret_sealed, *body = nonce + SEAL_NONCE_SIZE;
	int n, r;

	if (text.length > SEAL_TEXT_MAX || context.length > SEAL_TEXT_MAX)
		return -EINVAL;
	if (!cipher)
		return crypto_failed();
	r = crypto_random(nonce, SEAL_NONCE_SIZE);
	if (r)
		return r;
	if (EVP_EncryptInit_ex2(cipher, EVP_aes_256_gcm(), key, nonce, NULL) != 1 ||
	    EVP_EncryptUpdate(cipher, NULL, &n, bytes_of(context), (int)context.length) != 1 ||
	    EVP_EncryptUpdate(cipher, body, &n, bytes_of(text), (int)text.length) != 1 ||
	    EVP_EncryptFinal_ex(cipher, body + text.length, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, SEAL_TAG_SIZE, body + text.length) !=
		    1)
		return crypto_failed();
	return 0;
}

/* Decrypts. Returns 0, SEAL_E_BROKEN, or negative. */
int crypto_open(const uint8_t key[SEAL_KEY_SIZE], struct slice context, struct slice sealed,
		void *ret_text)
{
	CLEANUP(free_context) EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	const unsigned char *nonce = bytes_of(sealed), *body = nonce + SEAL_NONCE_SIZE;
	unsigned char tag[SEAL_TAG_SIZE], *text = ret_text;
	size_t length;
	int n;

	if (sealed.length < SEAL_OVERHEAD || sealed.length > SEAL_TEXT_MAX + SEAL_OVERHEAD)
		return SEAL_E_BROKEN;
	if (context.length > SEAL_TEXT_MAX)
		return -EINVAL;
	if (!cipher)
		return crypto_failed();
	length = sealed.length - SEAL_OVERHEAD;
	memcpy(tag, body + length, SEAL_TAG_SIZE);
	if (EVP_DecryptInit_ex2(cipher, EVP_aes_256_gcm(), key, nonce, NULL) != 1 ||
	    EVP_DecryptUpdate(cipher, NULL, &n, bytes_of(context), (int)context.length) != 1 ||
	    EVP_DecryptUpdate(cipher, text, &n, body, (int)length) != 1 ||
	    EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, SEAL_TAG_SIZE, tag) != 1) {
		crypto_wipe(text, length);
		return crypto_failed();
	}
	if (EVP_DecryptFinal_ex(cipher, text + length, &n) != 1) {
		crypto_wipe(text, length);
		(void)crypto_failed();
		return SEAL_E_BROKEN;
	}
	return 0;
}
