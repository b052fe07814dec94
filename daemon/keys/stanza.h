#pragma once
/*
 * A unit's key as the database keeps it: one stanza for each who may open the unit.
 *
 * kind vault:    enc 32 | seq u64be | ciphertext 32 | tag 16. One message of an HPKE sender context
 *                (RFC 9180) to the intake key, which each web process opens anew every minute; only
 * the vault has the private key. info: label, deployment, key id. AAD: deployment, unit,
 *                generation, "vault".
 * kind channel:  nonce 12 | ciphertext 32 | tag 16. AES-256-GCM under HKDF(receipt); what is sealed
 * is the key of the party's channel. AAD: deployment, unit, generation, "channel", party.
 */

#include "daemon/crypto/hpke.h"
#include "daemon/keys/place.h"

enum {
	STANZA_VAULT_SIZE = HPKE_ENC_SIZE + 8 + KEYS_KEY_SIZE + HPKE_TAG_SIZE,
	STANZA_CHANNEL_SIZE = 12 + KEYS_KEY_SIZE + 16,
	STANZA_CONTEXT_MS = 60 * 1000,
	STANZA_RECEIPT_SIZE = 16,
};

enum {
	STANZA_E_BROKEN = 1, /* another key, another unit, or changed bytes */
	STANZA_E_KEY,        /* the intake key is none (stanza_seal() alone) */
};

/* The public half of an intake key. */
struct intake_key {
	uint8_t deployment[KEYS_ID_SIZE];
	uint32_t key_id;
	uint8_t public_key[HPKE_KEY_SIZE];
};

/* The sender context of one process. {0} is a fresh one. */
struct stanza_sender {
	struct hpke hpke;
	struct intake_key intake;
	uint8_t enc[HPKE_ENC_SIZE];
	int64_t opened_ms;
	bool is_open;
};

void stanza_sender_deinit(struct stanza_sender *sender);
/* now_ms: a monotonic clock's. Another intake key than the last call's opens a new context. */
int stanza_seal(struct stanza_sender *sender, const struct intake_key *intake, int64_t now_ms,
		const struct unit_key *key, uint8_t ret_blob[STANZA_VAULT_SIZE]);

/* The vault's side: the context of an `enc`, then any of its stanzas. */
int stanza_recipient_init(struct hpke *hpke, const struct intake_key *intake,
			  const uint8_t key[HPKE_KEY_SIZE], struct slice blob);
/* ret_key: unit_id and generation are given, the bytes are filled. */
int stanza_open(const struct hpke *hpke, const uint8_t deployment[KEYS_ID_SIZE], struct slice blob,
		struct unit_key *ret_key);

/* A party's channel key under a receipt's secret. */
int stanza_channel_seal(const uint8_t receipt[STANZA_RECEIPT_SIZE],
			const uint8_t deployment[KEYS_ID_SIZE],
			const uint8_t party_id[KEYS_ID_SIZE], const struct unit_key *key,
			uint8_t ret_blob[STANZA_CHANNEL_SIZE]);
int stanza_channel_open(const uint8_t receipt[STANZA_RECEIPT_SIZE],
			const uint8_t deployment[KEYS_ID_SIZE],
			const uint8_t party_id[KEYS_ID_SIZE], struct slice blob,
			struct unit_key *ret_key);
