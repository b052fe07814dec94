#pragma once
/* X25519 key agreement (RFC 7748). Private keys are raw 32 bytes; any 32 bytes are one. */

#include "daemon/base/error.h"

enum { X25519_KEY_SIZE = 32 };

enum { X25519_E_POINT = 1 }; /* a public key whose agreement is no secret (RFC 7748 section 6.1) */

int x25519_public(const uint8_t key[X25519_KEY_SIZE], uint8_t ret_public[X25519_KEY_SIZE]);
int x25519_agree(const uint8_t key[X25519_KEY_SIZE], const uint8_t peer[X25519_KEY_SIZE],
		 uint8_t ret_shared[X25519_KEY_SIZE]);
