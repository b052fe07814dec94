#pragma once
/* The demo issuer's people file: which central id has which user name. */

#include "daemon/base/error.h"

struct people;

struct person {
	const char *name;      /* "functionary2" */
	const char *id;        /* central id: digits */
	const char *user;      /* user name, as written */
	const char *home_wiki; /* or NULL */
};

enum { PEOPLE_E_REFUSED = 1, PEOPLE_E_UNREADABLE };

/* {"people": {NAME: {"sub": …, "user": …, "home_wiki": …}}}; further members are left alone. The
 * `sub`s are read in `scope`. *ret_message is a static text on a positive return. */
int people_new(struct slice bytes, const char *scope, struct people **ret_people,
	       const char **ret_message);
int people_load(const char *file, const char *scope, struct people **ret_people,
		const char **ret_message);
struct people *people_free(struct people *people);
void people_freep(struct people **people); /* for CLEANUP() */

const struct person *people_find(const struct people *people, struct slice id); /* or NULL */
size_t people_count(const struct people *people);
const struct person *people_at(const struct people *people, size_t index);
