#pragma once
/* Bytes that many answers send without copying them. Counted, within one process. */

#include "daemon/base/error.h"

struct shared {
	unsigned n_references;
	struct slice bytes;
	char tag[40]; /* ETag without quotes */
};

/* Copies the bytes; the tag is of their SHA-256. 0 or negative. */
int shared_new(struct slice bytes, struct shared **ret_shared);
struct shared *shared_ref(struct shared *shared);
struct shared *shared_unref(struct shared *shared); /* takes NULL; NULL */
