#pragma once
/* A revision as a wiki's REST API tells it (GET /v1/revision/{id}), and the document that is kept
 * of it. */

#include "daemon/base/arena.h"
#include "daemon/base/buffer.h"

enum {
	SNAPSHOT_SOURCE_MAX = 2 * 1024 * 1024,           /* as MediaWiki has it by default */
	SNAPSHOT_BODY_MAX = 6 * 1024 * 1024 + 64 * 1024, /* MediaWiki writes \uXXXX */
	SNAPSHOT_DOCUMENT_MAX = 4 * 1024 * 1024,
};

enum {
	SNAPSHOT_E_GONE = 1,  /* the wiki has no such revision, or no more */
	SNAPSHOT_E_HIDDEN,    /* it has, and shows it to nobody */
	SNAPSHOT_E_TOO_LARGE, /* more than is kept */
	SNAPSHOT_E_GARBAGE,   /* not an answer to believe */
};

/* How a snapshot ends, in the words of the database; PAGE_SNAPSHOTS of them. */
extern const char *const snapshot_states[];

struct snapshot_place {
	const char *wiki; /* dbname */
	const char *url;  /* what was asked */
	int64_t revision;
	int64_t fetched_us; /* since 1970 */
};

/* The address of a revision; `rest` as the configuration has it, `host` for its star. The arena's.
 */
const char *snapshot_write_url(struct arena *arena, const char *rest, const char *host,
			       int64_t revision);
/* Appends the document, whose `source` is the revision's, byte for byte. 0, SNAPSHOT_E_… or
 * negative. */
int snapshot_read(long status, struct slice body, const struct snapshot_place *place,
		  struct buffer *document);
