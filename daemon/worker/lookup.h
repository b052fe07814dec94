#pragma once
/* action=query&list=users: names asked for, and the central ids in the answer. */

#include "daemon/base/arena.h"
#include "daemon/base/buffer.h"
#include "daemon/json/value.h"

enum { LOOKUP_LIMIT = 50, LOOKUP_SIZE_MAX = 256 * 1024 };

enum {
	LOOKUP_E_GARBAGE = 1, /* not an answer to believe */
	LOOKUP_E_PROVIDER,    /* the wiki tells no ids of this provider */
};

struct lookup_name {
	struct slice subject; /* what the database knows the row by */
	struct slice name;    /* as reported */
	struct slice folded;  /* as wikis compare it; empty: no name that a wiki could have */
	struct slice id;      /* found: digits; else empty */
	bool is_temporary;
};

/* One request's form body for all names that have a fold. */
void lookup_write_form(struct buffer *form, const struct lookup_name *names, size_t n_names);
/* Fills in the ids, of that provider among $wgCentralIdLookupProviders; everything is the arena's.
 * 0, LOOKUP_E_…, or negative. */
int lookup_read(struct arena *arena, struct slice body, const char *provider,
		struct lookup_name *names, size_t n_names);
