#pragma once
/* Asynchronous PostgreSQL: a pool of pipelined connections on one event loop, in four lanes. */

#include "daemon/base/error.h"

struct event_base;
struct pg_pool;

enum {
	PG_BATCH_LIMIT = 64,            /* calls that share one transaction on PG_LANE_BATCH */
	PG_SHARE_LIMIT = 16,            /* reads that do */
	PG_QUEUE_LIMIT = 1024,          /* calls waiting in one lane; more are answered 503 */
	PG_CONNECTION_LIMIT = 64,       /* connections of one lane */
	PG_PARAM_LIMIT = 48,            /* parameters of one statement */
	PG_DEADLINE_DEFAULT_MS = 10000, /* where a call names none */
	PG_LOCK_TIMEOUT_MS = 200,       /* acts wait this long for a row, then 503 */
};

enum pg_lane {
	PG_LANE_BATCH,     /* submits: calls share a transaction; each catches its own failures */
	PG_LANE_ACT,       /* one transaction each, on connections of their own */
	PG_LANE_READ,      /* one transaction each, pipelined; of those that may share, some */
	PG_LANE_EMERGENCY, /* one reserved connection, one transaction each */
	PG_LANE_COUNT,
};

enum pg_outcome {
	PG_DONE,        /* committed; the rows are here */
	PG_REFUSED,     /* the database refused; nothing was stored; status and error_key say why */
	PG_UNAVAILABLE, /* nothing was stored: never sent, or known to be rolled back (503) */
	PG_UNKNOWN,     /* sent, and nobody knows whether it was stored (503; retry with the key) */
	PG_DEADLINE,    /* too late, and nothing was stored (503) */
};

/* Prepared when a connection opens. Names are unique in the pool's table; $1..$n_params. */
struct pg_statement {
	const char *name;
	const char *sql;
	unsigned n_params;
};

/* Text needs no NUL behind it and may hold none; binary is for bytea: the raw bytes. */
struct pg_param {
	const char *at;
	int length;
	bool is_null;
	bool is_binary;
};

#define PG_NULL ((struct pg_param){ .is_null = true })

/* What came back; valid only while done() runs. */
struct pg_answer {
	enum pg_outcome outcome;
	int status;              /* HTTP: 200 when done, else what the caller may answer */
	const char *error_key;   /* never NULL unless done; the SQL function's own when UCnnn */
	const char *detail_json; /* parameters of the error as a JSON object, or NULL */
	int n_rows;
	int n_columns;
	uint64_t session; /* the connection that answered; 0 when none did */
	int row;          /* where the answer's rows begin in a result that calls share */
	const void *result;
};

/* Lives in the caller's struct; it and its parameters stay put until done() is called. */
struct pg_call {
	const struct pg_statement *statement; /* a row of the pool's table */
	/*
	 * What several calls of a transaction are sent as, or NULL: a row of the table with as
	 * many parameters, each the array of theirs (bytea[] of binary ones, else text[]). It
	 * answers one row a call, in order; where the first column is null, that call is sent
	 * alone.
	 */
	const struct pg_statement *many;
	const struct pg_param *params; /* n_params of the statement */
	enum pg_lane lane;
	/* On PG_LANE_READ: it writes, and takes no lock that another one wants; while it waits, it
	 * joins those like it, so that they pay for one commit. */
	bool may_share;
	unsigned deadline_ms;  /* from submit; 0: PG_DEADLINE_DEFAULT_MS */
	struct slice lock_key; /* batches run in this byte order, so locks nest */
	uint64_t session;      /* only on this connection, else 503; 0: any */
	void (*done)(struct pg_call *call, const struct pg_answer *answer);

	/* The pool's, from submit to done. */
	struct pg_call *next;
	struct pg_call *previous;
	int64_t expires_ms;
	int64_t patience_ms;
	unsigned n_attempts;
	bool is_alone; /* to be sent in a transaction of its own */
	enum pg_outcome failure;
};

/* A constraint whose breach a client may cause, and what it is told. */
struct pg_constraint {
	const char *name;
	int status;
	const char *error_key;
};

enum pg_event {
	PG_EVENT_CONNECTED,
	PG_EVENT_LOST,       /* a connection failed or could not be opened; it is tried again */
	PG_EVENT_REFUSED,    /* the server would lose data or is another's; it gets no call */
	PG_EVENT_UNPREPARED, /* a statement could not be prepared: its calls answer 503 */
	PG_EVENT_ERROR,      /* a call failed with an SQLSTATE that no client should cause */
};

/* Whose database it has to be: asked on every connection before anything else is sent there. */
struct pg_identity {
	const char *sql;         /* one row, a column for each answer; NULL: nothing is asked */
	const char *answers[2];  /* what they must be; NULL: there is no such one */
	const char *refusals[2]; /* why a database that says otherwise gets no call */
};

struct pg_pool_setup {
	struct event_base *base;
	const char *conninfo; /* libpq; the password comes from its passfile */
	const char *application_name;
	const struct pg_statement *statements;
	size_t n_statements;
	const struct pg_constraint *constraints;
	size_t n_constraints;
	unsigned n_connections[PG_LANE_COUNT];
	struct pg_identity identity;
	/* Called for the log, never with parameters or row contents; may be NULL. */
	void (*report)(void *userdata, enum pg_event event, const char *text);
	void *userdata;
};

struct pg_pool_state {
	unsigned n_connections; /* configured */
	unsigned n_ready;       /* open and prepared */
	unsigned n_lanes_ready; /* lanes with connections of which one at least is ready */
	unsigned n_lanes;       /* lanes with connections */
	unsigned n_queued;      /* calls waiting */
	unsigned n_in_flight;   /* calls sent */
	bool is_stranger;       /* the last server that was refused is another's */
	const char *trouble; /* why the last connection failed, in libpq's words or ours; or "" */
};

int pg_pool_new(const struct pg_pool_setup *setup, struct pg_pool **ret_pool);
struct pg_pool *pg_pool_free(struct pg_pool *pool);
int pg_pool_submit(struct pg_pool *pool, struct pg_call *call);
void pg_pool_get_state(const struct pg_pool *pool, struct pg_pool_state *ret_state);

struct slice pg_answer_cell(const struct pg_answer *answer, int row, int column);
bool pg_answer_is_null(const struct pg_answer *answer, int row, int column);
int64_t pg_answer_integer(const struct pg_answer *answer, int row, int column);
