#pragma once
/*
 * Human text on its way in and out of the database. A word is any text or name that a person wrote,
 * or the number of a revision, which says as much:
 * in arguments an id stands in its place, in answers {"$word": id}; the bytes travel beside the
 * JSON, sealed (daemon/cases/sealing.h), because only C reads and writes them.
 */

#include "daemon/base/arena.h"
#include "daemon/json/value.h"

enum { WORDS_MAX = 1024 }; /* in one request */

#define WORD_NUMBER "revision" /* the kind of words that are numbers in JSON */

struct word {
	const char *id;   /* UUID */
	const char *kind; /* the member it stood under: "details", "name" … */
	struct slice text;
	struct slice sealed; /* what the database gets; at NULL until then */
};

struct words {
	struct arena *arena;
	struct word *items;
	size_t n_items;
	size_t capacity;
};

void words_init(struct words *words, struct arena *arena);
/* `kind` is borrowed for the arena's life. -E2BIG: more than WORDS_MAX. */
int words_add(struct words *words, const char *kind, struct slice text, const char **ret_id);
/* What goes along with words and is none: a kind that begins with '$', and bytes that are borrowed.
 */
int words_add_entry(struct words *words, const char *kind, const char *id, struct slice bytes);
/* As literals of uuid[], text[] and bytea[]. -EINVAL: one is not sealed. */
int words_write(const struct words *words, struct slice *ret_ids, struct slice *ret_kinds,
		struct slice *ret_texts);

/* The texts of an answer, by id. */
struct opened_words {
	const struct word *items;
	size_t n_items;
};

/* Sorts the items, which are borrowed. */
void words_sort(struct opened_words *lookup, struct word *items, size_t n_items);
/* Replaces every {"$word": id} in `body` by its text; null where there is none. */
int words_fill(const struct opened_words *lookup, struct value *body);
/* The same from text to text, without values between: `body` is an object as PostgreSQL writes it.
 * -EPROTO: a string has no end. */
int words_fill_text(struct arena *arena, const struct opened_words *lookup, struct slice body,
		    struct slice *ret_body);
