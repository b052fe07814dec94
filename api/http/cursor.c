/*
 * A cursor is base64url of: version, 8 bytes of SHA-256 over the filter, then each key behind its
 * length (16 bits, big endian). It needs no MAC: the keys only say where a list goes on, and every
 * row is authorised anew; the callers type-check the keys before they reach a statement.
 */

#include "api/http/cursor.h"
#include "daemon/base/codec.h"
#include "daemon/base/text.h"
#include "daemon/crypto/crypto.h"

#include <string.h>

enum { CURSOR_VERSION = 1, CURSOR_HASH = 8, CURSOR_HEAD = 1 + CURSOR_HASH, CURSOR_BYTES_MAX = 384 };

static int hash_filter(const struct slice *filter, size_t n_filter, uint8_t *ret_hash)
{
	enum { FILTER_MAX = 24 };
	struct slice parts[2 * FILTER_MAX];
	uint32_t lengths[FILTER_MAX];

	if (n_filter > FILTER_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n_filter; i++) {
		/* An absent filter and an empty one are two lists. */
		lengths[i] = filter[i].at ? (uint32_t)filter[i].length : UINT32_MAX;
		parts[2 * i] = (struct slice){ (const char *)&lengths[i], sizeof(lengths[i]) };
		parts[2 * i + 1] = filter[i].at ? filter[i] : (struct slice){ "", 0 };
	}
	return crypto_sha256_parts(parts, 2 * n_filter, ret_hash);
}

/* The cursor as text in the arena. -EINVAL: keys longer than a cursor holds. */
int cursor_write(struct arena *arena, const struct slice *filter, size_t n_filter,
		 const struct slice *keys, size_t n_keys, char **ret_cursor)
{
	uint8_t hash[CRYPTO_SHA256_SIZE], bytes[CURSOR_BYTES_MAX] = { CURSOR_VERSION };
	size_t length = CURSOR_HEAD;
	char *text;
	int r;

	r = hash_filter(filter, n_filter, hash);
	if (r)
		return r;
	memcpy(bytes + 1, hash, CURSOR_HASH);
	for (size_t i = 0; i < n_keys; i++) {
		if (keys[i].length + 2 > sizeof(bytes) - length)
			return -EINVAL;
		bytes[length++] = (uint8_t)(keys[i].length >> 8);
		bytes[length++] = (uint8_t)keys[i].length;
		memcpy(bytes + length, keys[i].at, keys[i].length);
		length += keys[i].length;
	}
	text = arena_alloc(arena, 4 * length / 3 + 4);
	if (!text)
		return -ENOMEM;
	codec_base64url_encode(text, bytes, length);
	*ret_cursor = text;
	return 0;
}

/* 0, CURSOR_E_REFUSED or negative. */
int cursor_read(struct arena *arena, struct slice text, const struct slice *filter, size_t n_filter,
		size_t n_keys, struct slice *ret_keys)
{
	uint8_t hash[CRYPTO_SHA256_SIZE], bytes[CURSOR_BYTES_MAX];
	struct slice keys[CURSOR_KEYS_MAX];
	size_t length, at = CURSOR_HEAD;
	int r;

	if (n_keys > CURSOR_KEYS_MAX)
		return -EINVAL;
	if (text.length > CURSOR_TEXT_MAX ||
	    codec_base64url_decode(text, bytes, sizeof(bytes), &length) || length < CURSOR_HEAD ||
	    bytes[0] != CURSOR_VERSION)
		return CURSOR_E_REFUSED;
	r = hash_filter(filter, n_filter, hash);
	if (r)
		return r;
	if (memcmp(bytes + 1, hash, CURSOR_HASH) != 0)
		return CURSOR_E_REFUSED;
	for (size_t i = 0; i < n_keys; i++) {
		size_t n;

		if (length - at < 2)
			return CURSOR_E_REFUSED;
		n = (size_t)bytes[at] << 8 | bytes[at + 1];
		at += 2;
		if (n > length - at || !text_is_utf8((struct slice){ (const char *)bytes + at, n }))
			return CURSOR_E_REFUSED;
		keys[i] = (struct slice){ arena_memdup(arena, bytes + at, n), n };
		if (!keys[i].at)
			return -ENOMEM;
		at += n;
	}
	if (at != length)
		return CURSOR_E_REFUSED;
	memcpy(ret_keys, keys, n_keys * sizeof(*keys));
	return 0;
}
