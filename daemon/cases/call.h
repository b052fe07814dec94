#pragma once
/* One call of a verb: from arguments to parameters, and from the database's row to a body with
 * words. */

#include "daemon/cases/form.h"
#include "daemon/cases/opening.h"
#include "daemon/cases/statements.h"

enum { CALL_PARAMS_MAX = 9 };

/* What a verb came to. Lives in the arena of the call. */
struct call_answer {
	int status;                 /* HTTP; below 300: done */
	struct value *body;         /* with its words, an object; NULL when there is none */
	struct slice text;          /* the same as JSON, in place of `body`, where is_text is set */
	const char *error_key;      /* set when status is 400 or more */
	const struct value *params; /* object that the refusal came with, or NULL */
	uint32_t retry_after_s;     /* 0: none is known */
	const char *damaged;        /* 500: the id of content that does not open; else NULL */
};

/* The parameters are added in the order of the statement; everything borrowed lives until done(). A
 * failed addition marks the call; call_submit() says so. */
struct call {
	struct pg_call pg;
	struct arena *arena;
	struct pg_param params[CALL_PARAMS_MAX];
	unsigned n_params;
	bool is_text; /* nobody looks into what a success says: it is not parsed */
	int error;
	/* Who opens the words of the answer, and for whom; NULL: there are none. */
	struct sealer *sealer;
	struct reader reader;
	struct opening opening;
	struct call_answer answer;
	struct slice body; /* as it came, until its words are opened */
	void (*done)(struct call *call, const struct call_answer *answer);
	void *userdata;
};

void call_init(struct call *call, struct arena *arena, enum statement_id statement,
	       enum pg_lane lane);
void call_add_bytes(struct call *call, struct slice bytes); /* at NULL: null */
void call_add_text(struct call *call, struct slice text);   /* at NULL: null */
void call_add_integer(struct call *call, int64_t integer);
void call_add_json(struct call *call, const struct value *value);  /* NULL: null */
void call_add_words(struct call *call, const struct words *words); /* three; sealed */
/* 0: done() runs once, later. Negative: it never runs. */
int call_submit(struct call *call, struct pg_pool *pool,
		void (*done)(struct call *call, const struct call_answer *answer), void *userdata);
