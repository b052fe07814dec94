/* A key from what people remember: scrypt (RFC 7914). */

#include "daemon/crypto/internal.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

/*
 * Derives CRYPTO_SHA256_SIZE bytes, with 128 * block * 2^log2_cost bytes of memory. Costs outside
 * of the limits of crypto.h are -EINVAL: they are read from a file. Returns 0 or negative.
 */
int crypto_scrypt(struct slice passphrase, struct slice salt, const struct crypto_scrypt_cost *cost,
		  uint8_t ret_key[CRYPTO_SHA256_SIZE])
{
	uint64_t n = (uint64_t)1 << (cost->log2_cost & 31);
	uint32_t block = cost->block, lanes = cost->lanes;
	uint64_t memory = 128 * (uint64_t)block * (n + lanes + 2) + 1024 * 1024;
	OSSL_PARAM params[7];
	EVP_KDF *kdf;
	EVP_KDF_CTX *context;
	int r = 0;

	if (!crypto_scrypt_is_sane(cost) || passphrase.length == 0 || salt.length == 0)
		return -EINVAL;
	/* A parameter of OpenSSL takes no const although it does not write. */
	params[0] = OSSL_PARAM_construct_octet_string(
		OSSL_KDF_PARAM_PASSWORD, (void *)(uintptr_t)passphrase.at, passphrase.length);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT,
						      (void *)(uintptr_t)salt.at, salt.length);
	params[2] = OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n);
	params[3] = OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &block);
	params[4] = OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &lanes);
	params[5] = OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory);
	params[6] = OSSL_PARAM_construct_end();
	kdf = EVP_KDF_fetch(NULL, "SCRYPT", NULL);
	context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	if (!context || EVP_KDF_derive(context, ret_key, CRYPTO_SHA256_SIZE, params) != 1)
		r = crypto_failed();
	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
	return r;
}

/* Whether a cost is one that may be asked of this machine. */
bool crypto_scrypt_is_sane(const struct crypto_scrypt_cost *cost)
{
	return cost->log2_cost >= 1 && cost->log2_cost <= CRYPTO_SCRYPT_LOG2_MAX &&
	       cost->block >= 1 && cost->block <= 8 && cost->lanes >= 1 && cost->lanes <= 16;
}
