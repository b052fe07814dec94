/*
 * The same report sent again with the same key gets the same receipt, though only its hash is
 * stored: its text is kept sealed (AES-256-GCM) under HKDF of the Idempotency-Key, of which the
 * database has nothing but a hash.
 */

#include "daemon/cases/replay.h"
#include "daemon/base/codec.h"
#include "daemon/crypto/crypto.h"
#include "daemon/crypto/seal.h"

#include <string.h>

static int derive(struct slice key, uint8_t ret_key[SEAL_KEY_SIZE])
{
	static const char info[] = "conductd receipt replay v1";

	return crypto_hkdf_sha256(key, (struct slice){ "", 0 },
				  (struct slice){ info, sizeof(info) - 1 }, ret_key, SEAL_KEY_SIZE);
}

int replay_seal(struct arena *arena, struct slice key, struct slice scope, struct slice text,
		struct slice *ret_sealed)
{
	uint8_t derived[SEAL_KEY_SIZE];
	uint8_t *sealed = arena_alloc(arena, text.length + SEAL_OVERHEAD);
	int r;

	if (!sealed)
		return -ENOMEM;
	r = derive(key, derived);
	if (!r)
		r = crypto_seal(derived, scope, text, sealed);
	crypto_wipe(derived, sizeof(derived));
	if (!r)
		*ret_sealed = (struct slice){ (const char *)sealed, text.length + SEAL_OVERHEAD };
	return r;
}

int replay_open(struct arena *arena, struct slice key, struct slice scope, struct slice hex,
		struct slice *ret_text)
{
	uint8_t derived[SEAL_KEY_SIZE];
	char *sealed = arena_alloc(arena, hex.length / 2 + 1);
	char *text = arena_alloc(arena, hex.length / 2 + 1);
	size_t length = 0;
	int r;

	if (!sealed || !text)
		return -ENOMEM;
	if (hex.length >= 2 && memcmp(hex.at, "\\x", 2) == 0)
		hex = (struct slice){ hex.at + 2, hex.length - 2 };
	if (codec_hex_decode(hex, sealed, hex.length / 2, &length) || length < SEAL_OVERHEAD)
		return REPLAY_E_MALFORMED;
	r = derive(key, derived);
	if (!r)
		r = crypto_open(derived, scope, (struct slice){ sealed, length }, text);
	crypto_wipe(derived, sizeof(derived));
	if (r)
		return r < 0 ? r : REPLAY_E_MALFORMED;
	text[length - SEAL_OVERHEAD] = '\0';
	*ret_text = (struct slice){ text, length - SEAL_OVERHEAD };
	return 0;
}
