#pragma once
/*
 * One entry of the log as bytes, version 1. Numbers are big-endian.
 *
 *   1   version, 1
 *   8   time, microseconds since 1970, signed
 *   1   length of the event's name, then the name: a-z, 0-9, '.', '_'
 *   16  pseudonym of who acted; zero: the system, or a party
 *   16  pseudonym of the case; zero: none
 *   2   number of rows, then for each: 16 its id, 32 SHA-256 of its ciphertext
 *   32  SHA-256(salt | payload)
 *
 * conduct_gate.audit_leaf_bytes() writes the same.
 */

#include "daemon/base/error.h"

enum {
	LEAF_VERSION = 1,
	LEAF_ID_SIZE = 16,
	LEAF_HASH_SIZE = 32,
	LEAF_ROW_SIZE = LEAF_ID_SIZE + LEAF_HASH_SIZE,
	LEAF_EVENT_MAX = 63,
	LEAF_ROWS_MAX = 1024,
	LEAF_FIXED_SIZE = 1 + 8 + 1 + 2 * LEAF_ID_SIZE + 2 + LEAF_HASH_SIZE,
	LEAF_SIZE_MAX = LEAF_FIXED_SIZE + LEAF_EVENT_MAX + LEAF_ROWS_MAX * LEAF_ROW_SIZE,
	LEAF_SALT_SIZE = 32,
};

enum { LEAF_E_MALFORMED = 1 };

struct leaf {
	int64_t at_usec;
	struct slice event;
	uint8_t actor[LEAF_ID_SIZE];
	uint8_t case_file[LEAF_ID_SIZE];
	size_t n_rows;
	const uint8_t *rows; /* n_rows of LEAF_ROW_SIZE: id, hash */
	uint8_t commitment[LEAF_HASH_SIZE];
};

/* What is read stays in `bytes`. */
int leaf_read(struct slice bytes, struct leaf *ret_leaf);
/* Writes at most LEAF_SIZE_MAX bytes: 0, or LEAF_E_MALFORMED for what leaf_read() would refuse. */
int leaf_write(const struct leaf *leaf, uint8_t *ret_bytes, size_t *ret_length);
int leaf_commit(struct slice salt, struct slice payload, uint8_t ret_commitment[LEAF_HASH_SIZE]);
