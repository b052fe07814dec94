/*
 * Types by their first bytes, as the WHATWG's MIME Sniffing and the formats themselves have them;
 * text by all of its bytes. Metadata is looked for everywhere in a file: Exif (a TIFF directory,
 * whose tag 0x8825 points to places), XMP by its names, ISO media by the atoms that cameras write.
 * What looks like a place and cannot be read is taken for one.
 */

#include "daemon/base/media.h"

#include <string.h>

enum {
	HEAD = 64,      /* what a type is told by */
	TIFF_NEAR = 16, /* between an Exif mark and its directory */
	TIFF_ENTRY = 12,
	TIFF_GPS = 0x8825,
};

struct mark {
	size_t at, length;
	const char *bytes;
	enum media_type type;
};

#define MARK(offset, literal, type)                              \
	{                                                        \
		(offset), sizeof(literal) - 1, (literal), (type) \
	}

static const struct mark heads[] = {
	MARK(0, "\x89PNG\r\n\x1a\n", MEDIA_PNG),
	MARK(0, "\xff\xd8\xff", MEDIA_JPEG),
	MARK(0, "GIF87a", MEDIA_GIF),
	MARK(0, "GIF89a", MEDIA_GIF),
	MARK(0, "%PDF-", MEDIA_PDF),
	MARK(4, "ftypheic", MEDIA_HEIC),
	MARK(4, "ftypheix", MEDIA_HEIC),
	MARK(4, "ftypmif1", MEDIA_HEIC),
	MARK(4, "ftypmsf1", MEDIA_HEIC),
	MARK(4, "ftypisom", MEDIA_MP4),
	MARK(4, "ftypiso2", MEDIA_MP4),
	MARK(4, "ftypmp41", MEDIA_MP4),
	MARK(4, "ftypmp42", MEDIA_MP4),
	MARK(4, "ftypavc1", MEDIA_MP4),
	MARK(4, "ftypM4V ", MEDIA_MP4),
	MARK(28, "\x80theora", MEDIA_OGG_VIDEO),
	MARK(28, "\x01vorbis", MEDIA_OGG_AUDIO),
	MARK(28, "OpusHead", MEDIA_OGG_AUDIO),
	MARK(28,
	     "\x7f"
	     "FLAC",
	     MEDIA_OGG_AUDIO),
};

/* What is found anywhere, or anywhere in files of one type; a place is metadata as well. */
static const struct {
	const char *bytes;
	size_t length;
	bool is_location;
	enum media_type only;
} finds[] = {
	{ "http://ns.adobe.com/xap/", 24, false, MEDIA_UNKNOWN },
	{ "Photoshop 3.0", 13, false, MEDIA_UNKNOWN },
	{ "GPSLatitude", 11, true, MEDIA_UNKNOWN },
	{ "\xa9xyz", 4, true, MEDIA_UNKNOWN },
	{ "location.ISO6709", 16, true, MEDIA_UNKNOWN },
	/* Authors, programs and remarks. */
	{ "tEXt", 4, false, MEDIA_PNG },
	{ "zTXt", 4, false, MEDIA_PNG },
	{ "iTXt", 4, false, MEDIA_PNG },
};

static const char *const exif_marks[] = { "Exif", "eXIf", "EXIF" };

static const char *const names[_MEDIA_N] = {
	[MEDIA_UNKNOWN] = "application/octet-stream",
	[MEDIA_GIF] = "image/gif",
	[MEDIA_HEIC] = "image/heic",
	[MEDIA_JPEG] = "image/jpeg",
	[MEDIA_MP4] = "video/mp4",
	[MEDIA_OGG_AUDIO] = "audio/ogg",
	[MEDIA_OGG_VIDEO] = "video/ogg",
	[MEDIA_PDF] = "application/pdf",
	[MEDIA_PNG] = "image/png",
	[MEDIA_TEXT] = "text/plain",
	[MEDIA_WEBM] = "video/webm",
	[MEDIA_WEBP] = "image/webp",
};

const char *media_type_name(enum media_type type)
{
	return names[type];
}

static bool has_at(struct slice bytes, size_t at, const char *text, size_t length)
{
	return bytes.length >= at + length && memcmp(bytes.at + at, text, length) == 0;
}

static enum media_type type_of(struct slice head)
{
	bool is_ogg = has_at(head, 0, "OggS", 4);

	if (has_at(head, 0, "RIFF", 4) && has_at(head, 8, "WEBP", 4))
		return MEDIA_WEBP;
	if (has_at(head, 0, "\x1a\x45\xdf\xa3", 4) && memmem(head.at, head.length, "webm", 4))
		return MEDIA_WEBM;
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		if (has_at(head, heads[i].at, heads[i].bytes, heads[i].length) &&
		    (heads[i].at != 28 || is_ogg))
			return heads[i].type;
	return MEDIA_UNKNOWN;
}

static unsigned read_number(const char *at, unsigned n, bool is_big)
{
	unsigned number = 0;

	for (unsigned i = 0; i < n; i++)
		number = number << 8 | (unsigned char)at[is_big ? i : n - 1 - i];
	return number;
}

static bool is_tiff(struct slice bytes)
{
	return has_at(bytes, 0, "II*\0", 4) || has_at(bytes, 0, "MM\0*", 4);
}

/* Whether a TIFF directory points to a place; one that is not all there may. */
static bool has_place(struct slice tiff)
{
	bool is_big = tiff.at[0] == 'M';
	size_t at, n;

	if (tiff.length < 8)
		return true;
	at = read_number(tiff.at + 4, 4, is_big);
	if (at > tiff.length - 2)
		return true;
	n = read_number(tiff.at + at, 2, is_big);
	at += 2;
	for (size_t i = 0; i < n; i++, at += TIFF_ENTRY) {
		if (at + TIFF_ENTRY > tiff.length)
			return true;
		if (read_number(tiff.at + at, 2, is_big) == TIFF_GPS)
			return true;
	}
	return false;
}

static void note(struct media *media, bool is_location)
{
	media->has_metadata = true;
	media->has_location |= is_location;
}

/* Behind an Exif mark. */
static void read_exif(struct media *media, struct slice bytes)
{
	for (size_t i = 0; i < TIFF_NEAR && bytes.length; i++, bytes.at++, bytes.length--)
		if (is_tiff(bytes)) {
			note(media, has_place(bytes));
			return;
		}
}

/* The first bytes of a file. */
static void begin(struct media *media, struct slice bytes)
{
	struct slice head = { bytes.at, bytes.length < HEAD ? bytes.length : HEAD };

	media->has_begun = true;
	media->type = type_of(head);
	if (is_tiff(bytes))
		note(media, has_place(bytes));
	/* Documents and archives of documents name who wrote them. */
	if (media->type == MEDIA_PDF || has_at(head, 0, "PK\x03\x04", 4) ||
	    has_at(head, 0, "\xd0\xcf\x11\xe0", 4))
		note(media, false);
}

/* Calls found() for each place in the first n bytes where `text` begins. */
static void find(struct media *media, struct slice bytes, size_t n, struct slice text,
		 void (*found)(struct media *media, struct slice bytes))
{
	size_t most = n + text.length - 1 < bytes.length ? n + text.length - 1 : bytes.length;
	const char *at = bytes.at, *end = bytes.at + most;

	while ((at = memmem(at, (size_t)(end - at), text.at, text.length))) {
		at += text.length;
		found(media, (struct slice){ at, (size_t)(bytes.at + bytes.length - at) });
	}
}

static void note_metadata(struct media *media, struct slice bytes)
{
	note(media, false);
}

static void note_location(struct media *media, struct slice bytes)
{
	note(media, true);
}

/* HEIC names its Exif item in its table; the directory itself is far behind. */
static void read_heic(struct media *media, struct slice bytes)
{
	note(media, true);
}

/* Looks at what begins in the first n bytes; the others lie ahead. */
static void look(struct media *media, struct slice bytes, size_t n)
{
	void (*exif)(struct media * media, struct slice bytes) = read_exif;

	if (!media->has_begun)
		begin(media, bytes);
	if (media->type == MEDIA_HEIC)
		exif = read_heic;
	for (size_t i = 0; i < ARRAY_SIZE(exif_marks); i++)
		find(media, bytes, n, (struct slice){ exif_marks[i], 4 }, exif);
	for (size_t i = 0; i < ARRAY_SIZE(finds); i++)
		if (finds[i].only == MEDIA_UNKNOWN || finds[i].only == media->type)
			find(media, bytes, n, (struct slice){ finds[i].bytes, finds[i].length },
			     finds[i].is_location ? note_location : note_metadata);
}

/* The lead of a code point (RFC 3629), or a control that no text has. */
static bool begin_point(struct media *media, unsigned char c)
{
	media->low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	media->high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	media->n_follow = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	if (c < 0x80)
		return (c >= ' ' && c != 0x7f) || (c && strchr("\t\n\f\r", c));
	return c >= 0xc2 && c <= 0xf4;
}

static bool go_on_point(struct media *media, unsigned char c)
{
	bool is_sound = c >= media->low && c <= media->high;

	media->low = 0x80;
	media->high = 0xbf;
	media->n_follow--;
	return is_sound;
}

static void read_text(struct media *media, struct slice bytes)
{
	for (size_t i = 0; i < bytes.length && !media->is_no_text; i++) {
		unsigned char c = (unsigned char)bytes.at[i];

		media->is_no_text = media->n_follow ? !go_on_point(media, c)
						    : !begin_point(media, c);
	}
}

void media_feed(struct media *media, struct slice bytes)
{
	read_text(media, bytes);
	while (bytes.length) {
		size_t room = sizeof(media->window) - media->n_window;
		size_t n = bytes.length < room ? bytes.length : room;

		memcpy(media->window + media->n_window, bytes.at, n);
		media->n_window += n;
		bytes.at += n;
		bytes.length -= n;
		if (media->n_window < sizeof(media->window))
			return;
		look(media, (struct slice){ media->window, media->n_window }, MEDIA_AHEAD);
		memcpy(media->window, media->window + MEDIA_AHEAD, MEDIA_AHEAD);
		media->n_window = MEDIA_AHEAD;
	}
}

/* Once, after the last piece. */
void media_finish(struct media *media)
{
	look(media, (struct slice){ media->window, media->n_window }, media->n_window);
	if (media->type == MEDIA_UNKNOWN && !media->is_no_text && !media->n_follow)
		media->type = MEDIA_TEXT;
	/* Words about places are no places. */
	if (media->type == MEDIA_TEXT)
		media->has_metadata = media->has_location = false;
}
