#pragma once
/* Authenticated encryption of short texts: AES-256-GCM (NIST SP 800-38D) with a random nonce. */

#include "daemon/base/error.h"

enum {
	SEAL_KEY_SIZE = 32,
	SEAL_NONCE_SIZE = 12,
	SEAL_TAG_SIZE = 16,
	SEAL_OVERHEAD = SEAL_NONCE_SIZE + SEAL_TAG_SIZE,
	SEAL_TEXT_MAX = 1024 * 1024,
};

enum { SEAL_E_BROKEN = 1 }; /* another key, another context, or changed bytes */

/* ret_sealed has room for text.length + SEAL_OVERHEAD bytes: nonce, ciphertext, tag. `context` is
 * authenticated, not kept: only who names it again opens the seal. */
int crypto_seal(const uint8_t key[SEAL_KEY_SIZE], struct slice context, struct slice text,
		void *ret_sealed);
/* ret_text has room for sealed.length - SEAL_OVERHEAD bytes; wiped when the seal is broken. */
int crypto_open(const uint8_t key[SEAL_KEY_SIZE], struct slice context, struct slice sealed,
		void *ret_text);
