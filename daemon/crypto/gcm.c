/*
 * One message of AES-GCM over EVP: what seal.c and hpke.c have in common. Whose nonce it is, and
 * that it is never used twice, is their affair.
 */

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

/* Encrypts and authenticates. Returns 0 or negative. */
int gcm_seal(const struct gcm *gcm, struct slice aad, struct slice text, void *ret_sealed)
{
	CLEANUP(free_context) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	unsigned char *body = ret_sealed, *tag = body + text.length;
	int n;

	if (!context ||
	    EVP_EncryptInit_ex2(context, gcm->cipher, gcm->key, gcm->nonce, NULL) != 1 ||
	    EVP_EncryptUpdate(context, NULL, &n, bytes_of(aad), (int)aad.length) != 1 ||
	    EVP_EncryptUpdate(context, body, &n, bytes_of(text), (int)text.length) != 1 ||
	    EVP_EncryptFinal_ex(context, tag, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, GCM_TAG_SIZE, tag) != 1)
		return crypto_failed();
	return 0;
}

/* Decrypts; wipes the text unless all of it is authentic. Returns 0, GCM_E_BROKEN, or negative. */
int gcm_open(const struct gcm *gcm, struct slice aad, struct slice sealed, void *ret_text)
{
	CLEANUP(free_context) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	unsigned char tag[GCM_TAG_SIZE], *text = ret_text;
	size_t length = sealed.length - GCM_TAG_SIZE;
	int n;

	if (sealed.length < GCM_TAG_SIZE)
		return GCM_E_BROKEN;
	memcpy(tag, bytes_of(sealed) + length, GCM_TAG_SIZE);
	if (!context ||
	    EVP_DecryptInit_ex2(context, gcm->cipher, gcm->key, gcm->nonce, NULL) != 1 ||
	    EVP_DecryptUpdate(context, NULL, &n, bytes_of(aad), (int)aad.length) != 1 ||
	    EVP_DecryptUpdate(context, text, &n, bytes_of(sealed), (int)length) != 1 ||
	    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, GCM_TAG_SIZE, tag) != 1) {
		crypto_wipe(text, length);
		return crypto_failed();
	}
	if (EVP_DecryptFinal_ex(context, text + length, &n) != 1) {
		crypto_wipe(text, length);
		(void)crypto_failed();
		return GCM_E_BROKEN;
	}
	return 0;
}
