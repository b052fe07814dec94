/* Fails calls to libpq and OpenSSL; the linker sends the product's calls here (--wrap). */

#include "tests/inject/fault.h"

struct seam; /* stands for every type of the two libraries */

#define FAILS_NULL(kind, name, parameters, arguments)                       \
	struct seam *__real_##name parameters;                              \
	struct seam *__wrap_##name parameters;                              \
	struct seam *__wrap_##name parameters                               \
	{                                                                   \
		return fault_is_due(kind) ? NULL : __real_##name arguments; \
	}

#define FAILS_INT(kind, name, failure, parameters, arguments)                    \
	int __real_##name parameters;                                            \
	int __wrap_##name parameters;                                            \
	int __wrap_##name parameters                                             \
	{                                                                        \
		return fault_is_due(kind) ? (failure) : __real_##name arguments; \
	}

/* libpq: what it documents as failure of the connection or of memory. */
FAILS_INT(FAULT_DATABASE, PQconsumeInput, 0, (struct seam * connection), (connection))
FAILS_INT(FAULT_DATABASE, PQflush, -1, (struct seam * connection), (connection))
FAILS_INT(FAULT_DATABASE, PQpipelineSync, 0, (struct seam * connection), (connection))
FAILS_INT(FAULT_DATABASE, PQenterPipelineMode, 0, (struct seam * connection), (connection))
FAILS_INT(FAULT_DATABASE, PQsendPrepare, 0,
	  (struct seam * connection, const char *name, const char *sql, int n,
	   const unsigned *types),
	  (connection, name, sql, n, types))
FAILS_INT(FAULT_DATABASE, PQsendQueryParams, 0,
	  (struct seam * connection, const char *sql, int n, const unsigned *types,
	   const char *const *values, const int *lengths, const int *formats, int format),
	  (connection, sql, n, types, values, lengths, formats, format))
FAILS_INT(FAULT_DATABASE, PQsendQueryPrepared, 0,
	  (struct seam * connection, const char *name, int n, const char *const *values,
	   const int *lengths, const int *formats, int format),
	  (connection, name, n, values, lengths, formats, format))
/* PQgetResult() has no failure of its own: an outcome it cannot give comes as a result that says
 * so. */

FAILS_NULL(FAULT_CRYPTO, EVP_MD_CTX_new, (void), ())
FAILS_INT(FAULT_CRYPTO, EVP_DigestInit_ex, 0,
	  (struct seam * context, const struct seam *type, struct seam *engine),
	  (context, type, engine))
FAILS_INT(FAULT_CRYPTO, EVP_DigestUpdate, 0,
	  (struct seam * context, const void *bytes, size_t size), (context, bytes, size))
FAILS_INT(FAULT_CRYPTO, EVP_DigestFinal_ex, 0,
	  (struct seam * context, unsigned char *hash, unsigned *size), (context, hash, size))
FAILS_INT(FAULT_CRYPTO, EVP_DigestVerifyInit, 0,
	  (struct seam * context, struct seam **more, const struct seam *type, struct seam *engine,
	   struct seam *key),
	  (context, more, type, engine, key))
FAILS_INT(FAULT_CRYPTO, EVP_DigestVerify, -1,
	  (struct seam * context, const unsigned char *signature, size_t length,
	   const unsigned char *bytes, size_t size),
	  (context, signature, length, bytes, size))
FAILS_NULL(FAULT_CRYPTO, EVP_MAC_fetch,
	   (struct seam * library, const char *name, const char *properties),
	   (library, name, properties))
FAILS_NULL(FAULT_CRYPTO, EVP_MAC_CTX_new, (struct seam * mac), (mac))
FAILS_INT(FAULT_CRYPTO, EVP_MAC_init, 0,
	  (struct seam * context, const unsigned char *key, size_t length,
	   const struct seam *parameters),
	  (context, key, length, parameters))
FAILS_INT(FAULT_CRYPTO, EVP_MAC_update, 0,
	  (struct seam * context, const unsigned char *bytes, size_t size), (context, bytes, size))
FAILS_INT(FAULT_CRYPTO, EVP_MAC_final, 0,
	  (struct seam * context, unsigned char *mac, size_t *length, size_t size),
	  (context, mac, length, size))
FAILS_NULL(FAULT_CRYPTO, EVP_KDF_fetch,
	   (struct seam * library, const char *name, const char *properties),
	   (library, name, properties))
FAILS_NULL(FAULT_CRYPTO, EVP_KDF_CTX_new, (struct seam * kdf), (kdf))
FAILS_INT(FAULT_CRYPTO, EVP_KDF_derive, 0,
	  (struct seam * context, unsigned char *key, size_t length, const struct seam *parameters),
	  (context, key, length, parameters))
FAILS_INT(FAULT_CRYPTO, RAND_bytes, 0, (unsigned char *bytes, int n), (bytes, n))

FAILS_NULL(FAULT_CRYPTO, EVP_CIPHER_CTX_new, (void), ())
FAILS_INT(FAULT_CRYPTO, EVP_CIPHER_CTX_ctrl, 0,
	  (struct seam * context, int type, int number, void *bytes),
	  (context, type, number, bytes))
FAILS_INT(FAULT_CRYPTO, EVP_EncryptInit_ex2, 0,
	  (struct seam * context, const struct seam *cipher, const unsigned char *key,
	   const unsigned char *nonce, const struct seam *parameters),
	  (context, cipher, key, nonce, parameters))
FAILS_INT(FAULT_CRYPTO, EVP_EncryptUpdate, 0,
	  (struct seam * context, unsigned char *sealed, int *length, const unsigned char *text,
	   int size),
	  (context, sealed, length, text, size))
FAILS_INT(FAULT_CRYPTO, EVP_EncryptFinal_ex, 0,
	  (struct seam * context, unsigned char *sealed, int *length), (context, sealed, length))
FAILS_INT(FAULT_CRYPTO, EVP_DecryptInit_ex2, 0,
	  (struct seam * context, const struct seam *cipher, const unsigned char *key,
	   const unsigned char *nonce, const struct seam *parameters),
	  (context, cipher, key, nonce, parameters))
FAILS_INT(FAULT_CRYPTO, EVP_DecryptUpdate, 0,
	  (struct seam * context, unsigned char *text, int *length, const unsigned char *sealed,
	   int size),
	  (context, text, length, sealed, size))
FAILS_INT(FAULT_CRYPTO, EVP_DecryptFinal_ex, 0,
	  (struct seam * context, unsigned char *text, int *length), (context, text, length))
