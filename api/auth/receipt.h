#pragma once
/* Receipts: what a person without an account shows instead of a name. */

#include "daemon/base/error.h"

enum {
	RECEIPT_SECRET_SIZE = 16,
	RECEIPT_HASH_SIZE = 32,
	RECEIPT_TEXT_SIZE = 36, /* with its NUL */
};

enum { RECEIPT_E_MALFORMED = 1 };

struct receipt {
	uint8_t secret[RECEIPT_SECRET_SIZE];
};

int receipt_new(struct receipt *ret_receipt);
/* Tolerates case, missing or further hyphens, and I, L, O for 1, 1, 0. */
int receipt_read(struct slice text, struct receipt *ret_receipt);
int receipt_write(const struct receipt *receipt, char ret_text[RECEIPT_TEXT_SIZE]);
/* What the database holds of it. */
int receipt_hash(const struct receipt *receipt, uint8_t ret_hash[RECEIPT_HASH_SIZE]);
/* The same where it is a one-time word, which opens nothing and becomes a receipt. */
int receipt_hash_word(const struct receipt *word, uint8_t ret_hash[RECEIPT_HASH_SIZE]);
void receipt_deinit(struct receipt *receipt); /* wipes it; for CLEANUP() */
