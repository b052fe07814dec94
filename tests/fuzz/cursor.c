/*
 * Cursors: an accepted one is the only spelling of its keys, belongs to one list with one filter
 * and one number of keys, and keys that fit survive being written.
 */

#include "tests/fuzz/fuzz.h"

#include "api/http/cursor.h"
#include "daemon/base/codec.h"
#include "daemon/base/text.h"

#include <stdlib.h>
#include <string.h>

static const struct slice list[] = { { "cases", 5 }, { "open", 4 }, { NULL, 0 } };
static const struct slice other[] = { { "cases", 5 }, { "open", 4 }, { "", 0 } };

static void check_accepted(struct arena *arena, struct slice text, size_t n_keys,
			   const struct slice *keys)
{
	struct slice again[CURSOR_KEYS_MAX];
	char *written = NULL;
	int r;

	for (size_t i = 0; i < n_keys; i++)
		PROPERTY(strlen(keys[i].at) == keys[i].length && text_is_utf8(keys[i]));
	r = cursor_write(arena, list, ARRAY_SIZE(list), keys, n_keys, &written);
	NOT_NEGATIVE(r, out);
	PROPERTY(r == 0 && text_equals(text, (struct slice){ written, strlen(written) }));
	r = cursor_read(arena, text, other, ARRAY_SIZE(other), n_keys, again);
	PROPERTY(r == CURSOR_E_REFUSED || (r < 0 && fuzz_has_fault()));
	r = cursor_read(arena, text, list, ARRAY_SIZE(list) - 1, n_keys, again);
	PROPERTY(r == CURSOR_E_REFUSED || (r < 0 && fuzz_has_fault()));
	for (size_t n = 0; n <= CURSOR_KEYS_MAX; n++) {
		r = cursor_read(arena, text, list, ARRAY_SIZE(list), n, again);
		PROPERTY((r == 0) == (n == n_keys) || (r < 0 && fuzz_has_fault()));
	}
out:
	return;
}

/* The bytes cut in pieces as keys of a new cursor. */
static void check_keys(struct arena *arena, struct slice text, size_t n_keys)
{
	struct slice keys[CURSOR_KEYS_MAX], again[CURSOR_KEYS_MAX];
	size_t piece = n_keys ? text.length / n_keys : 0;
	bool is_text = true;
	char *written = NULL;
	int r;

	for (size_t i = 0; i < n_keys; i++) {
		keys[i] = (struct slice){ text.at + i * piece, piece };
		is_text = is_text && text_is_utf8(keys[i]);
	}
	r = cursor_write(arena, list, ARRAY_SIZE(list), keys, n_keys, &written);
	if (r == -EINVAL) {
		PROPERTY(text.length + 2 * n_keys > 256);
		return;
	}
	NOT_NEGATIVE(r, out);
	PROPERTY(strlen(written) <= CURSOR_TEXT_MAX);
	r = cursor_read(arena, (struct slice){ written, strlen(written) }, list, ARRAY_SIZE(list),
			n_keys, again);
	NOT_NEGATIVE(r, out);
	PROPERTY((r == 0) == is_text);
	for (size_t i = 0; r == 0 && i < n_keys; i++)
		PROPERTY(text_equals(keys[i], again[i]));
out:
	return;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct slice text = { size ? (const char *)bytes : "", size }, keys[CURSOR_KEYS_MAX];
	struct arena *arena = NULL;
	int r = arena_new(&arena);

	NOT_NEGATIVE(r, out);
	for (size_t n = 0; n <= CURSOR_KEYS_MAX; n++) {
		r = cursor_read(arena, text, list, ARRAY_SIZE(list), n, keys);
		NOT_NEGATIVE(r, out);
		PROPERTY(r == 0 || r == CURSOR_E_REFUSED);
		if (r == 0)
			check_accepted(arena, text, n, keys);
	}
	check_keys(arena, text, fuzz_hash(bytes, size) % (CURSOR_KEYS_MAX + 1));
out:
	arena_free(arena);
	return 0;
}

/* Mutates what a cursor says rather than how it is spelt, and keeps its head three times of four.
 */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t size_max, unsigned seed)
{
	uint8_t plain[512], head[16];
	size_t length = 0, head_length = 0;
	struct arena *arena = NULL;
	char text[4 * sizeof(plain) / 3 + 4], *empty = NULL;

	if (codec_base64url_decode((struct slice){ (const char *)bytes, size }, plain,
				   sizeof(plain), &length))
		return LLVMFuzzerMutate(bytes, size, size_max);
	length = LLVMFuzzerMutate(plain, length, 400);
	if (seed % 4 && arena_new(&arena) == 0 &&
	    cursor_write(arena, list, ARRAY_SIZE(list), NULL, 0, &empty) == 0 &&
	    codec_base64url_decode((struct slice){ empty, strlen(empty) }, head, sizeof(head),
				   &head_length) == 0 &&
	    length >= head_length)
		memcpy(plain, head, head_length);
	arena_free(arena);
	length = codec_base64url_encode(text, plain, length);
	if (length > size_max)
		return LLVMFuzzerMutate(bytes, size, size_max);
	memcpy(bytes, text, length);
	return length;
}
