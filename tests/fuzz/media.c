/*
 * Types of files: what is found does not depend on how the bytes were cut, text is text, and
 * nothing has a type that a browser would run.
 */

#include "tests/fuzz/fuzz.h"

#include "daemon/base/media.h"
#include "daemon/base/text.h"

#include <string.h>

static struct media read_in_pieces(struct slice bytes, size_t piece)
{
	struct media media = { 0 };

	while (bytes.length) {
		size_t n = bytes.length < piece ? bytes.length : piece;

		media_feed(&media, (struct slice){ bytes.at, n });
		bytes.at += n;
		bytes.length -= n;
	}
	media_finish(&media);
	return media;
}

static void check_alike(const struct media *one, const struct media *other)
{
	PROPERTY(one->type == other->type);
	PROPERTY(one->has_metadata == other->has_metadata);
	PROPERTY(one->has_location == other->has_location);
}

/* The same file again, with so many bytes before it that it crosses the window. */
static void check_behind(struct slice bytes)
{
	static char behind[2 * MEDIA_AHEAD];
	size_t room = sizeof(behind) - MEDIA_AHEAD / 2;
	struct slice whole;
	struct media one, other;

	if (bytes.length > MEDIA_AHEAD / 2)
		bytes.length = MEDIA_AHEAD / 2;
	memset(behind, 0, sizeof(behind));
	memcpy(behind, "\x89PNG\r\n\x1a\n", 8);
	memcpy(behind + room, bytes.at, bytes.length);
	whole = (struct slice){ behind, room + bytes.length };
	one = read_in_pieces(whole, whole.length);
	other = read_in_pieces(whole, 61);
	check_alike(&one, &other);
	PROPERTY(one.type == MEDIA_PNG);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct slice text = { (const char *)bytes, size };
	struct media whole = read_in_pieces(text, size ? size : 1);
	struct media cut = read_in_pieces(text, 1 + fuzz_hash(bytes, size) % 100);

	check_alike(&whole, &cut);
	PROPERTY(whole.type < _MEDIA_N && media_type_name(whole.type));
	PROPERTY(whole.has_metadata || !whole.has_location);
	if (whole.type == MEDIA_TEXT)
		PROPERTY(text_is_utf8(text) &&
			 !memchr(bytes ? bytes : (const uint8_t *)"", 0, size));
	if (size)
		check_behind(text);
	return 0;
}
