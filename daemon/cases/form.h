#pragma once
/*
 * The shape of a JSON body as rows, and the one walk that checks a body by them. The walk names
 * every error at once, moves words and names out, and returns the arguments the database is called
 * with.
 */

#include "daemon/cases/names.h"
#include "daemon/cases/words.h"

enum {
	FORM_ERRORS_MAX = 100,    /* more are not named */
	FORM_ITEMS_DEFAULT = 100, /* of a list that names no limit */
	FORM_NAME_MAX = 255,      /* code points of a user name */
	FORM_URL_MAX = 2000,      /* code points */
};

enum form_type {
	FORM_WORD,     /* human text of at most `limit` code points; becomes the id of a word */
	FORM_URL,      /* a word that starts with http:// or https:// */
	FORM_USER,     /* a user name; becomes a word and indexes beside it */
	FORM_PERSON,   /* the id of a person, or {"user": name}; becomes an index then */
	FORM_EVIDENCE, /* an id, or a word that stays where it is as {"$word": id} */
	FORM_BOOLEAN,
	FORM_TRUE,     /* true; anything else says nothing */
	FORM_INTEGER,  /* 0 … `limit` */
	FORM_REVISION, /* the number of a wiki's revision; becomes a word that is a number */
	FORM_TIME,     /* RFC 3339 */
	FORM_UUID,
	FORM_CHOICE, /* one of `choices` */
	FORM_ID,     /* of policy data: [a-z0-9][a-z0-9._-]*, at most 64 */
	FORM_RULE,   /* ids joined by '/' */
	FORM_WIKI,   /* dbname */
	FORM_LANG,
	FORM_OBJECT, /* of `members` */
};

enum form_flags {
	FORM_REQUIRED = 1 << 0, /* else null and absent are the same */
	FORM_NULLABLE = 1 << 1, /* must be there, may be null */
	FORM_LIST = 1 << 2,     /* of the type; at most `items` */
	FORM_FILLED = 1 << 3,   /* a list of at least one */
	FORM_ONE_OF = 1 << 4,   /* an object with exactly one of its members */
	FORM_INLINE = 1 << 5,   /* a word that stays where it is, as {"$word": id} */
};

struct form {
	const char *name; /* NULL ends a shape */
	enum form_type type;
	unsigned flags;
	int64_t limit;
	const char *const *choices; /* NULL-terminated */
	const struct form *members;
	size_t items;
};

struct form_error {
	const char *pointer; /* RFC 6901 */
	const char *detail;
};

/* One body being checked. */
struct form_check {
	struct arena *arena;
	const struct names *names;
	struct words words;
	bool is_lenient; /* what is optional and wrong is dropped, not refused */
	bool has_dropped;
	struct form_error errors[FORM_ERRORS_MAX];
	size_t n_errors;
};

void form_check_init(struct form_check *check, struct arena *arena, const struct names *names);
/* 0: *ret_args is the caller's, check->n_errors tells whether it may be used; or negative. */
int form_check_body(struct form_check *check, const struct form *form, const struct value *body,
		    struct value **ret_args);
/* Adds an error; the texts live as long as the arena. */
void form_refuse(struct form_check *check, const char *pointer, const char *detail);
/* The errors as [{pointer, detail}]; the caller's; NULL when out of memory. */
struct value *form_write_errors(const struct form_check *check);
