#pragma once
/* conductd's cookies: one of the session, one of a login under way. */

#include "api/http/exchange.h"

/* The prefix binds them to this very host, to https and to the whole path: no other host of the
 * domain can set one (RFC 6265bis section 4.1.3.2). */
#define COOKIE_SESSION "__Host-conductd"
#define COOKIE_LOGIN "__Host-conductd-login"

enum { COOKIE_E_ABSENT = 1, COOKIE_E_TWICE };

/* 0, COOKIE_E_ABSENT, or COOKIE_E_TWICE: whose of the two it is nobody can tell. */
int cookie_read(const struct exchange *exchange, const char *name, struct slice *ret_value);
/* Until the browser closes, or for so many seconds. */
void cookie_set(struct exchange *exchange, const char *name, const char *value, unsigned age_s);
void cookie_clear(struct exchange *exchange, const char *name);
