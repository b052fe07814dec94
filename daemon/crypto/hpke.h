#pragma once
/*
 * HPKE, RFC 9180, base mode: DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001, and AES-256-GCM
 * 0x0002 or AES-128-GCM 0x0001. A context seals many messages after one key agreement.
 */

#include "daemon/crypto/x25519.h"

enum {
	HPKE_KEY_SIZE = X25519_KEY_SIZE,
	HPKE_ENC_SIZE = X25519_KEY_SIZE,
	HPKE_TAG_SIZE = 16,
	HPKE_NONCE_SIZE = 12,
	HPKE_INFO_MAX = 255,
	HPKE_TEXT_MAX = 64 * 1024,
};

enum hpke_aead { HPKE_AES_128_GCM = 1, HPKE_AES_256_GCM = 2 };

enum {
	HPKE_E_KEY = 1, /* a public key or `enc` that nobody may agree with */
	HPKE_E_BROKEN,  /* another key, info, place or associated data, or changed bytes */
};

/* Plain memory: may be copied, and is to be wiped with hpke_deinit(). */
struct hpke {
	enum hpke_aead aead;
	uint8_t key[32];
	uint8_t base_nonce[HPKE_NONCE_SIZE];
	uint64_t sequence; /* of the next message sealed here */
};

int hpke_key_new(uint8_t ret_key[HPKE_KEY_SIZE], uint8_t ret_public[HPKE_KEY_SIZE]);
int hpke_init_sender(struct hpke *hpke, enum hpke_aead aead, const uint8_t recipient[HPKE_KEY_SIZE],
		     struct slice info, uint8_t ret_enc[HPKE_ENC_SIZE]);
/* The same with a given ephemeral key: for published vectors, where nothing is random. */
int hpke_init_sender_with(struct hpke *hpke, enum hpke_aead aead,
			  const uint8_t recipient[HPKE_KEY_SIZE], struct slice info,
			  const uint8_t ephemeral[HPKE_KEY_SIZE], uint8_t ret_enc[HPKE_ENC_SIZE]);
/* The private key and its own public half, which would cost as much again to work out. */
int hpke_init_recipient(struct hpke *hpke, enum hpke_aead aead, const uint8_t key[HPKE_KEY_SIZE],
			const uint8_t public_key[HPKE_KEY_SIZE], const uint8_t enc[HPKE_ENC_SIZE],
			struct slice info);
void hpke_deinit(struct hpke *hpke);

/* ret_sealed has room for text.length + HPKE_TAG_SIZE; the message's number is hpke->sequence
 * before the call. */
int hpke_seal(struct hpke *hpke, struct slice aad, struct slice text, void *ret_sealed);
/* Opens the message of a number. ret_text has room for sealed.length - HPKE_TAG_SIZE; wiped when
 * the message is broken. */
int hpke_open(const struct hpke *hpke, uint64_t sequence, struct slice aad, struct slice sealed,
	      void *ret_text);
