#pragma once
/* What the files of this folder share. */

#include "daemon/crypto/crypto.h"

#include <openssl/evp.h>

enum { GCM_TAG_SIZE = 16, GCM_NONCE_SIZE = 12 };

enum { GCM_E_BROKEN = 1 };

/* One message of AES-GCM (NIST SP 800-38D); all borrowed. */
struct gcm {
	const EVP_CIPHER *cipher;
	const uint8_t *key;
	const uint8_t *nonce; /* GCM_NONCE_SIZE */
};

int crypto_failed(void);

/* gcm.c: ciphertext and tag behind it; both parts are at most INT_MAX. */
int gcm_seal(const struct gcm *gcm, struct slice aad, struct slice text, void *ret_sealed);
int gcm_open(const struct gcm *gcm, struct slice aad, struct slice sealed, void *ret_text);
int crypto_failed_as(int library, int outcome);
