#pragma once
/* Shared by this wall's files alone: pool, lanes, connections and what travels between them. */
#include <event2/event.h>
#include <libpq-fe.h>

#include "daemon/pg/pg.h"

enum {
	PG_TICK_MS = 50,       /* how often deadlines are looked at */
	PG_PATIENCE_MS = 2000, /* a call waits this long for a lane that has no connection */
	PG_CONNECT_MS = 5000,  /* from the start of a connection to its last prepared statement */
	PG_STALL_MS = 60000,   /* a connection that answers nothing for so long is given up */
	PG_STALL_LAST_MS = 64 * PG_STALL_MS,
	PG_BACKOFF_FIRST_MS = 100,
	PG_BACKOFF_LAST_MS = 2000, /* back within seconds of the server, whoever restarts it */
	PG_STATEMENT_TIMEOUT_MS = 60000,
	PG_GATHER_MS = 25, /* the longest that a batch waits for who may be about to come */
};

enum group_kind {
	GROUP_SETTINGS,   /* what the server is, and what this session shall be */
	GROUP_IDENTITY,   /* whose database it is */
	GROUP_DEALLOCATE, /* before a statement is prepared again; its failure means nothing */
	GROUP_PREPARE,
	GROUP_CALLS,
};

/* What is sent before one Sync: one implicit transaction. */
struct group {
	struct group *next;
	enum group_kind kind;
	size_t statement;                /* GROUP_PREPARE: its index */
	const struct pg_statement *many; /* GROUP_CALLS that go together, else NULL */
	unsigned n_calls;
	unsigned n_commands; /* one a call, or one for calls that go together */
	unsigned n_seen;     /* commands whose results are complete */
	bool is_synced;      /* the Sync was handed to libpq */
	bool has_answered;   /* a result of the command n_seen has come */
	bool is_unknown;     /* the wait for a standby was cut short */
	unsigned failed_at;  /* command that failed; n_commands: the commit */
	int64_t sent_ms;
	PGresult *error; /* NULL: none */
	PGresult *results[PG_BATCH_LIMIT];
	struct pg_call *calls[PG_BATCH_LIMIT]; /* NULL: answered already, its deadline passed */
};

enum connection_state {
	CONNECTION_DOWN, /* waits for its timer */
	CONNECTION_OPENING,
	CONNECTION_SETTING_UP,
	CONNECTION_READY,
};

struct connection {
	struct pg_pool *pool;
	enum pg_lane lane;
	enum connection_state state;
	PGconn *pg;
	struct event *read_event, *write_event;
	struct event *timer;
	unsigned backoff_ms;
	int64_t muted_ms; /* when it was last given up as mute; 0: never */
	int64_t stall_ms;
	uint64_t session;
	bool *is_prepared;   /* one per statement */
	const char *refusal; /* why this server gets no call */
	struct group *first;
	struct group **last;
	unsigned n_groups;
};

struct queue {
	struct pg_call *first, *last;
	unsigned n_calls;
};

struct lane {
	struct queue queue;
	struct connection *connections;
	unsigned n_connections;
	unsigned n_expected;   /* so many calls were there when the last batch ended */
	int64_t gathers_until; /* and until then they may come again, as the next one */
};

struct pg_pool {
	struct pg_pool_setup setup;
	char *conninfo, *application_name;
	struct lane lanes[PG_LANE_COUNT];
	struct queue failed; /* calls that will be answered from the loop without being sent */
	struct event *work_event, *tick_event, *gather_event;
	unsigned n_in_flight;
	uint64_t last_session;
	int64_t timeline;  /* the highest seen */
	char trouble[256]; /* why a connection is not there; "" once one is */
	bool is_stranger, is_ending;
};

struct verdict {
	enum pg_outcome outcome;
	int status;
	const char *error_key;
	const char *detail_json;
	bool is_stale;    /* prepare again and retry once */
	bool is_reported; /* no client should be able to cause it */
};

/* What an error report says, as far as it is used. */
struct failure {
	const char *sqlstate;
	const char *message;
	const char *detail;
	const char *constraint;
};

/* sqlstate.c */
void pg_verdict_make(const struct pg_pool_setup *setup, const struct failure *failure,
		     struct verdict *ret_verdict);
const char *pg_outcome_key(enum pg_outcome outcome);

/* pool.c */
int64_t pg_now_ms(void);
void pg_pool_wake(struct pg_pool *pool);
void pg_pool_report(struct pg_pool *pool, enum pg_event event, const char *text);
void pg_call_fail(struct pg_call *call, enum pg_outcome outcome);
void pg_call_answer(struct pg_call *call, struct pg_answer *answer);
void pg_pool_requeue(struct pg_pool *pool, struct pg_call *call);
void pg_pool_requeue_alone(struct pg_pool *pool, struct pg_call *call);
void pg_pool_note_batch(struct pg_pool *pool, unsigned n_calls, int64_t sent_ms);
void pg_pool_unprepare(struct pg_pool *pool, const struct pg_statement *statement);

/* connection.c */
int pg_connection_init(struct connection *connection, struct pg_pool *pool, enum pg_lane lane);
void pg_connection_deinit(struct connection *connection);
void pg_connection_open(struct connection *connection);
void pg_connection_revive(struct connection *connection);
void pg_connection_fail(struct connection *connection, enum pg_event event, const char *text);
int pg_connection_flush(struct connection *connection);

/* many.c */
int pg_many_send(struct connection *connection, struct pg_call *const *calls, unsigned n_calls);
void pg_many_finish(struct connection *connection, struct group *group);

/* group.c */
int pg_group_send_settings(struct connection *connection);
int pg_group_send_identity(struct connection *connection);
int pg_group_send_prepare(struct connection *connection, size_t statement);
int pg_group_send_calls(struct connection *connection, struct pg_call *const *calls,
			unsigned n_calls);
void pg_group_receive(struct connection *connection);
void pg_group_abandon(struct connection *connection);
