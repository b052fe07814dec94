#pragma once
/* A pool on a private cluster, an administrator's session beside it, and calls that are watched. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "daemon/pg/pg.h"
#include "daemon/pg/session.h"

/* Rows of the pool's table. */
enum {
	ECHO,
	STORE,
	REFUSE,
	STORE_LATE,
	XACT,
	WAIT,
	SHAPE,
	SETTINGS,
	MISSING,
	BACKEND,
	ECHOES,
	STORES,
	APPEARS,
};

extern const struct pg_statement statements[];

/* A call and what became of it. */
struct attempt {
	struct pg_call call;
	struct pg_param params[3];
	char text[24];
	unsigned n_done;
	enum pg_outcome outcome;
	int status;
	char error_key[64];
	char detail[64];
	char cell[64];
	int n_rows;
	uint64_t session;
};

extern struct event_base *base;
extern struct pg_pool *pool;
extern struct pg_identity identity; /* of the next pool that is opened; none at first */
extern unsigned n_events[PG_EVENT_ERROR + 1];
extern unsigned n_open; /* calls that are not answered yet */

void set_up(void);
void tear_down(void);
void pool_open(const char *options);
void admin_run(const char *sql);
bool admin_asks(const char *sql);
void on_done(struct pg_call *call, const struct pg_answer *answer);
void attempt_submit(struct attempt *attempt, int statement, enum pg_lane lane, int argument);
void attempt_run(struct attempt *attempt, int statement, enum pg_lane lane, int argument);
void run(void);
void run_until(const char *sql);
