#pragma once
/*
 * The wall around OpenSSL 3.0: random bytes, SHA-256 and its HMAC and HKDF, scrypt, RSA signatures
 * as RS256 means them (RSASSA-PKCS1-v1_5 with SHA-256, RFC 7518 section 3.3). Every failure of the
 * library is negative; nothing ever falls back.
 */

#include "daemon/base/error.h"

enum {
	CRYPTO_SHA256_SIZE = 32,
	CRYPTO_HKDF_MAX = 255 * 32,
	CRYPTO_SCRYPT_LOG2_MAX = 20, /* with blocks of 8: 1 GiB */
	CRYPTO_RSA_BITS_MIN = 2048,
	CRYPTO_RSA_BITS_MAX = 4096,
	CRYPTO_SIGNATURE_MAX = CRYPTO_RSA_BITS_MAX / 8,
};

enum {
	CRYPTO_E_KEY = 1,   /* not a PEM key of the wanted kind, or not RSA of 2048 to 4096 bits */
	CRYPTO_E_SIGNATURE, /* the signature does not hold */
};

int crypto_random(void *ret_bytes, size_t length);
void crypto_wipe(void *bytes, size_t length); /* not optimised away */
int crypto_keep_secrets(void);
bool crypto_equals(const void *a, const void *b, size_t length); /* in constant time */

int crypto_sha256(struct slice bytes, uint8_t ret_hash[CRYPTO_SHA256_SIZE]);
/* The hash of the parts behind each other. */
int crypto_sha256_parts(const struct slice *parts, size_t n_parts,
			uint8_t ret_hash[CRYPTO_SHA256_SIZE]);
int crypto_hmac_sha256(struct slice key, const struct slice *parts, size_t n_parts,
		       uint8_t ret_mac[CRYPTO_SHA256_SIZE]);
int crypto_hkdf_sha256(struct slice ikm, struct slice salt, struct slice info, void *ret_bytes,
		       size_t length);

struct crypto_scrypt_cost {
	uint8_t log2_cost; /* log2 of N */
	uint8_t block;     /* r */
	uint8_t lanes;     /* p */
};

int crypto_scrypt(struct slice passphrase, struct slice salt, const struct crypto_scrypt_cost *cost,
		  uint8_t ret_key[CRYPTO_SHA256_SIZE]);
bool crypto_scrypt_is_sane(const struct crypto_scrypt_cost *cost);

struct crypto_key; /* an RSA key, public or private */

/* PEM text, not terminated. Public: SubjectPublicKeyInfo. Private: PKCS #8 or PKCS #1, no
 * passphrase. */
int crypto_key_new_public(struct slice pem, struct crypto_key **ret_key);
int crypto_key_new_private(struct slice pem, struct crypto_key **ret_key);
int crypto_key_generate(struct crypto_key **ret_key); /* RSA 2048; takes up to a second */
struct crypto_key *crypto_key_free(struct crypto_key *key);
void crypto_key_freep(struct crypto_key **key);       /* for CLEANUP() */
size_t crypto_key_size(const struct crypto_key *key); /* bytes of its signatures */
/* malloc'ed, NUL-terminated PEM text. The private one is to be wiped before free(). */
int crypto_key_write_public(const struct crypto_key *key, char **ret_pem);
int crypto_key_write_private(const struct crypto_key *key, char **ret_pem);

/* 0, CRYPTO_E_SIGNATURE, or negative. */
int crypto_rs256_verify(const struct crypto_key *key, struct slice message, struct slice signature);
/* ret_signature has room for CRYPTO_SIGNATURE_MAX bytes. */
int crypto_rs256_sign(const struct crypto_key *key, struct slice message, uint8_t *ret_signature,
		      size_t *ret_length);
