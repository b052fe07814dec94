#pragma once
/*
 * Human text on its way in and out of the database. A word is any text or name that a person wrote:
 * in arguments an id stands in its place, in answers {"$word": id}; the bytes travel beside the
 * JSON, because only C reads and writes them.
 */

#include "daemon/base/arena.h"
#include "daemon/json/value.h"

enum { WORDS_MAX = 1024 }; /* in one request */

struct word {
	const char *id;   /* UUID */
	const char *kind; /* the member it stood under: "details", "name" … */
	struct slice text;
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
/* As literals of uuid[], text[] and bytea[]. */
int words_write(const struct words *words, struct slice *ret_ids, struct slice *ret_kinds,
		struct slice *ret_texts);
/* Replaces every {"$word": id} in `body` by its text; null where there is none. `ids` and `texts`
 * are the literals of an answer. -EPROTO: they do not fit together. */
int words_fill(struct arena *arena, struct value *body, struct slice ids, struct slice texts);
/* The same from text to text, without values between: `body` is an object as PostgreSQL writes it.
 */
int words_fill_text(struct arena *arena, struct slice body, struct slice ids, struct slice texts,
		    struct slice *ret_body);
