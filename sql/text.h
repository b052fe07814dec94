#pragma once
/* The SQL of this repository as it was built in: no file is needed beside the program. */

#include "daemon/base/error.h"

/* C and SQL agree on this number: the functions are those of schema conduct_api_1. */
enum { SQL_CONTRACT = 1 };

enum sql_folder {
	SQL_BOOTSTRAP,  /* what a superuser runs once, and after each migration */
	SQL_MIGRATIONS, /* in order, each once, never changed */
	SQL_DATA,       /* rows that the program relies on; safe to run again */
	SQL_API,        /* functions; created or replaced */
	SQL_CATALOG,    /* the query that lists what a database is built of, and its answer */
};

struct sql_text {
	const char *name; /* path below sql/ */
	const char *text;
	const char *sha256; /* of the text, in hex */
};

/* The texts of a folder, sorted by name; they live as long as the program. */
const struct sql_text *sql_texts(enum sql_folder folder, size_t *ret_n);
