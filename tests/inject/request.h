#pragma once
/* The requests that are asked for, and how the database is asked what became of them. */

#include "daemon/base/error.h"

struct service;

/* One request; `count` says how often what it asks for is in the database. */
struct request {
	char *text;
	char *count;    /* SQL; NULL: nothing is stored */
	char *logged;   /* SQL: how often it is in the log that this was read; NULL: it need not */
	char *expected; /* the body that every success has; NULL: any */
};

struct scenario {
	const char *name;
	void (*make)(struct request *request);
	int status;
	bool is_tls;
};

struct request_setup {
	const char *conninfo; /* of a superuser */
	const char *reporter; /* tokens */
	const char *handler;
	const char *respondent; /* a name */
	unsigned port;
};

extern const struct scenario scenarios[];
extern const size_t scenarios_n;

/* Everything here ends the program when what has no faults does not succeed. */
void request_set_up(const struct request_setup *setup);
void request_end(void);
void request_free(struct request *request);
/* Tell by SQL. */
long request_count(const struct request *request);
long request_count_logged(const struct request *request);
