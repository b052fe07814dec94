#pragma once
/* Ed25519 signatures (RFC 8032 section 5.1, PureEdDSA): what the audit log is signed with. */

#include "daemon/base/error.h"

enum { ED25519_KEY_SIZE = 32, ED25519_SIGNATURE_SIZE = 64 };

enum { ED25519_E_SIGNATURE = 1 }; /* the signature does not hold */

int ed25519_generate(uint8_t ret_secret[ED25519_KEY_SIZE]);
int ed25519_get_public(const uint8_t secret[ED25519_KEY_SIZE],
		       uint8_t ret_public[ED25519_KEY_SIZE]);
int ed25519_sign(const uint8_t secret[ED25519_KEY_SIZE], struct slice message,
		 uint8_t ret_signature[ED25519_SIGNATURE_SIZE]);
int ed25519_verify(const uint8_t key[ED25519_KEY_SIZE], struct slice message,
		   const uint8_t signature[ED25519_SIGNATURE_SIZE]);
