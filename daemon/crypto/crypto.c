/*
 * The wall around OpenSSL: random bytes, hashes, key derivation. The signatures are in rsa.c. Each
 * function either does what it says or returns a negative error; OpenSSL's error queue is emptied
 * on the way, so that one failure is not reported by the next user of the library.
 */

#include "daemon/crypto/internal.h"

#include <limits.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

/**
 * crypto_failed_as() - empties the error queue and says what was in it
 * @library: ERR_LIB_…
 * @outcome: what it means when that library gave a reason of its own
 *
 * Return: -ENOMEM when memory ran out at any depth, else @outcome, or -EIO for every other cause.
 */
int crypto_failed_as(int library, int outcome)
{
	unsigned long code;
	int r = -EIO;

	while ((code = ERR_get_error()) != 0) {
		if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
			r = -ENOMEM;
		else if (r == -EIO && ERR_GET_LIB(code) == library && !ERR_COMMON_ERROR(code))
			r = outcome;
	}
	return r;
}

/* The same where no reason is a documented outcome: -ENOMEM or -EIO. */
int crypto_failed(void)
{
	return crypto_failed_as(ERR_LIB_NONE, -EIO);
}

/* Fills memory from OpenSSL's generator, which the kernel seeds. Returns 0 or -EIO. */
int crypto_random(void *ret_bytes, size_t length)
{
	if (length > INT_MAX)
		return -EINVAL;
	return RAND_bytes(ret_bytes, (int)length) == 1 ? 0 : crypto_failed();
}

/* Overwrites a secret before its memory is given back. Takes NULL. */
void crypto_wipe(void *bytes, size_t length)
{
	if (bytes)
		OPENSSL_cleanse(bytes, length);
}

/*
 * Lets OpenSSL keep private keys in a heap of its own: locked, between guard pages, left out of
 * core dumps. Once, before the first key. Returns 0 or -EIO, also where no memory may be locked.
 */
int crypto_keep_secrets(void)
{
	enum { HEAP_SIZE = 16 * 1024, SMALLEST = 32 };

	return CRYPTO_secure_malloc_init(HEAP_SIZE, SMALLEST) == 1 ? 0 : crypto_failed();
}

/* Compares in a time that depends on the length alone. */
bool crypto_equals(const void *a, const void *b, size_t length)
{
	return CRYPTO_memcmp(a, b, length) == 0;
}

/* Hashes one string. Returns 0 or negative. */
int crypto_sha256(struct slice bytes, uint8_t ret_hash[CRYPTO_SHA256_SIZE])
{
	return crypto_sha256_parts(&bytes, 1, ret_hash);
}

/* Hashes parts behind each other; where they end is not in the hash. Returns 0 or negative. */
int crypto_sha256_parts(const struct slice *parts, size_t n_parts,
			uint8_t ret_hash[CRYPTO_SHA256_SIZE])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t hash[CRYPTO_SHA256_SIZE];
	int ok, r = 0;

	ok = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL);
	for (size_t i = 0; ok && i < n_parts; i++)
		ok = EVP_DigestUpdate(context, parts[i].at, parts[i].length);
	ok = ok && EVP_DigestFinal_ex(context, hash, NULL);
	if (ok)
		memcpy(ret_hash, hash, sizeof(hash));
	else
		r = crypto_failed();
	EVP_MD_CTX_free(context);
	return r;
}

/* HMAC (RFC 2104) of the parts behind each other. An empty key is -EINVAL: it is never meant. */
int crypto_hmac_sha256(struct slice key, const struct slice *parts, size_t n_parts,
		       uint8_t ret_mac[CRYPTO_SHA256_SIZE])
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_END,
	};
	EVP_MAC *mac = NULL;
	EVP_MAC_CTX *context = NULL;
	uint8_t bytes[CRYPTO_SHA256_SIZE];
	size_t length = 0;
	int ok, r = 0;

	if (key.length == 0)
		return -EINVAL;
	mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	context = mac ? EVP_MAC_CTX_new(mac) : NULL;
	ok = context && EVP_MAC_init(context, (const unsigned char *)key.at, key.length, params);
	for (size_t i = 0; ok && i < n_parts; i++)
		ok = EVP_MAC_update(context, (const unsigned char *)parts[i].at, parts[i].length);
	ok = ok && EVP_MAC_final(context, bytes, &length, sizeof(bytes)) && length == sizeof(bytes);
	if (ok)
		memcpy(ret_mac, bytes, sizeof(bytes));
	else
		r = crypto_failed();
	crypto_wipe(bytes, sizeof(bytes));
	EVP_MAC_CTX_free(context);
	EVP_MAC_free(mac);
	return r;
}

/* A parameter of OpenSSL takes no const although it does not write. */
static OSSL_PARAM octets(const char *name, struct slice bytes)
{
	static char nothing;

	return OSSL_PARAM_construct_octet_string(
		name, bytes.length ? (void *)(uintptr_t)bytes.at : &nothing, bytes.length);
}

/* HKDF (RFC 5869), extract and expand; at most CRYPTO_HKDF_MAX bytes. Returns 0 or negative. */
int crypto_hkdf_sha256(struct slice ikm, struct slice salt, struct slice info, void *ret_bytes,
		       size_t length)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[5];
	EVP_KDF *kdf;
	EVP_KDF_CTX *context;
	size_t n = 0;
	int r = 0;

	if (ikm.length == 0 || length == 0 || length > CRYPTO_HKDF_MAX)
		return -EINVAL;
	params[n++] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
	params[n++] = octets(OSSL_KDF_PARAM_KEY, ikm);
	/* No salt is the same as one of zeros (RFC 5869 section 2.2), and OpenSSL wants it left
	 * out. */
	if (salt.length)
		params[n++] = octets(OSSL_KDF_PARAM_SALT, salt);
	params[n++] = octets(OSSL_KDF_PARAM_INFO, info);
	params[n] = OSSL_PARAM_construct_end();
	kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	if (!context || EVP_KDF_derive(context, ret_bytes, length, params) != 1)
		r = crypto_failed();
	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
	return r;
}
