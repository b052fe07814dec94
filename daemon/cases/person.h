#pragma once
/* A person's name on its way to person_seen(): sealed in the person's own unit. */

#include "daemon/base/arena.h"
#include "daemon/cases/seal.h"
#include "daemon/pg/pg.h"

enum { PERSON_PARAMS = 4 }; /* the last of person_seen(): unit, and the three of words */

/* Seals a name, "" where the wiki hides it. `unit`: a UUID, or NULL for a new one. Everything is
 * the arena's. */
int person_seal(struct arena *arena, struct sealer *sealer, const char *unit, struct slice name,
		struct pg_param ret_params[PERSON_PARAMS]);
/* The unit that the name has to be sealed in before the call is made again, as the arena's text;
 * NULL: the person is known. */
int person_read_unit(struct arena *arena, const struct pg_answer *answer, const char **ret_unit);
