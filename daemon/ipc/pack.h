#pragma once
/* Several byte strings in one payload: each has its length before it. */

#include "daemon/base/error.h"

enum { PACK_PART_LIMIT = 0xffff };

enum { PACK_E_MALFORMED = 1 }; /* too short, too long, or not so many parts */

struct buffer;

/* Appends the parts; one above PACK_PART_LIMIT marks the buffer as failed. */
void pack_write(struct buffer *buffer, const struct slice *parts, size_t n_parts);
/* Borrowed from the payload; ret_parts is untouched unless all of it is exactly n_parts parts. */
int pack_read(struct slice payload, struct slice *ret_parts, size_t n_parts);
