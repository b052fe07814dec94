#pragma once
/* Range and If-Range (RFC 9110 section 14): one range of bytes, of what does not change. */

#include "daemon/base/error.h"

/* Bytes first..last of a body; or, of one whose length is not known yet, the last `n_last`. */
struct range {
	uint64_t first, last; /* last is RANGE_END for "to the end" */
	uint64_t n_last;      /* 0: `first` is meant */
};

#define RANGE_END UINT64_MAX

enum {
	RANGE_E_WHOLE = 1, /* no header, one of several ranges, or one that is to be ignored */
	RANGE_E_BEYOND,    /* nothing of it is there: 416 */
};

/* 0 or RANGE_E_WHOLE. */
int range_read(struct slice header, struct range *ret_range);
/* Where the range begins and ends in a body of this size, which is not 0. 0 or RANGE_E_BEYOND. */
int range_fit(const struct range *range, uint64_t size, uint64_t *ret_first, uint64_t *ret_last);
/* Whether If-Range lets a range be answered: `tag` is the ETag without quotes. A date never does:
 * nothing here has one. */
bool range_is_fresh(struct slice if_range, const char *tag);
