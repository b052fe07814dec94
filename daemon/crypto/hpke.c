/*
 * HPKE base mode. Names in the comments are those of RFC 9180, sections 4 and 5; the strings are
 * its labels. Messages may be opened out of order: a database keeps them, and each brings its
 * number.
 */

#include "daemon/crypto/hpke.h"
#include "daemon/crypto/internal.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

enum { KEM_ID = 0x0020, KDF_ID = 0x0001, HASH_SIZE = CRYPTO_SHA256_SIZE, LABELED_PARTS = 6 };

/* Whose key it is: of the key encapsulation, or of the whole suite. */
struct suite {
	char id[10];
	size_t length;
};

static struct suite suite_kem(void)
{
	return (struct suite){ { 'K', 'E', 'M', 0, KEM_ID }, 5 };
}

static struct suite suite_hpke(enum hpke_aead aead)
{
	return (struct suite){ { 'H', 'P', 'K', 'E', 0, KEM_ID, 0, KDF_ID, 0, (char)aead }, 10 };
}

static struct slice slice_of(const void *bytes, size_t length)
{
	return (struct slice){ bytes, length };
}

static struct slice label_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

/*
 * LabeledExtract(salt, label, ikm) = HMAC(salt, "HPKE-v1" || suite_id || label || ikm); no salt is
 * one of zeros.
 */
static int labeled_extract(const struct suite *suite, struct slice salt, const char *label,
			   struct slice ikm, uint8_t ret_key[HASH_SIZE])
{
	static const char zeros[HASH_SIZE];
	const struct slice parts[] = { label_of("HPKE-v1"), slice_of(suite->id, suite->length),
				       label_of(label), ikm };

	return crypto_hmac_sha256(salt.length ? salt : slice_of(zeros, sizeof(zeros)), parts,
				  ARRAY_SIZE(parts), ret_key);
}

/*
 * LabeledExpand(prk, label, info, L). L is at most one block of SHA-256 here, so HKDF-Expand (RFC
 * 5869 section 2.3) is T(1) = HMAC(prk, info || 0x01), cut to L.
 */
static int labeled_expand(const struct suite *suite, const uint8_t key[HASH_SIZE],
			  const char *label, struct slice info, void *ret_bytes, size_t length)
{
	const char head[] = { 0, (char)length }, first[] = { 1 };
	const struct slice parts[LABELED_PARTS] = { slice_of(head, sizeof(head)),
						    label_of("HPKE-v1"),
						    slice_of(suite->id, suite->length),
						    label_of(label),
						    info,
						    slice_of(first, sizeof(first)) };
	uint8_t block[HASH_SIZE];
	int r = crypto_hmac_sha256(slice_of(key, HASH_SIZE), parts, ARRAY_SIZE(parts), block);

	if (r == 0)
		memcpy(ret_bytes, block, length);
	crypto_wipe(block, sizeof(block));
	return r;
}

/* ExtractAndExpand(dh, kem_context), section 4.1; kem_context = enc || pkRm. */
static int shared_secret(const uint8_t *dh, const uint8_t *enc, const uint8_t *recipient,
			 uint8_t ret_secret[HASH_SIZE])
{
	const struct suite suite = suite_kem();
	uint8_t context[HPKE_ENC_SIZE + HPKE_KEY_SIZE], eae_prk[HASH_SIZE];
	int r;

	memcpy(context, enc, HPKE_ENC_SIZE);
	memcpy(context + HPKE_ENC_SIZE, recipient, HPKE_KEY_SIZE);
	r = labeled_extract(&suite, slice_of("", 0), "eae_prk", slice_of(dh, HPKE_KEY_SIZE),
			    eae_prk);
	if (r == 0)
		r = labeled_expand(&suite, eae_prk, "shared_secret",
				   slice_of(context, sizeof(context)), ret_secret, HASH_SIZE);
	crypto_wipe(eae_prk, sizeof(eae_prk));
	return r;
}

static size_t key_size(enum hpke_aead aead)
{
	return aead == HPKE_AES_128_GCM ? 16 : 32;
}

/* KeySchedule(mode_base, shared_secret, info, "", ""), section 5.1. */
static int key_schedule(struct hpke *hpke, enum hpke_aead aead, const uint8_t secret[HASH_SIZE],
			struct slice info)
{
	const struct suite suite = suite_hpke(aead);
	const struct slice none = { "", 0 };
	uint8_t context[1 + 2 * HASH_SIZE] = { 0 }; /* mode_base || psk_id_hash || info_hash */
	uint8_t key[HASH_SIZE];
	struct slice all = slice_of(context, sizeof(context));
	int r = labeled_extract(&suite, none, "psk_id_hash", none, context + 1);

	if (r == 0)
		r = labeled_extract(&suite, none, "info_hash", info, context + 1 + HASH_SIZE);
	if (r == 0)
		r = labeled_extract(&suite, slice_of(secret, HASH_SIZE), "secret", none, key);
	*hpke = (struct hpke){ .aead = aead };
	if (r == 0)
		r = labeled_expand(&suite, key, "key", all, hpke->key, key_size(aead));
	if (r == 0)
		r = labeled_expand(&suite, key, "base_nonce", all, hpke->base_nonce,
				   HPKE_NONCE_SIZE);
	crypto_wipe(key, sizeof(key));
	if (r)
		hpke_deinit(hpke);
	return r;
}

static bool is_known(enum hpke_aead aead, struct slice info)
{
	return (aead == HPKE_AES_128_GCM || aead == HPKE_AES_256_GCM) &&
	       info.length <= HPKE_INFO_MAX;
}

/* A fresh key pair. Returns 0 or negative. */
int hpke_key_new(uint8_t ret_key[HPKE_KEY_SIZE], uint8_t ret_public[HPKE_KEY_SIZE])
{
	int r = crypto_random(ret_key, HPKE_KEY_SIZE);

	return r ? r : x25519_public(ret_key, ret_public);
}

/* SetupBaseS() with a fresh ephemeral key. Returns 0, HPKE_E_KEY, or negative. */
int hpke_init_sender(struct hpke *hpke, enum hpke_aead aead, const uint8_t recipient[HPKE_KEY_SIZE],
		     struct slice info, uint8_t ret_enc[HPKE_ENC_SIZE])
{
	uint8_t ephemeral[HPKE_KEY_SIZE];
	int r = crypto_random(ephemeral, sizeof(ephemeral));

	if (r == 0)
		r = hpke_init_sender_with(hpke, aead, recipient, info, ephemeral, ret_enc);
	crypto_wipe(ephemeral, sizeof(ephemeral));
	return r;
}

int hpke_init_sender_with(struct hpke *hpke, enum hpke_aead aead,
			  const uint8_t recipient[HPKE_KEY_SIZE], struct slice info,
			  const uint8_t ephemeral[HPKE_KEY_SIZE], uint8_t ret_enc[HPKE_ENC_SIZE])
{
	uint8_t dh[HPKE_KEY_SIZE], secret[HASH_SIZE], enc[HPKE_ENC_SIZE];
	int r;

	if (!is_known(aead, info))
		return -EINVAL;
	r = x25519_public(ephemeral, enc);
	if (r == 0)
		r = x25519_agree(ephemeral, recipient, dh);
	if (r == 0)
		r = shared_secret(dh, enc, recipient, secret);
	if (r == 0)
		r = key_schedule(hpke, aead, secret, info);
	if (r == 0)
		memcpy(ret_enc, enc, sizeof(enc));
	crypto_wipe(dh, sizeof(dh));
	crypto_wipe(secret, sizeof(secret));
	return r > 0 ? HPKE_E_KEY : r;
}

/* SetupBaseR(). Returns 0, HPKE_E_KEY, or negative. */
int hpke_init_recipient(struct hpke *hpke, enum hpke_aead aead, const uint8_t key[HPKE_KEY_SIZE],
			const uint8_t public_key[HPKE_KEY_SIZE], const uint8_t enc[HPKE_ENC_SIZE],
			struct slice info)
{
	uint8_t dh[HPKE_KEY_SIZE], secret[HASH_SIZE];
	int r;

	if (!is_known(aead, info))
		return -EINVAL;
	r = x25519_agree(key, enc, dh);
	if (r == 0)
		r = shared_secret(dh, enc, public_key, secret);
	if (r == 0)
		r = key_schedule(hpke, aead, secret, info);
	crypto_wipe(dh, sizeof(dh));
	crypto_wipe(secret, sizeof(secret));
	return r > 0 ? HPKE_E_KEY : r;
}

/* Overwrites the keys. */
void hpke_deinit(struct hpke *hpke)
{
	crypto_wipe(hpke, sizeof(*hpke));
}

/* ComputeNonce(seq): base_nonce XOR I2OSP(seq, 12). */
static void nonce_of(const struct hpke *hpke, uint64_t sequence, uint8_t ret_nonce[HPKE_NONCE_SIZE])
{
	memcpy(ret_nonce, hpke->base_nonce, HPKE_NONCE_SIZE);
	for (size_t i = 0; i < sizeof(sequence); i++)
		ret_nonce[HPKE_NONCE_SIZE - 1 - i] ^= (uint8_t)(sequence >> (8 * i));
}

static struct gcm gcm_of(const struct hpke *hpke, const uint8_t *nonce)
{
	return (struct gcm){ .cipher = hpke->aead == HPKE_AES_128_GCM ? EVP_aes_128_gcm()
								      : EVP_aes_256_gcm(),
			     .key = hpke->key,
			     .nonce = nonce };
}

/* ContextS.Seal(). Returns 0, -EINVAL for too long a text, or negative. */
int hpke_seal(struct hpke *hpke, struct slice aad, struct slice text, void *ret_sealed)
{
	uint8_t nonce[HPKE_NONCE_SIZE];
	struct gcm gcm = gcm_of(hpke, nonce);
	int r;

	if (text.length > HPKE_TEXT_MAX || aad.length > HPKE_TEXT_MAX ||
	    hpke->sequence == UINT64_MAX)
		return -EINVAL;
	nonce_of(hpke, hpke->sequence, nonce);
	r = gcm_seal(&gcm, aad, text, ret_sealed);
	if (r == 0)
		hpke->sequence++;
	return r;
}

/* ContextR.Open() of one message. Returns 0, HPKE_E_BROKEN, or negative. */
int hpke_open(const struct hpke *hpke, uint64_t sequence, struct slice aad, struct slice sealed,
	      void *ret_text)
{
	uint8_t nonce[HPKE_NONCE_SIZE];
	struct gcm gcm = gcm_of(hpke, nonce);
	int r;

	if (sealed.length < HPKE_TAG_SIZE || sealed.length > HPKE_TEXT_MAX + HPKE_TAG_SIZE)
		return HPKE_E_BROKEN;
	if (aad.length > HPKE_TEXT_MAX)
		return -EINVAL;
	nonce_of(hpke, sequence, nonce);
	r = gcm_open(&gcm, aad, sealed, ret_text);
	return r > 0 ? HPKE_E_BROKEN : r;
}
