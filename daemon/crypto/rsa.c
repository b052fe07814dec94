/*
 * RSA keys and the one signature scheme in use: RS256 of RFC 7518 section 3.3, which is
 * RSASSA-PKCS1-v1_5 with SHA-256. The algorithm is fixed here and never taken from a message; a
 * key is checked for kind and size when it is read, so that no other kind ever reaches a verifier.
 */

#include "daemon/crypto/internal.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

struct crypto_key {
	EVP_PKEY *pkey;
};

/* Takes the pkey, also on failure. */
static int key_new_take(EVP_PKEY *pkey, struct crypto_key **ret_key)
{
	struct crypto_key *key;
	int bits = EVP_PKEY_get_bits(pkey);

	if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA || bits < CRYPTO_RSA_BITS_MIN ||
	    bits > CRYPTO_RSA_BITS_MAX) {
		EVP_PKEY_free(pkey);
		return CRYPTO_E_KEY;
	}
	key = calloc(1, sizeof(*key));
	if (!key) {
		EVP_PKEY_free(pkey);
		return -ENOMEM;
	}
	key->pkey = pkey;
	*ret_key = key;
	return 0;
}

/* Without a passphrase there is nobody to ask: OpenSSL would else prompt on the terminal. */
static int no_passphrase(char *ret_text, int size, int is_writing, void *context)
{
	return -1;
}

typedef EVP_PKEY *read_pem(BIO *bio, EVP_PKEY **ret_pkey, pem_password_cb *callback, void *context);

static int key_read(struct slice pem, read_pem *read, struct crypto_key **ret_key)
{
	EVP_PKEY *pkey = NULL;
	BIO *bio;

	if (pem.length == 0 || pem.length > INT_MAX)
		return CRYPTO_E_KEY;
	bio = BIO_new_mem_buf(pem.at, (int)pem.length);
	if (!bio)
		return crypto_failed();
	pkey = read(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	if (!pkey)
		return crypto_failed() == -ENOMEM ? -ENOMEM : CRYPTO_E_KEY;
	return key_new_take(pkey, ret_key);
}

/* Reads a SubjectPublicKeyInfo. Returns 0, CRYPTO_E_KEY or -ENOMEM. */
int crypto_key_new_public(struct slice pem, struct crypto_key **ret_key)
{
	return key_read(pem, PEM_read_bio_PUBKEY, ret_key);
}

/* Reads a private key without passphrase. Returns 0, CRYPTO_E_KEY or -ENOMEM. */
int crypto_key_new_private(struct slice pem, struct crypto_key **ret_key)
{
	return key_read(pem, PEM_read_bio_PrivateKey, ret_key);
}

/* Makes an RSA key of 2048 bits. Returns 0 or negative. */
int crypto_key_generate(struct crypto_key **ret_key)
{
	EVP_PKEY *pkey = EVP_RSA_gen(CRYPTO_RSA_BITS_MIN);

	return pkey ? key_new_take(pkey, ret_key) : crypto_failed();
}

/* Releases a key; OpenSSL wipes its private parts. Takes NULL; returns NULL. */
struct crypto_key *crypto_key_free(struct crypto_key *key)
{
	if (key)
		EVP_PKEY_free(key->pkey);
	free(key);
	return NULL;
}

/* The same for CLEANUP(). */
void crypto_key_freep(struct crypto_key **key)
{
	*key = crypto_key_free(*key);
}

/* Bytes of each of its signatures: 256 to 512. */
size_t crypto_key_size(const struct crypto_key *key)
{
	return (size_t)EVP_PKEY_get_size(key->pkey);
}

/* Copies what was written to the BIO as a C string and releases the BIO, wiped. */
static int steal_text(BIO *bio, int is_written, char **ret_pem)
{
	char *at = NULL, *pem = NULL;
	long length = is_written ? BIO_get_mem_data(bio, &at) : 0;

	if (length <= 0 || !at) {
		BIO_free(bio);
		return crypto_failed();
	}
	pem = malloc((size_t)length + 1);
	if (pem) {
		memcpy(pem, at, (size_t)length);
		pem[length] = '\0';
		*ret_pem = pem;
	}
	crypto_wipe(at, (size_t)length);
	BIO_free(bio);
	return pem ? 0 : -ENOMEM;
}

/* Writes the SubjectPublicKeyInfo of a public or private key. Returns 0 or negative. */
int crypto_key_write_public(const struct crypto_key *key, char **ret_pem)
{
	BIO *bio = BIO_new(BIO_s_mem());

	return steal_text(bio, bio && PEM_write_bio_PUBKEY(bio, key->pkey), ret_pem);
}

/* Writes PKCS #8 without passphrase. Returns 0 or negative: also for a public key. */
int crypto_key_write_private(const struct crypto_key *key, char **ret_pem)
{
	BIO *bio = BIO_new(BIO_s_mem());

	return steal_text(
		bio,
		bio && PEM_write_bio_PrivateKey(bio, key->pkey, NULL, NULL, 0, no_passphrase, NULL),
		ret_pem);
}

/*
 * Checks a signature. Any length but that of the key is refused before OpenSSL sees it (RFC 8017
 * section 8.2.2 step 1). OpenSSL's return value does not tell a failure of the library from a
 * wrong signature, its error queue does: of a signature it is the RSA code that complains.
 */
int crypto_rs256_verify(const struct crypto_key *key, struct slice message, struct slice signature)
{
	EVP_MD_CTX *context;
	int ok;

	if (signature.length != crypto_key_size(key))
		return CRYPTO_E_SIGNATURE;
	context = EVP_MD_CTX_new();
	if (!context || EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key->pkey) != 1) {
		EVP_MD_CTX_free(context);
		return crypto_failed();
	}
	ok = EVP_DigestVerify(context, (const unsigned char *)signature.at, signature.length,
			      (const unsigned char *)message.at, message.length);
	EVP_MD_CTX_free(context);
	return ok == 1 ? 0 : crypto_failed_as(ERR_LIB_RSA, CRYPTO_E_SIGNATURE);
}

/* Signs with a private key; the signature has crypto_key_size() bytes. Returns 0 or negative. */
int crypto_rs256_sign(const struct crypto_key *key, struct slice message, uint8_t *ret_signature,
		      size_t *ret_length)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t length = CRYPTO_SIGNATURE_MAX;
	int r = 0;

	if (!context || EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key->pkey) != 1 ||
	    EVP_DigestSign(context, ret_signature, &length, (const unsigned char *)message.at,
			   message.length) != 1)
		r = crypto_failed();
	else
		*ret_length = length;
	EVP_MD_CTX_free(context);
	return r;
}
