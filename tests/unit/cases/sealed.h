#pragma once
/* Answers as the database gives them, with words that are sealed. */

#include "daemon/cases/sealing.h"

/* The two literals of an answer: every entry of `words`, sealed already, of the unit; what is of
 * the party's channel names the party. */
void sealed_answer(const struct words *words, const uint8_t unit_id[KEYS_ID_SIZE],
		   const uint8_t *party_id, struct slice *ret_ids, struct slice *ret_words);
