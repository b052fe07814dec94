/*
 * Several ranges at once are answered with the whole, as RFC 9110 section 14.2 allows: nobody needs
 * them to go on with a download, and they are how servers were made to send much for little.
 */

#include "api/http/range.h"

#include <string.h>
#include <strings.h>

enum { DIGITS_MAX = 15 };

static bool read_number(const char **at, const char *end, uint64_t *ret_number)
{
	const char *start = *at;
	uint64_t number = 0;

	while (*at < end && **at >= '0' && **at <= '9' && *at - start < DIGITS_MAX)
		number = number * 10 + (uint64_t)(*(*at)++ - '0');
	*ret_number = number;
	return *at > start;
}

int range_read(struct slice header, struct range *ret_range)
{
	static const char unit[] = "bytes=";
	const size_t n = sizeof(unit) - 1;
	const char *at = header.at + n, *end = header.at + header.length;
	struct range range = { .last = RANGE_END };

	if (!header.at || header.length <= n || strncasecmp(header.at, unit, n) != 0)
		return RANGE_E_WHOLE;
	if (*at == '-') {
		at++;
		/* The last 0 bytes are none, and stay a range that is beyond. */
		if (!read_number(&at, end, &range.n_last) || at != end)
			return RANGE_E_WHOLE;
		if (range.n_last == 0)
			range.first = RANGE_END;
		*ret_range = range;
		return 0;
	}
	if (!read_number(&at, end, &range.first) || at == end || *at++ != '-')
		return RANGE_E_WHOLE;
	if (at < end && !read_number(&at, end, &range.last))
		return RANGE_E_WHOLE;
	if (at != end || range.last < range.first)
		return RANGE_E_WHOLE;
	*ret_range = range;
	return 0;
}

int range_fit(const struct range *range, uint64_t size, uint64_t *ret_first, uint64_t *ret_last)
{
	uint64_t first = range->first, last = range->last;

	if (range->n_last) {
		first = range->n_last < size ? size - range->n_last : 0;
		last = size - 1;
	}
	if (first >= size)
		return RANGE_E_BEYOND;
	*ret_first = first;
	*ret_last = last < size ? last : size - 1;
	return 0;
}

bool range_is_fresh(struct slice if_range, const char *tag)
{
	size_t length = strlen(tag);

	if (!if_range.at)
		return true;
	/* Strong comparison: a weak tag is never equal. */
	return if_range.length == length + 2 && if_range.at[0] == '"' &&
	       if_range.at[length + 1] == '"' && memcmp(if_range.at + 1, tag, length) == 0;
}
