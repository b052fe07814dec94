/*
 * Brings a database to the schema that is built in. One advisory lock makes twenty of these at
 * once do the work of one. Each migration is one transaction with its own record; data and
 * functions are applied again, each folder in one transaction, when a text of theirs differs.
 * What was applied stands in schema conduct_meta, made here, because migrations cannot record
 * themselves before they exist.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/app/schema.h"
#include "sql/text.h"

/* Key of the advisory lock: "conductd" in ASCII, as a 64-bit number. */
#define LOCK_KEY "7165066909914985572"

static const char meta[] =
	"create schema if not exists conduct_meta;"
	"create table if not exists conduct_meta.script ("
	" name text constraint script_pkey primary key,"
	" sha256 text not null,"
	" applied_at timestamptz not null default transaction_timestamp());"
	"create or replace function conduct_meta.applied()"
	" returns table (name text, sha256 text)"
	" language sql stable security definer set search_path = pg_catalog, conduct_meta, pg_temp"
	" as 'select s.name, s.sha256 from conduct_meta.script s order by 1';"
	"revoke all on schema conduct_meta from public;"
	"revoke all on function conduct_meta.applied() from public;"
	"grant usage on schema conduct_meta to conduct_worker, conduct_backup;"
	"grant select on conduct_meta.script to conduct_backup;"
	"grant execute on function conduct_meta.applied() to conduct_worker;";

/* Leaves nothing of a script's session settings behind. */
static const char clean[] = "reset role; reset search_path";

static int run(struct pg_session *session, const char *sql)
{
	int r = pg_session_run(session, sql);

	return r > 0 ? SCHEMA_E_FAILED : r;
}

static int ask(struct pg_session *session, const char *sql, const char *param,
	       struct pg_rows **ret_rows)
{
	int r = pg_session_query(session, sql, &param, param ? 1 : 0, ret_rows);

	return r > 0 ? SCHEMA_E_FAILED : r;
}

/* malloc'ed hash under which a script was applied; NULL: never. */
static int script_find(struct pg_session *session, const char *name, char **ret_sha256)
{
	struct pg_rows *rows = NULL;
	char *sha256 = NULL;
	int r = ask(session, "select sha256 from conduct_meta.script where name = $1", name, &rows);

	if (r)
		return r;
	if (pg_rows_count(rows) > 0) {
		sha256 = strdup(pg_rows_text(rows, 0, 0));
		r = sha256 ? 0 : -ENOMEM;
	}
	pg_rows_free(rows);
	*ret_sha256 = sha256;
	return r;
}

static int script_record(struct pg_session *session, const struct sql_text *script)
{
	const char *const params[] = { script->name, script->sha256 };
	int r = pg_session_query(session,
				 "insert into conduct_meta.script (name, sha256) values ($1, $2)"
				 " on conflict (name) do update set sha256 = excluded.sha256,"
				 " applied_at = transaction_timestamp()",
				 params, ARRAY_SIZE(params), NULL);

	return r > 0 ? SCHEMA_E_FAILED : r;
}

static int script_apply(struct pg_session *session, const struct sql_text *script)
{
	int r = run(session, script->text);

	if (r == 0)
		r = run(session, clean);
	return r ? r : script_record(session, script);
}

/* The scripts as one transaction. The session keeps the error of the failed one. */
static int scripts_apply(struct pg_session *session, const struct sql_text *scripts, size_t n,
			 struct schema_report *report)
{
	int r = run(session, "begin");

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = script_apply(session, &scripts[i]);
		if (r)
			report->failed = scripts[i].name;
	}
	if (r == 0)
		r = run(session, "commit");
	for (size_t i = 0; r == 0 && i < n; i++)
		report->applied(report->userdata, scripts[i].name);
	return r;
}

static int migrations_apply(struct pg_session *session, struct schema_report *report)
{
	size_t n;
	const struct sql_text *scripts = sql_texts(SQL_MIGRATIONS, &n);

	for (size_t i = 0; i < n; i++) {
		char *sha256 = NULL;
		bool is_changed;
		int r = script_find(session, scripts[i].name, &sha256);

		if (r)
			return r;
		is_changed = sha256 && strcmp(sha256, scripts[i].sha256) != 0;
		if (is_changed) {
			report->failed = scripts[i].name;
			r = SCHEMA_E_CHANGED;
		} else if (!sha256) {
			r = scripts_apply(session, &scripts[i], 1, report);
		}
		free(sha256);
		if (r)
			return r;
	}
	return 0;
}

/* A migration that this program does not have means an older program than the database's. */
static int check_not_ahead(struct pg_session *session, struct schema_report *report)
{
	size_t n;
	const struct sql_text *scripts = sql_texts(SQL_MIGRATIONS, &n);
	struct pg_rows *rows = NULL;
	const char *last = n ? scripts[n - 1].name : "";
	int r = ask(session,
		    "select name from conduct_meta.script where name collate \"C\" > $1"
		    " and name like 'migrations/%' order by name limit 1",
		    last, &rows);

	if (r)
		return r;
	if (pg_rows_count(rows) > 0) {
		report->failed = NULL;
		r = SCHEMA_E_AHEAD;
	}
	pg_rows_free(rows);
	return r;
}

static int folder_apply(struct pg_session *session, enum sql_folder folder,
			struct schema_report *report)
{
	size_t n;
	const struct sql_text *scripts = sql_texts(folder, &n);
	bool is_current = true;

	for (size_t i = 0; i < n && is_current; i++) {
		char *sha256 = NULL;
		int r = script_find(session, scripts[i].name, &sha256);

		if (r)
			return r;
		is_current = sha256 && strcmp(sha256, scripts[i].sha256) == 0;
		free(sha256);
	}
	return is_current ? 0 : scripts_apply(session, scripts, n, report);
}

static int bootstrap_run(struct pg_session *session, struct schema_report *report)
{
	size_t n;
	const struct sql_text *script = sql_texts(SQL_BOOTSTRAP, &n);
	int r = run(session, script->text);

	if (r)
		report->failed = script->name;
	return r ? r : run(session, clean);
}

static int schema_apply(struct pg_session *session, struct schema_report *report)
{
	int r = run(session, meta);

	if (r) {
		report->failed = "conduct_meta";
		return r;
	}
	r = check_not_ahead(session, report);
	if (r == 0)
		r = migrations_apply(session, report);
	if (r == 0)
		r = folder_apply(session, SQL_DATA, report);
	return r ? r : folder_apply(session, SQL_API, report);
}

/*
 * Migrates over a session of role conduct_migrate, or of a superuser, who first runs what only a
 * superuser can, then acts as conduct_migrate, and makes new triggers fire always at the end.
 * Returns 0 or a SCHEMA_E_….
 */
int schema_migrate(struct pg_session *session, bool is_superuser, struct schema_report *report)
{
	int r = run(session, "select pg_advisory_lock(" LOCK_KEY ")");

	if (r)
		return r;
	if (is_superuser) {
		r = bootstrap_run(session, report);
		if (r == 0)
			r = run(session, "set session authorization conduct_migrate");
	}
	if (r == 0)
		r = schema_apply(session, report);
	if (r == 0 && is_superuser)
		r = run(session, "reset session authorization");
	if (r == 0 && is_superuser)
		r = bootstrap_run(session, report);
	if (r == 0)
		r = run(session, "select pg_advisory_unlock(" LOCK_KEY ")");
	/* After a failure the end of the session rolls back and unlocks. */
	return r;
}
