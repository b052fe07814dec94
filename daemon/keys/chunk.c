/* Pieces of files. Nothing is padded: a file's length stands open beside it. */

#include "daemon/keys/chunk.h"

#include <string.h>

enum {
	MAGIC_0 = 0xC5,
	MAGIC_1 = 0xD2,
	VERSION = 1,
	ALG_AES_256_GCM = 1,
	PREFIX_SIZE = CHUNK_OVERHEAD - SEAL_OVERHEAD,
	CONTEXT_SIZE = PREFIX_SIZE + 3 * KEYS_ID_SIZE + 4 + 1,
};

static void prefix_write(uint32_t generation, uint8_t ret_prefix[PREFIX_SIZE])
{
	static const uint8_t head[] = { MAGIC_0, MAGIC_1, VERSION, ALG_AES_256_GCM };

	memcpy(ret_prefix, head, sizeof(head));
	place_put_u32(ret_prefix + sizeof(head), generation);
}

/* What is authenticated beside the text; every part has one length. */
static void context_write(const struct unit_key *key, const struct chunk_place *place,
			  uint8_t ret_context[CONTEXT_SIZE])
{
	uint8_t *at = ret_context;

	prefix_write(key->generation, at);
	at += PREFIX_SIZE;
	memcpy(at, place->deployment, KEYS_ID_SIZE);
	at += KEYS_ID_SIZE;
	memcpy(at, key->unit_id, KEYS_ID_SIZE);
	at += KEYS_ID_SIZE;
	memcpy(at, place->attachment_id, KEYS_ID_SIZE);
	at += KEYS_ID_SIZE;
	place_put_u32(at, place->nth);
	at[4] = place->is_last;
}

/* Only the last piece is shorter, and none is empty. */
static bool is_length(const struct chunk_place *place, size_t length)
{
	return place->is_last ? length > 0 && length <= CHUNK_SIZE : length == CHUNK_SIZE;
}

/* Seals a piece. Returns 0, -EINVAL for a length that its place does not have, or negative. */
int chunk_seal(const struct unit_key *key, const struct chunk_place *place, struct slice text,
	       uint8_t *ret_sealed)
{
	uint8_t context[CONTEXT_SIZE];

	if (!is_length(place, text.length))
		return -EINVAL;
	context_write(key, place, context);
	memcpy(ret_sealed, context, PREFIX_SIZE);
	return crypto_seal(key->bytes, (struct slice){ (const char *)context, sizeof(context) },
			   text, ret_sealed + PREFIX_SIZE);
}

/* Opens a piece. Returns 0, CHUNK_E_…, or negative; ret_text holds nothing of it then. */
int chunk_open(const struct unit_key *key, const struct chunk_place *place, struct slice sealed,
	       char *ret_text)
{
	uint8_t context[CONTEXT_SIZE], prefix[PREFIX_SIZE];
	int r;

	if (sealed.length <= CHUNK_OVERHEAD || sealed.length > CHUNK_SEALED_MAX)
		return CHUNK_E_UNKNOWN;
	prefix_write(place_get_u32(sealed.at + PREFIX_SIZE - 4), prefix);
	if (memcmp(prefix, sealed.at, PREFIX_SIZE) != 0)
		return CHUNK_E_UNKNOWN;
	context_write(key, place, context);
	if (memcmp(context, prefix, PREFIX_SIZE) != 0 ||
	    !is_length(place, sealed.length - CHUNK_OVERHEAD))
		return CHUNK_E_BROKEN;
	r = crypto_open(key->bytes, (struct slice){ (const char *)context, sizeof(context) },
			(struct slice){ sealed.at + PREFIX_SIZE, sealed.length - PREFIX_SIZE },
			ret_text);
	return r > 0 ? CHUNK_E_BROKEN : r;
}
