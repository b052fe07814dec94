#pragma once
/* Problem bodies: RFC 9457 with MediaWiki's members, in the reader's language and in English. */

#include "api/http/exchange.h"

/* Writes application/problem+json. -ENOMEM, or 0. */
int problem_write(const struct exchange *exchange, const struct problem *problem,
		  struct buffer *buffer);
