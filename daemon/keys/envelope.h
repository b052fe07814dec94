#pragma once
/*
 * The envelope of a word or name as it lies in content.body:
 *
 *   C5 D1 | version 1 | alg 1 | generation u32be | nonce 12 | ciphertext | tag 16
 *
 * AES-256-GCM under the unit's key; authenticated with it: the header up to the ciphertext, the
 * deployment, the unit, the content id, and the kind. The text is padded (envelope_size()).
 */

#include "daemon/keys/place.h"

enum {
	ENVELOPE_HEADER_SIZE = 20,
	ENVELOPE_SIZE_MAX = 128 * 1024, /* content.body holds no more */
	ENVELOPE_TEXT_MAX = 15 * 8 * 1024 - 4,
	ENVELOPE_KIND_MAX = 40,
};

/* Which row of content it is; all borrowed. */
struct envelope_place {
	const uint8_t *deployment; /* KEYS_ID_SIZE each */
	const uint8_t *content_id;
	struct slice kind;
};

enum {
	ENVELOPE_E_UNKNOWN =
		1, /* not an envelope, or of a version, algorithm or length not known here */
	ENVELOPE_E_BROKEN, /* another key, another place, or changed bytes */
};

size_t envelope_size(size_t text_length); /* bytes of the envelope; 0: too long */
/* ret_envelope has room for envelope_size(text.length). */
int envelope_seal(const struct unit_key *key, const struct envelope_place *place, struct slice text,
		  void *ret_envelope);
/* Which generation's key is needed. 0 or ENVELOPE_E_UNKNOWN. */
int envelope_read_generation(struct slice envelope, uint32_t *ret_generation);
/* ret_text is as long as the envelope; *ret_length of it are the text, the rest is wiped. */
int envelope_open(const struct unit_key *key, const struct envelope_place *place,
		  struct slice envelope, char *ret_text, size_t *ret_length);
