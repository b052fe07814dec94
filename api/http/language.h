#pragma once
/* Which languages a reader asks for: Accept-Language and lang=a|b|c. */

#include "daemon/base/error.h"

enum { LANGUAGE_LIST_MAX = 8, LANGUAGE_CODE_MAX = 35 };

/* Lower-case codes, the wanted ones first. */
struct language_list {
	char codes[LANGUAGE_LIST_MAX][LANGUAGE_CODE_MAX + 1];
	size_t n_codes;
};

/* RFC 9110 section 12.5.4; what is malformed is skipped, q=0 and "*" too. */
void language_read_accept(struct slice header, struct language_list *ret_list);
/* False: an empty or malformed code, or more than LANGUAGE_LIST_MAX. */
bool language_read_list(struct slice text, struct language_list *ret_list);
