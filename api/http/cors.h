#pragma once
/* Inside api/http: which pages of other origins may read an answer (Fetch standard, CORS). */

#include "api/http/exchange.h"

/* Whose pages may: exact origins, and those that `is_wiki` knows. No origin is ever a pattern. */
struct cors {
	const char *const *origins;
	size_t n_origins;
	bool (*is_wiki)(void *application, struct slice origin); /* NULL: no further ones */
};

/* One of them, exactly. */
bool cors_knows(const struct exchange *exchange, struct slice origin);
/* The answer depends on Origin; an allowed one is echoed. `origin` may be at NULL. */
void cors_admit(struct exchange *exchange, struct slice origin);
/* OPTIONS that asks before a request: the methods of the path that pages may use. */
void cors_allow(struct exchange *exchange, unsigned methods);
/* Origin of a head that cannot be read otherwise; at NULL unless there is exactly one. */
struct slice cors_find(struct slice bytes);
/* The header lines of an answer. */
void cors_write(const struct exchange *exchange, struct buffer *head);
/* scheme://host or scheme://host:port, lower case, as browsers write it; never "null". */
bool cors_is_origin(const char *text);
