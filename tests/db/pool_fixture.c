/* The pool's statements and tables, and the functions that its two suites share. */

#include <stdio.h>

#include "tests/db/pool_fixture.h"

const struct pg_statement statements[] = {
	[ECHO] = { "echo", "select $1::text, $2::bytea, $3::text", 3 },
	[STORE] = { "store", "insert into stored (id) values ($1::int) returning id", 1 },
	[REFUSE] = { "refuse", "select refuse($1::int)", 1 },
	[STORE_LATE] = { "store_late", "insert into late (id) values ($1::int)", 1 },
	[XACT] = { "xact", "select pg_current_xact_id(), $1::int", 1 },
	[WAIT] = { "wait", "select pg_advisory_xact_lock($1::int)", 1 },
	[SHAPE] = { "shape", "select shape()", 0 },
	[SETTINGS] = { "settings", "select current_setting($1::text)", 1 },
	[MISSING] = { "missing", "select appears_later()", 0 },
	[BACKEND] = { "backend", "select pg_backend_pid()", 0 },
	[ECHOES] = { "echoes", "select * from unnest($1::text[], $2::bytea[], $3::text[])", 3 },
	[STORES] = { "stores", "select * from stores($1::text[])", 1 },
	[APPEARS] = { "appears", "select * from appears_for_many($1::text[])", 1 },
};

static const struct pg_constraint constraints[] = {
	{ "late_parent", 409, "conduct-error-late" },
	{ "stored_pkey", 409, "conduct-error-stored" },
};

static const char schema[] =
	"drop table if exists late; drop table if exists stored;"
	"create table stored (id int constraint stored_pkey primary key);"
	"create table late (id int constraint late_parent references stored"
	" deferrable initially deferred);"
	"create or replace function refuse(p int) returns int language plpgsql as $$ begin"
	" raise exception using errcode = 'UC' || p, message = 'conduct-guard-test',"
	" detail = '{\"n\": 1}'; end $$;"
	"drop function if exists shape(); drop function if exists appears_later();"
	"create function shape() returns int language sql as 'select 1';"
	/* Below 0: left out; 500: no row at all; from 1000: fails at the commit. */
	"drop function if exists appears_for_many(text[]);"
	"create or replace function stores(p text[]) returns setof int language plpgsql as $$"
	" declare v int; begin foreach v in array p::int[] loop"
	" if v between 0 and 999 then insert into stored (id) values (v);"
	" elsif v >= 1000 then insert into late (id) values (v); end if;"
	" if v <> 500 then return next case when v >= 0 then v end; end if;"
	" end loop; end $$;";

struct event_base *base;
struct pg_pool *pool;
struct pg_identity identity;
static struct pg_session *admin;
unsigned n_events[PG_EVENT_ERROR + 1];
unsigned n_open;

static const char *database(void)
{
	const char *conninfo = getenv("CONDUCT_TEST_DATABASE");

	ck_assert_msg(conninfo, "started by tests/db/run only");
	return conninfo;
}

static void on_report(void *userdata, enum pg_event event, const char *text)
{
	n_events[event]++;
}

void pool_open(const char *options)
{
	char conninfo[512];
	const struct pg_pool_setup setup = {
		.base = base,
		.conninfo = conninfo,
		.application_name = "conductd-test",
		.statements = statements,
		.n_statements = ARRAY_SIZE(statements),
		.constraints = constraints,
		.n_constraints = ARRAY_SIZE(constraints),
		.n_connections = { [PG_LANE_BATCH] = 1,
				   [PG_LANE_ACT] = 2,
				   [PG_LANE_READ] = 1,
				   [PG_LANE_EMERGENCY] = 1 },
		.identity = identity,
		.report = on_report,
	};

	(void)snprintf(conninfo, sizeof(conninfo), "%s %s", database(), options);
	memset(n_events, 0, sizeof(n_events));
	ck_assert_int_eq(0, pg_pool_new(&setup, &pool));
}

void admin_run(const char *sql)
{
	ck_assert_msg(pg_session_run(admin, sql) == 0, "%s: %s", sql, pg_session_error(admin));
}

bool admin_asks(const char *sql)
{
	struct pg_rows *rows = NULL;
	bool is_true;

	ck_assert_msg(pg_session_query(admin, sql, NULL, 0, &rows) == 0, "%s: %s", sql,
		      pg_session_error(admin));
	is_true = pg_rows_count(rows) == 1 && strcmp(pg_rows_text(rows, 0, 0), "t") == 0;
	pg_rows_free(rows);
	return is_true;
}

void set_up(void)
{
	base = event_base_new();
	n_open = 0;
	identity = (struct pg_identity){ .sql = NULL };
	ck_assert_int_eq(0, pg_session_new(database(), "test-admin", &admin));
	admin_run(schema);
	pool_open("");
}

void tear_down(void)
{
	pool = pg_pool_free(pool);
	admin = pg_session_free(admin);
	event_base_free(base);
}

void on_done(struct pg_call *call, const struct pg_answer *answer)
{
	struct attempt *attempt = (struct attempt *)(void *)call;
	struct slice cell = pg_answer_cell(answer, 0, 0);

	attempt->n_done++;
	attempt->outcome = answer->outcome;
	attempt->status = answer->status;
	attempt->n_rows = answer->n_rows;
	attempt->session = answer->session;
	(void)snprintf(attempt->error_key, sizeof(attempt->error_key), "%s",
		       answer->error_key ? answer->error_key : "");
	(void)snprintf(attempt->detail, sizeof(attempt->detail), "%s",
		       answer->detail_json ? answer->detail_json : "");
	(void)snprintf(attempt->cell, sizeof(attempt->cell), "%.*s", (int)cell.length,
		       cell.at ? cell.at : "");
	n_open--;
}

void attempt_submit(struct attempt *attempt, int statement, enum pg_lane lane, int argument)
{
	*attempt = (struct attempt){ .call = { .statement = &statements[statement],
					       .lane = lane,
					       .params = attempt->params,
					       .done = on_done } };
	(void)snprintf(attempt->text, sizeof(attempt->text), "%d", argument);
	attempt->params[0] = (struct pg_param){ .at = attempt->text,
						.length = (int)strlen(attempt->text) };
	n_open++;
	ck_assert_int_eq(0, pg_pool_submit(pool, &attempt->call));
	ck_assert_uint_eq(0, attempt->n_done);
}

void run(void)
{
	while (n_open)
		ck_assert_int_eq(0, event_base_loop(base, EVLOOP_ONCE));
}

void attempt_run(struct attempt *attempt, int statement, enum pg_lane lane, int argument)
{
	attempt_submit(attempt, statement, lane, argument);
	run();
	ck_assert_uint_eq(1, attempt->n_done);
}

/* Turns the loop until the server says so; the condition is the server's state, not time. */
void run_until(const char *sql)
{
	while (!admin_asks(sql))
		event_base_loop(base, EVLOOP_NONBLOCK);
}
