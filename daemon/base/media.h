#pragma once
/*
 * What a file is, as its bytes say, and whether it tells more than its maker may know. Fed piece by
 * piece; what is found does not depend on where the pieces end. Nothing a browser would run has a
 * type of its own: markup is plain text, the rest unknown.
 */

#include "daemon/base/error.h"

enum media_type {
	MEDIA_UNKNOWN, /* application/octet-stream */
	MEDIA_GIF,
	MEDIA_HEIC,
	MEDIA_JPEG,
	MEDIA_MP4,
	MEDIA_OGG_AUDIO,
	MEDIA_OGG_VIDEO,
	MEDIA_PDF,
	MEDIA_PNG,
	MEDIA_TEXT,
	MEDIA_WEBM,
	MEDIA_WEBP,
	_MEDIA_N,
};

enum { MEDIA_AHEAD = 4096 /* of metadata, as much is read */ };

/* {0} is one without bytes. */
struct media {
	enum media_type type; /* after media_finish() */
	bool has_metadata;    /* of a camera, an author, a program */
	bool has_location;    /* says where, or may say it */

	char window[2 * MEDIA_AHEAD];
	size_t n_window;
	bool has_begun; /* the first bytes have been looked at */
	bool is_no_text;
	unsigned n_follow; /* bytes that a code point still needs, the next in low..high */
	unsigned char low, high;
};

void media_feed(struct media *media, struct slice bytes);
void media_finish(struct media *media);
const char *media_type_name(enum media_type type); /* "image/png" */
