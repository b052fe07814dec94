#pragma once
/* Five shares of a key file's master key, as text for five people: any three open the file. */

#include "daemon/keys/vault_file.h"

enum { ESCROW_SHARES = 5, ESCROW_THRESHOLD = 3, ESCROW_TEXT_SIZE = 96 };

enum {
	ESCROW_E_MALFORMED = 1, /* a text that is no share, or mistyped */
	ESCROW_E_SET,           /* shares of two files, one share twice, or fewer than three */
};

int escrow_split(const uint8_t master[VAULT_MASTER_SIZE],
		 char ret_texts[ESCROW_SHARES][ESCROW_TEXT_SIZE]);
/* Says which text is wrong in *ret_bad; n_texts when it is none of them alone. */
int escrow_join(const struct slice *texts, size_t n_texts, uint8_t ret_master[VAULT_MASTER_SIZE],
		size_t *ret_bad);
