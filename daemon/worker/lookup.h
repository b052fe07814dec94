#pragma once
/* action=query&list=users: names asked for, and the central ids in the answer. */

#include "daemon/base/arena.h"
#include "daemon/base/buffer.h"
#include "daemon/json/value.h"

enum { LOOKUP_LIMIT = 50, LOOKUP_SIZE_MAX = 256 * 1024 };

enum { LOOKUP_E_GARBAGE = 1 };

struct lookup_name {
	struct slice subject; /* what the database knows the row by */
	struct slice name;    /* as reported */
	struct slice folded;  /* as wikis compare it; empty: no name that a wiki could have */
	struct slice id;      /* found: digits; else empty */
	bool is_temporary;
};

/* One request's form body for all names that have a fold. */
void lookup_write_form(struct buffer *form, const struct lookup_name *names, size_t n_names);
/* Fills in the ids; everything is the arena's. LOOKUP_E_GARBAGE: not an answer to believe. */
int lookup_read(struct arena *arena, struct slice body, const char *scope,
		struct lookup_name *names, size_t n_names);
