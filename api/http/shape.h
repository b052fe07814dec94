#pragma once
/* The shape of a JSON body as rows: every fault is told at once, unknown members are faults. */

#include "api/http/exchange.h"

enum shape_type {
	SHAPE_TEXT,  /* valid, normalised text of 1 … max code points that is not only space */
	SHAPE_TOKEN, /* visible ASCII without space, 1 … max bytes */
	SHAPE_UUID,
	SHAPE_TIMESTAMP, /* RFC 3339 */
	SHAPE_ENUM,      /* one of `words` */
	SHAPE_INTEGER,   /* min … max */
	SHAPE_BOOLEAN,
	SHAPE_OBJECT, /* `members` */
	SHAPE_ARRAY,  /* min … max items, each like `item` */
	SHAPE_ANY,    /* checked by the caller */
};

enum shape_flags {
	SHAPE_REQUIRED = 1 << 0,
	SHAPE_NULLABLE = 1 << 1, /* null reads as absent: not enough where it is required */
	SHAPE_EMPTY = 1 << 2,    /* a text may be empty */
};

struct shape {
	const char *member; /* NULL in an item, and in the row that ends a table */
	enum shape_type type;
	unsigned flags;
	int64_t min, max;
	const char *const *words;    /* SHAPE_ENUM: ends with NULL */
	const struct shape *members; /* SHAPE_OBJECT: ends with a row without member */
	const struct shape *item;    /* SHAPE_ARRAY */
};

struct shape_faults; /* a growing array of {pointer, detail} */

int shape_faults_new(struct arena *arena, struct shape_faults **ret_faults);
/* `pointer` is a JSON pointer (RFC 6901), "" for the whole body. */
void shape_fault(struct shape_faults *faults, const char *pointer, const char *detail);
size_t shape_n_faults(const struct shape_faults *faults);

/* Checks `value` against the members of an object and appends to *faults. 0 or -ENOMEM. */
int shape_check(const struct value *value, const struct shape *members,
		struct shape_faults *faults);
/* True: no fault. False: the 422 (or the failure) has been answered. */
bool shape_accept(struct exchange *exchange, const struct shape *members);
/* Answers 422 with all faults. */
void shape_refuse(struct exchange *exchange, const struct shape_faults *faults);

/* A checked text member, NFC, in the arena; *ret_text.at NULL: absent or null. 0, -ENOMEM, or
 * SHAPE_E_INVALID when it is no text of at most max_points. */
enum { SHAPE_E_INVALID = 1 };
int shape_read_text(struct arena *arena, const struct value *object, const char *member,
		    size_t max_points, struct slice *ret_text);
