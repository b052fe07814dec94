/*
 * Stanzas of both kinds. A key agreement costs forty times a message, so a context is used for a
 * minute; after that its key is gone from the process, and who takes the process over later opens
 * nothing that was sealed before. Each blob is complete: its context's `enc` and its number are in
 * it.
 */

#include "daemon/keys/stanza.h"
#include "daemon/crypto/crypto.h"
#include "daemon/crypto/seal.h"

#include <string.h>

enum { INFO_SIZE = 17 + KEYS_ID_SIZE + 4, AAD_MAX = 2 * KEYS_ID_SIZE + 4 + 7 + KEYS_ID_SIZE };

static const char info_label[] = "conductd stanza 1";
_Static_assert(sizeof(info_label) - 1 + KEYS_ID_SIZE + 4 == INFO_SIZE, "the label's length");

/* They are compared as bytes. */
_Static_assert(sizeof(struct intake_key) == KEYS_ID_SIZE + 4 + HPKE_KEY_SIZE, "no padding");

static struct slice slice_of(const void *bytes, size_t length)
{
	return (struct slice){ bytes, length };
}

static struct slice info_of(const struct intake_key *intake, uint8_t bytes[INFO_SIZE])
{
	memcpy(bytes, info_label, sizeof(info_label) - 1);
	memcpy(bytes + sizeof(info_label) - 1, intake->deployment, KEYS_ID_SIZE);
	place_put_u32(bytes + INFO_SIZE - 4, intake->key_id);
	return slice_of(bytes, INFO_SIZE);
}

/* deployment || unit || generation || kind, and of a channel the party. */
static struct slice aad_of(const uint8_t *deployment, const struct unit_key *key, const char *kind,
			   const uint8_t *party_id, uint8_t bytes[AAD_MAX])
{
	uint8_t *at = bytes;

	memcpy(at, deployment, KEYS_ID_SIZE);
	at += KEYS_ID_SIZE;
	memcpy(at, key->unit_id, KEYS_ID_SIZE);
	at += KEYS_ID_SIZE;
	place_put_u32(at, key->generation);
	at += 4;
	memcpy(at, kind, strlen(kind));
	at += strlen(kind);
	if (party_id) {
		memcpy(at, party_id, KEYS_ID_SIZE);
		at += KEYS_ID_SIZE;
	}
	return slice_of(bytes, (size_t)(at - bytes));
}

/* Wipes the context. */
void stanza_sender_deinit(struct stanza_sender *sender)
{
	crypto_wipe(sender, sizeof(*sender));
}

static bool is_current(const struct stanza_sender *sender, const struct intake_key *intake,
		       int64_t now_ms)
{
	return sender->is_open && memcmp(&sender->intake, intake, sizeof(*intake)) == 0 &&
	       now_ms >= sender->opened_ms && now_ms - sender->opened_ms < STANZA_CONTEXT_MS;
}

/* Seals a unit's key to the intake key. Returns 0, STANZA_E_KEY, or negative. */
int stanza_seal(struct stanza_sender *sender, const struct intake_key *intake, int64_t now_ms,
		const struct unit_key *key, uint8_t ret_blob[STANZA_VAULT_SIZE])
{
	uint8_t info[INFO_SIZE], aad[AAD_MAX];
	int r = 0;

	if (!is_current(sender, intake, now_ms)) {
		stanza_sender_deinit(sender);
		r = hpke_init_sender(&sender->hpke, HPKE_AES_256_GCM, intake->public_key,
				     info_of(intake, info), sender->enc);
		if (r)
			return r > 0 ? STANZA_E_KEY : r;
		sender->intake = *intake;
		sender->opened_ms = now_ms;
		sender->is_open = true;
	}
	memcpy(ret_blob, sender->enc, HPKE_ENC_SIZE);
	place_put_u64(ret_blob + HPKE_ENC_SIZE, sender->hpke.sequence);
	return hpke_seal(&sender->hpke, aad_of(intake->deployment, key, "vault", NULL, aad),
			 slice_of(key->bytes, KEYS_KEY_SIZE), ret_blob + HPKE_ENC_SIZE + 8);
}

/* The context of a blob's `enc`. Returns 0, STANZA_E_BROKEN, or negative. */
int stanza_recipient_init(struct hpke *hpke, const struct intake_key *intake,
			  const uint8_t key[HPKE_KEY_SIZE], struct slice blob)
{
	uint8_t info[INFO_SIZE];
	int r;

	if (blob.length != STANZA_VAULT_SIZE)
		return STANZA_E_BROKEN;
	r = hpke_init_recipient(hpke, HPKE_AES_256_GCM, key, intake->public_key,
				(const uint8_t *)blob.at, info_of(intake, info));
	return r > 0 ? STANZA_E_BROKEN : r;
}

/* Returns 0, STANZA_E_BROKEN, or negative. */
int stanza_open(const struct hpke *hpke, const uint8_t deployment[KEYS_ID_SIZE], struct slice blob,
		struct unit_key *ret_key)
{
	uint8_t aad[AAD_MAX];
	int r;

	if (blob.length != STANZA_VAULT_SIZE)
		return STANZA_E_BROKEN;
	r = hpke_open(hpke, place_get_u64(blob.at + HPKE_ENC_SIZE),
		      aad_of(deployment, ret_key, "vault", NULL, aad),
		      slice_of(blob.at + HPKE_ENC_SIZE + 8, KEYS_KEY_SIZE + HPKE_TAG_SIZE),
		      ret_key->bytes);
	return r > 0 ? STANZA_E_BROKEN : r;
}

/* What a receipt's secret seals with; another value than the one the database knows a hash of. */
static int receipt_key(const uint8_t *receipt, uint8_t ret_key[SEAL_KEY_SIZE])
{
	static const char info[] = "conductd channel stanza 1";

	return crypto_hkdf_sha256(slice_of(receipt, STANZA_RECEIPT_SIZE), slice_of("", 0),
				  slice_of(info, sizeof(info) - 1), ret_key, SEAL_KEY_SIZE);
}

/* Returns 0 or negative. */
int stanza_channel_seal(const uint8_t receipt[STANZA_RECEIPT_SIZE],
			const uint8_t deployment[KEYS_ID_SIZE],
			const uint8_t party_id[KEYS_ID_SIZE], const struct unit_key *key,
			uint8_t ret_blob[STANZA_CHANNEL_SIZE])
{
	uint8_t wrapping[SEAL_KEY_SIZE], aad[AAD_MAX];
	int r = receipt_key(receipt, wrapping);

	if (r == 0)
		r = crypto_seal(wrapping, aad_of(deployment, key, "channel", party_id, aad),
				slice_of(key->bytes, KEYS_KEY_SIZE), ret_blob);
	crypto_wipe(wrapping, sizeof(wrapping));
	return r;
}

/* As stanza_open(). */
int stanza_channel_open(const uint8_t receipt[STANZA_RECEIPT_SIZE],
			const uint8_t deployment[KEYS_ID_SIZE],
			const uint8_t party_id[KEYS_ID_SIZE], struct slice blob,
			struct unit_key *ret_key)
{
	uint8_t wrapping[SEAL_KEY_SIZE], aad[AAD_MAX];
	int r;

	if (blob.length != STANZA_CHANNEL_SIZE)
		return STANZA_E_BROKEN;
	r = receipt_key(receipt, wrapping);
	if (r == 0)
		r = crypto_open(wrapping, aad_of(deployment, ret_key, "channel", party_id, aad),
				blob, ret_key->bytes);
	crypto_wipe(wrapping, sizeof(wrapping));
	return r > 0 ? STANZA_E_BROKEN : r;
}
