/*
 * A session that blocks, for programs without an event loop. It keeps the text and SQLSTATE of the
 * last failure, because an operator at a terminal may see them.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "daemon/pg/session.h"

struct pg_session {
	PGconn *pg;
	bool is_unknown; /* a commit's wait for a standby was cut short */
	char error[1024];
	char sqlstate[6];
};

struct pg_rows {
	PGresult *result;
};

/*
 * Notices of migrations ("already exists, skipping") are no news to an operator. That a commit's
 * wait for a standby was cut short is one, though PostgreSQL says OK to the commit.
 */
static void on_notice(void *userdata, const PGresult *notice)
{
	struct pg_session *session = userdata;
	const char *function = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);

	if (function && strcmp(function, "SyncRepWaitForLSN") == 0)
		session->is_unknown = true;
}

/* What is told as done is done on the standby as well, as the daemon's pool has it (group.c); and
 * the warning that it is not gets here whatever the database role's own settings are. */
static const char durable[] = "set synchronous_commit = remote_apply;"
			      "set client_min_messages = warning";

static void keep_error(struct pg_session *session, const char *text, const char *sqlstate)
{
	size_t length;

	(void)snprintf(session->error, sizeof(session->error), "%s", text);
	length = strlen(session->error);
	while (length > 0 && session->error[length - 1] == '\n')
		session->error[--length] = '\0';
	(void)snprintf(session->sqlstate, sizeof(session->sqlstate), "%s",
		       sqlstate ? sqlstate : "");
}

/*
 * Connects. On PG_SESSION_E_UNREACHABLE *ret_session is set as well, for the error's text alone.
 */
int pg_session_new(const char *conninfo, const char *application_name,
		   struct pg_session **ret_session)
{
	const char *const keywords[] = { "dbname", "application_name", "client_encoding",
					 "connect_timeout", NULL };
	const char *const values[] = { conninfo, application_name, "UTF8", "10", NULL };
	struct pg_session *session = calloc(1, sizeof(*session));

	if (!session)
		return -ENOMEM;
	session->pg = PQconnectdbParams(keywords, values, 1);
	if (!session->pg) {
		free(session);
		return -ENOMEM;
	}
	*ret_session = session;
	if (PQstatus(session->pg) != CONNECTION_OK) {
		keep_error(session, PQerrorMessage(session->pg), NULL);
		return PG_SESSION_E_UNREACHABLE;
	}
	PQsetNoticeReceiver(session->pg, on_notice, session);
	(void)PQsetErrorContextVisibility(session->pg, PQSHOW_CONTEXT_NEVER);
	return pg_session_run(session, durable) ? PG_SESSION_E_UNREACHABLE : 0;
}

struct pg_session *pg_session_free(struct pg_session *session)
{
	if (!session)
		return NULL;
	PQfinish(session->pg);
	free(session);
	return NULL;
}

/* The text of the last failure, one or more lines, never NULL. */
const char *pg_session_error(const struct pg_session *session)
{
	return session->error;
}

const char *pg_session_sqlstate(const struct pg_session *session)
{
	return session->sqlstate;
}

/* 0 when the result is a success, which is then the caller's. */
static int check(struct pg_session *session, PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	bool is_unknown = session->is_unknown;

	session->is_unknown = false;
	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK ||
	    status == PGRES_EMPTY_QUERY) {
		if (!is_unknown)
			return 0;
		keep_error(session,
			   "done on this server, but no standby has confirmed it: whether it lasts "
			   "is not known",
			   NULL);
		PQclear(result);
		return PG_SESSION_E_FAILED;
	}
	keep_error(session, PQerrorMessage(session->pg),
		   result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL);
	PQclear(result);
	return PG_SESSION_E_FAILED;
}

/* All or nothing, unless the script itself says begin and commit. */
int pg_session_run(struct pg_session *session, const char *sql)
{
	PGresult *result = PQexec(session->pg, sql);
	int r = check(session, result);

	if (r)
		return r;
	PQclear(result);
	return 0;
}

int pg_session_query(struct pg_session *session, const char *sql, const char *const *params,
		     unsigned n_params, struct pg_rows **ret_rows)
{
	PGresult *result = PQexecParams(session->pg, sql, (int)n_params, NULL, params, NULL, NULL,
					0);
	struct pg_rows *rows;
	int r = check(session, result);

	if (r)
		return r;
	if (!ret_rows) {
		PQclear(result);
		return 0;
	}
	rows = malloc(sizeof(*rows));
	if (!rows) {
		PQclear(result);
		return -ENOMEM;
	}
	rows->result = result;
	*ret_rows = rows;
	return 0;
}

/*
 * Waits until the standby has what this server has, whoever wrote it: a statement that finds its
 * work done, by a run that was interrupted while it waited, writes nothing and so waits for
 * nothing. The record that is written for it means nothing to anybody.
 */
int pg_session_settle(struct pg_session *session)
{
	return pg_session_query(session, "select pg_logical_emit_message(true, 'conductctl', '')",
				NULL, 0, NULL);
}

struct pg_rows *pg_rows_free(struct pg_rows *rows)
{
	if (!rows)
		return NULL;
	PQclear(rows->result);
	free(rows);
	return NULL;
}

int pg_rows_count(const struct pg_rows *rows)
{
	return PQntuples(rows->result);
}

const char *pg_rows_text(const struct pg_rows *rows, int row, int column)
{
	if (row < 0 || row >= PQntuples(rows->result) || column < 0 ||
	    column >= PQnfields(rows->result) || PQgetisnull(rows->result, row, column))
		return NULL;
	return PQgetvalue(rows->result, row, column);
}
