/*
 * Sealing and opening of single values. The length of a word tells much (a name, an insult, a
 * confession), so the text is padded to a few sizes: 256 B, 1, 4, 16, 64 KiB, and above in steps of
 * 8 KiB. Before the padding stands the text's length. Whatever is not exactly what
 * envelope_seal() writes is refused; nothing ever falls back.
 */

#include "daemon/keys/envelope.h"
#include "daemon/crypto/crypto.h"
#include "daemon/crypto/seal.h"

#include <stdlib.h>
#include <string.h>

enum {
	MAGIC_0 = 0xc5,
	MAGIC_1 = 0xd1,
	VERSION = 1,
	ALG_AES_256_GCM = 1,
	PREFIX_SIZE = ENVELOPE_HEADER_SIZE - SEAL_NONCE_SIZE, /* of the header, before the nonce */
	LENGTH_SIZE = 4,
	CONTEXT_MAX = PREFIX_SIZE + 3 * KEYS_ID_SIZE + ENVELOPE_KIND_MAX,
};

/* The padded size of length and text. */
static size_t padded_size(size_t length)
{
	static const size_t sizes[] = { 256, 1024, 4 * 1024, 16 * 1024, 64 * 1024 };
	const size_t step = 64 * 1024 / 8;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		if (length <= sizes[i])
			return sizes[i];
	/* An eighth of the last size: at most 12.5 % more. */
	return (length + step - 1) / step * step;
}

/* How long the envelope of a text is; 0 for one above ENVELOPE_TEXT_MAX. */
size_t envelope_size(size_t text_length)
{
	if (text_length > ENVELOPE_TEXT_MAX)
		return 0;
	return ENVELOPE_HEADER_SIZE + padded_size(LENGTH_SIZE + text_length) + SEAL_TAG_SIZE;
}

static void prefix_write(uint32_t generation, uint8_t ret_prefix[PREFIX_SIZE])
{
	static const uint8_t head[] = { MAGIC_0, MAGIC_1, VERSION, ALG_AES_256_GCM };

	memcpy(ret_prefix, head, sizeof(head));
	place_put_u32(ret_prefix + sizeof(head), generation);
}

/*
 * What is authenticated beside the text. The nonce needs no place in it: GCM's tag depends on it.
 * The kind stands last, so its length needs none either. -EINVAL for a kind that is empty or too
 * long.
 */
static int context_write(const struct unit_key *key, const struct envelope_place *place,
			 uint8_t *ret_bytes, struct slice *ret_context)
{
	uint8_t *at = ret_bytes;

	if (place->kind.length == 0 || place->kind.length > ENVELOPE_KIND_MAX)
		return -EINVAL;
	prefix_write(key->generation, at);
	at += PREFIX_SIZE;
	memcpy(at, place->deployment, KEYS_ID_SIZE);
	at += KEYS_ID_SIZE;
	memcpy(at, key->unit_id, KEYS_ID_SIZE);
	at += KEYS_ID_SIZE;
	memcpy(at, place->content_id, KEYS_ID_SIZE);
	at += KEYS_ID_SIZE;
	memcpy(at, place->kind.at, place->kind.length);
	at += place->kind.length;
	*ret_context = (struct slice){ (const char *)ret_bytes, (size_t)(at - ret_bytes) };
	return 0;
}

/* Seals a text. Returns 0, -EINVAL for too long a text or kind, or negative. */
int envelope_seal(const struct unit_key *key, const struct envelope_place *place, struct slice text,
		  void *ret_envelope)
{
	size_t size = envelope_size(text.length), padded;
	uint8_t bytes[CONTEXT_MAX], *envelope = ret_envelope, *plain;
	struct slice context;
	int r;

	if (size == 0)
		return -EINVAL;
	r = context_write(key, place, bytes, &context);
	if (r)
		return r;
	padded = size - ENVELOPE_HEADER_SIZE - SEAL_TAG_SIZE;
	plain = calloc(1, padded);
	if (!plain)
		return -ENOMEM;
	place_put_u32(plain, (uint32_t)text.length);
	if (text.length)
		memcpy(plain + LENGTH_SIZE, text.at, text.length);
	prefix_write(key->generation, envelope);
	r = crypto_seal(key->bytes, context, (struct slice){ (const char *)plain, padded },
			envelope + PREFIX_SIZE);
	crypto_wipe(plain, padded);
	free(plain);
	return r;
}

/* Whether the length is one that envelope_seal() writes. */
static bool is_envelope_length(size_t length)
{
	size_t padded = length - ENVELOPE_HEADER_SIZE - SEAL_TAG_SIZE;

	return length > ENVELOPE_HEADER_SIZE + SEAL_TAG_SIZE &&
	       length <= envelope_size(ENVELOPE_TEXT_MAX) && padded_size(padded) == padded;
}

int envelope_read_generation(struct slice envelope, uint32_t *ret_generation)
{
	uint8_t prefix[PREFIX_SIZE];
	uint32_t generation;

	if (!is_envelope_length(envelope.length))
		return ENVELOPE_E_UNKNOWN;
	generation = place_get_u32(envelope.at + PREFIX_SIZE - 4);
	prefix_write(generation, prefix);
	if (generation == 0 || memcmp(prefix, envelope.at, PREFIX_SIZE) != 0)
		return ENVELOPE_E_UNKNOWN;
	*ret_generation = generation;
	return 0;
}

/* The text of the padded plaintext; false for padding that nobody writes. */
static bool padding_strip(const char *plain, size_t padded, size_t *ret_length)
{
	size_t length = place_get_u32(plain);

	if (length > padded - LENGTH_SIZE || padded_size(LENGTH_SIZE + length) != padded)
		return false;
	for (size_t i = LENGTH_SIZE + length; i < padded; i++)
		if (plain[i])
			return false;
	*ret_length = length;
	return true;
}

/* Opens an envelope. Returns 0, ENVELOPE_E_…, or negative; ret_text is wiped then. */
int envelope_open(const struct unit_key *key, const struct envelope_place *place,
		  struct slice envelope, char *ret_text, size_t *ret_length)
{
	uint8_t bytes[CONTEXT_MAX];
	struct slice context, sealed = { envelope.at + PREFIX_SIZE, envelope.length - PREFIX_SIZE };
	size_t padded = envelope.length - ENVELOPE_HEADER_SIZE - SEAL_TAG_SIZE, length = 0;
	uint32_t generation;
	int r = envelope_read_generation(envelope, &generation);

	if (r)
		return r;
	if (generation != key->generation)
		return ENVELOPE_E_BROKEN;
	r = context_write(key, place, bytes, &context);
	if (r)
		return r;
	r = crypto_open(key->bytes, context, sealed, ret_text);
	if (r == 0 && !padding_strip(ret_text, padded, &length))
		r = SEAL_E_BROKEN;
	if (r) {
		crypto_wipe(ret_text, padded);
		return r > 0 ? ENVELOPE_E_BROKEN : r;
	}
	memmove(ret_text, ret_text + LENGTH_SIZE, length);
	crypto_wipe(ret_text + length, padded - length);
	*ret_length = length;
	return 0;
}
