#pragma once
/* The actions of the interface: who may name them, what their bodies hold, what they call. */

#include "daemon/cases/form.h"
#include "daemon/cases/statements.h"

enum action_audience { ACTION_HANDLER, ACTION_PARTY };

struct action {
	const char *name;
	enum action_audience audience;
	bool needs_revision; /* moves a case: If-Match is needed */
	enum statement_id statement;
	const struct form *body;
};

/* The body of POST /v1/receipt/prove. */
extern const struct form action_prove[];
extern const struct action actions[];
extern const size_t actions_n;

/* NULL: no such action for that audience. */
const struct action *action_find(enum action_audience audience, struct slice name);

/* Bodies that are no actions. */
extern const struct form action_message[];
extern const struct form action_grant[];
extern const struct form action_grant_end[];
extern const struct form action_hold[];
/* A one-time word goes with it, which the database may take. */
bool action_gives_word(const struct action *action);
