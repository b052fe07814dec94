#pragma once
/* One-time words: given with an act on a case, and proved for a receipt of one's own. */

#include "api/handlers/verb.h"

/* Adds a fresh word to an act's arguments, as the database stores it and as the answer repeats it.
 * False: the exchange has been answered. */
bool word_add(struct exchange *exchange, struct slice scope, struct value *args);
/* As verb_reply_case(), with the word where the act has given it. */
void word_reply_case(struct call *call, const struct call_answer *answer);

void word_prove(struct exchange *exchange);
