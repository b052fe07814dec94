#pragma once
/* Whether a request comes from a page of conductd's own. */

#include "api/http/exchange.h"

/* The origin of conductd's own pages for this request, in the arena. `configured` is
 * "https://conduct.example", or empty: what Host says, on loopback alone. at is NULL when there is
 * none. */
struct slice origin_own(const char *configured, const struct exchange *exchange);
/* An unsafe request that a page of our own has made, as the browser says. */
bool origin_is_same(const char *configured, const struct exchange *exchange);
/* 127.0.0.0/8, [::1] or localhost, with or without a port. */
bool origin_is_loopback(struct slice host);
