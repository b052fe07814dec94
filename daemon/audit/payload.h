#pragma once
/* The lines of a payload, and the fields of a line. */

#include "daemon/audit/tree.h"

enum payload_kind {
	PAYLOAD_OTHER, /* says what was done, and of no row what it is */
	PAYLOAD_ROW,   /* TABLE KEY SHA256 */
	PAYLOAD_GONE,  /* gone TABLE KEY */
	PAYLOAD_ENTRY, /* entry N */
};

struct payload_line {
	enum payload_kind kind;
	struct slice table; /* "entry" of an entry */
	struct slice key;
	struct tree_hash hash; /* of a row */
};

/* Takes the next line off a payload that has one. */
struct payload_line payload_next(struct slice *payload);
/* Whether rows of a table may go while their case stays. */
bool payload_may_go(struct slice table);
/* Takes what is before the next blank off a line, or all of it. */
struct slice payload_field(struct slice *line);
/* 64 digits. */
bool payload_read_hash(struct slice hex, struct tree_hash *ret_hash);
