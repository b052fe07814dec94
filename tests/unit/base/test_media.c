/* daemon/base/media.c: files by their first bytes, whatever they call themselves; and what they say
 * beside what they show. */

#include "tests/unit/suite.h"

#include "daemon/base/media.h"

#define OGG "OggS\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\x2a"

static struct media read_file(struct slice bytes)
{
	struct media media = { 0 };

	media_feed(&media, bytes);
	media_finish(&media);
	return media;
}

static const char *type_of(struct slice bytes)
{
	return media_type_name(read_file(bytes).type);
}

START_TEST(types_are_those_of_the_first_bytes)
{
	static const struct {
		struct slice bytes;
		const char *type;
	} rows[] = {
		{ SLICE("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "image/png" },
		{ SLICE("\xff\xd8\xff\xe0"), "image/jpeg" },
		{ SLICE("GIF87a"), "image/gif" },
		{ SLICE("GIF89a=1;alert(1)"), "image/gif" },
		{ SLICE("RIFF\0\0\0\0WEBPVP8 "), "image/webp" },
		{ SLICE("RIFF\0\0\0\0WAVEfmt "), "application/octet-stream" },
		{ SLICE("%PDF-1.7\n"), "application/pdf" },
		{ SLICE("\0\0\0\x20"
			"ftypheic"),
		  "image/heic" },
		{ SLICE("\0\0\0\x20"
			"ftypisom"),
		  "video/mp4" },
		{ SLICE("\0\0\0\x20"
			"ftypqt  "),
		  "application/octet-stream" },
		{ SLICE("\x1a\x45\xdf\xa3\x42\x82\x84webm"), "video/webm" },
		{ SLICE("\x1a\x45\xdf\xa3\x42\x82\x88matroska"), "application/octet-stream" },
		{ SLICE(OGG "\x80theora"), "video/ogg" },
		{ SLICE(OGG "\x01vorbis"), "audio/ogg" },
		{ SLICE(OGG "OpusHead"), "audio/ogg" },
		{ SLICE(OGG "Speex   "), "application/octet-stream" },
		{ SLICE("PK\x03\x04"), "application/octet-stream" },
		{ SLICE("MZ\x90\0"), "application/octet-stream" },
		{ SLICE("plain words\r\n"), "text/plain" },
		{ SLICE("<svg onload=alert(1)>"), "text/plain" },
		{ SLICE("<!DOCTYPE html><script>"), "text/plain" },
		{ SLICE("<?xml version=\"1.0\"?>"), "text/plain" },
		{ SLICE("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), "text/plain" },
		{ SLICE("with a \0 in it"), "application/octet-stream" },
		{ SLICE("with \x1b[31m in it"), "application/octet-stream" },
		{ SLICE("with \x7f in it"), "application/octet-stream" },
		{ SLICE("cut \xe2\x82"), "application/octet-stream" },
		{ SLICE("overlong \xc0\xaf"), "application/octet-stream" },
		{ SLICE("overlong \xe0\x80\xaf"), "application/octet-stream" },
		{ SLICE("surrogate \xed\xa0\x80"), "application/octet-stream" },
		{ SLICE("beyond \xf4\x90\x80\x80"), "application/octet-stream" },
		{ SLICE("\xff\xfe<\0h\0"), "application/octet-stream" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ck_assert_msg(strcmp(type_of(rows[i].bytes), rows[i].type) == 0, "row %zu: %s", i,
			      type_of(rows[i].bytes));
}
END_TEST

#define JPEG                       \
	"\xff\xd8\xff\xe1\x00\x40" \
	"Exif\0\0"
#define PLACE "\x88\x25\x00\x04\x00\x00\x00\x01\x00\x00\x00\x1a"
#define CAMERA "\x01\x0f\x00\x02\x00\x00\x00\x01\x00\x00\x00\x1a"
#define CAMERA_LE "\x0f\x01\x02\x00\x01\x00\x00\x00\x1a\x00\x00\x00"
#define PLACE_LE "\x25\x88\x04\x00\x01\x00\x00\x00\x1a\x00\x00\x00"

START_TEST(what_a_file_says_beside_its_picture_is_found)
{
	static const struct {
		struct slice bytes;
		bool has_metadata, has_location;
	} rows[] = {
		{ SLICE("\xff\xd8\xff\xe0\x00\x10JFIF\0"), false, false },
		{ SLICE(JPEG "MM\0*\0\0\0\x08\0\1" CAMERA), true, false },
		{ SLICE(JPEG "MM\0*\0\0\0\x08\0\2" CAMERA PLACE), true, true },
		{ SLICE(JPEG "II*\0\x08\0\0\0\1\0" CAMERA_LE), true, false },
		{ SLICE(JPEG "II*\0\x08\0\0\0\2\0" CAMERA_LE PLACE_LE), true, true },
		/* What is not all there may say anything. */
		{ SLICE(JPEG "MM\0*\0\0\0\x08\0\2" CAMERA), true, true },
		{ SLICE(JPEG "MM\0*\0\0\xff\x08"), true, true },
		{ SLICE(JPEG "MM\0*\0"), true, true },
		{ SLICE(JPEG "neither"), false, false },
		{ SLICE("\x89PNG\r\n\x1a\n\0\0\0\x20"
			"eXIfMM\0*\0\0\0\x08\0\1" PLACE),
		  true, true },
		{ SLICE("\x89PNG\r\n\x1a\n\0\0\0\x0c"
			"tEXtAuthor\0Jane"),
		  true, false },
		{ SLICE("\x89PNG\r\n\x1a\n\0\0\0\x0d"
			"IHDR"),
		  false, false },
		{ SLICE("GIF89atEXt"), false, false },
		{ SLICE("RIFF\0\0\0\0WEBPEXIF\x20\0\0\0II*\0\x08\0\0\0\1\0" CAMERA_LE), true,
		  false },
		{ SLICE("\xff\xd8\xff\xe1"
			"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>"),
		  true, false },
		{ SLICE("\xff\xd8\xff\xe1<exif:GPSLatitude>"), true, true },
		{ SLICE("\xff\xd8\xff\xed\0\x20Photoshop 3.0\0"), true, false },
		{ SLICE("\0\0\0\x20"
			"ftypheic infeExif"),
		  true, true },
		{ SLICE("\0\0\0\x20"
			"ftypheic"),
		  false, false },
		{ SLICE("\0\0\0\x20"
			"ftypisom udta\xa9xyz+48.1"),
		  true, true },
		{ SLICE("\0\0\0\x20"
			"ftypqt  com.apple.quicktime.location.ISO6709"),
		  true, true },
		{ SLICE("%PDF-1.4"), true, false },
		{ SLICE("PK\x03\x04word/document.xml"), true, false },
		{ SLICE("II*\0\x08\0\0\0\1\0" CAMERA_LE), true, false },
		{ SLICE("II*\0\xff\xff\xff\x7f"), true, true },
		{ SLICE("He wrote of Exif, GPSLatitude and location.ISO6709."), false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct media media = read_file(rows[i].bytes);

		ck_assert_msg(media.has_metadata == rows[i].has_metadata &&
				      media.has_location == rows[i].has_location,
			      "row %zu: %d %d", i, media.has_metadata, media.has_location);
	}
}
END_TEST

/* Wherever it is, and however the bytes come. */
START_TEST(nothing_hides_behind_a_long_file_or_between_two_pieces)
{
	static char file[5 * MEDIA_AHEAD];
	static const char hidden[] = "eXIfMM\0*\0\0\0\x08\0\1" PLACE;

	for (size_t at = 8; at + sizeof(hidden) <= sizeof(file); at += 41) {
		struct media media = { 0 };
		size_t n;

		memset(file, 0, sizeof(file));
		memcpy(file, "\x89PNG\r\n\x1a\n", 8);
		memcpy(file + at, hidden, sizeof(hidden) - 1);
		for (size_t i = 0; i < sizeof(file); i += n) {
			n = sizeof(file) - i < 1000 + at % 9 ? sizeof(file) - i : 1000 + at % 9;
			media_feed(&media, (struct slice){ file + i, n });
		}
		media_finish(&media);
		ck_assert_msg(media.type == MEDIA_PNG && media.has_location, "at %zu", at);
	}
}
END_TEST

SUITE("base/media", types_are_those_of_the_first_bytes,
      what_a_file_says_beside_its_picture_is_found,
      nothing_hides_behind_a_long_file_or_between_two_pieces)
