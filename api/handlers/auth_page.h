#pragma once
/* The few pages of signing in: the chooser of the demo people, the end of a popup, a refusal. */

#include "api/auth/people.h"
#include "api/http/exchange.h"

/* Whoever asks would rather read a page than problem+json. */
bool auth_page_is_wanted(const struct exchange *exchange);
void auth_page_choose(struct exchange *exchange, const struct people *people, const char *state);
/* Hands `code` to the page that opened the popup, if that page is of `origin`, and closes it. */
void auth_page_hand_over(struct exchange *exchange, const char *code, struct slice origin);
/* As a page or as problem+json. */
void auth_page_refuse(struct exchange *exchange, int status, const char *key,
		      unsigned retry_after_s);
