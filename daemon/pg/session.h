#pragma once
/* A blocking PostgreSQL session for programs that have no event loop: conductctl and tests. */

#include "daemon/base/error.h"

struct pg_session;
struct pg_rows;

enum {
	PG_SESSION_E_UNREACHABLE = 1, /* pg_session_error() says why */
	PG_SESSION_E_FAILED,          /* the statement failed; SQLSTATE and text are kept */
};

int pg_session_new(const char *conninfo, const char *application_name,
		   struct pg_session **ret_session);
struct pg_session *pg_session_free(struct pg_session *session);
const char *pg_session_error(const struct pg_session *session);
const char *pg_session_sqlstate(const struct pg_session *session); /* "" when none */

/* Runs a script of any number of statements in one implicit transaction. */
int pg_session_run(struct pg_session *session, const char *sql);
/* One statement with text parameters (NULL is NULL); ret_rows may be NULL. */
int pg_session_query(struct pg_session *session, const char *sql, const char *const *params,
		     unsigned n_params, struct pg_rows **ret_rows);

/* 0 once all that was written before is as durable as a new commit. */
int pg_session_settle(struct pg_session *session);

struct pg_rows *pg_rows_free(struct pg_rows *rows);
int pg_rows_count(const struct pg_rows *rows);
const char *pg_rows_text(const struct pg_rows *rows, int row, int column); /* NULL for NULL */
