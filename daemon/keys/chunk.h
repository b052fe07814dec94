#pragma once
/*
 * A file as it lies in attachment_chunk.body: pieces of 64 KiB, the last one shorter, each
 *
 *   C5 D2 | version 1 | alg 1 | generation u32be | nonce 12 | ciphertext | tag 16
 *
 * AES-256-GCM under the file's own key; authenticated with it: the header up to the nonce, the
 * deployment, the unit, the attachment, which piece it is, and whether it is the last one. So none
 * of them opens in another place, and no file opens that lacks its end.
 */

#include "daemon/crypto/seal.h"
#include "daemon/keys/place.h"

enum {
	CHUNK_SIZE = 64 * 1024,
	CHUNK_OVERHEAD = 8 + SEAL_OVERHEAD,
	CHUNK_SEALED_MAX = CHUNK_SIZE + CHUNK_OVERHEAD,
};

/* Which piece of which file; borrowed. */
struct chunk_place {
	const uint8_t *deployment; /* KEYS_ID_SIZE each */
	const uint8_t *attachment_id;
	uint32_t nth; /* from 0 */
	bool is_last;
};

enum {
	CHUNK_E_UNKNOWN = 1, /* not a chunk, or of a version, algorithm or length not known here */
	CHUNK_E_BROKEN,      /* another key, another place, or changed bytes */
};

/* ret_sealed has room for text.length + CHUNK_OVERHEAD bytes. */
int chunk_seal(const struct unit_key *key, const struct chunk_place *place, struct slice text,
	       uint8_t *ret_sealed);
/* ret_text has room for sealed.length - CHUNK_OVERHEAD bytes, which are filled. */
int chunk_open(const struct unit_key *key, const struct chunk_place *place, struct slice sealed,
	       char *ret_text);
