#pragma once
/* Lists that go on: ?limit= and ?cursor= in, items and the next cursor out. */

#include "api/handlers/verb.h"

/* A list's name and the types of its sort key, one letter each: i integer, t time, u UUID. */
struct page {
	const char *name;
	const char *keys;
};

/* The two parameters of the list's statement; *ret_after is null on the first page. False: 400 has
 * been sent. */
bool page_read(struct exchange *exchange, const struct page *page, unsigned *ret_limit,
	       const struct value **ret_after);
/* Answers with the items; `next` becomes a cursor that holds for the same list and filters alone.
 */
void page_reply(struct exchange *exchange, const struct page *page,
		const struct call_answer *answer);
