/* conductctl migrate: the schema of this program into a database. */

#include <stdio.h>
#include <string.h>

#include "daemon/app/control.h"
#include "daemon/app/schema.h"

static void on_applied(void *userdata, const char *name)
{
	unsigned *n_applied = userdata;

	(*n_applied)++;
	(void)printf("applied %s\n", name);
}

static int explain(int r, const struct schema_report *report, const struct pg_session *session)
{
	/* What is first on the way, for who may not make schemas there: as after a restore. */
	const char *hint = report->failed && strcmp(report->failed, "conduct_meta") == 0
				   ? ": run `conductctl migrate --bootstrap` with a superuser's "
				     "--database first"
				   : "";

	switch (r) {
	case SCHEMA_E_FAILED:
		return control_fail("%s%s%s%s", report->failed ? report->failed : "",
				    report->failed ? ": " : "", pg_session_error(session), hint);
	case SCHEMA_E_CHANGED:
		return control_fail("%s was changed after it was applied: migrations are frozen, "
				    "write a new one",
				    report->failed);
	case SCHEMA_E_AHEAD:
		return control_fail("the database has a newer schema than this program");
	default:
		return control_fail("%s", strerror(-r));
	}
}

/*
 * A dump does not say that a trigger fires always, and a foreign key is one: after a restore, as
 * after tables that came without a superuser, the daemon is not ready and the catalog not verified.
 */
static int check_triggers(struct pg_session *session)
{
	struct pg_rows *rows = NULL;
	int r = pg_session_query(session,
				 "select count(*) from pg_trigger t"
				 " join pg_class c on c.oid = t.tgrelid where c.relnamespace in"
				 " ('conduct'::regnamespace, 'keyring'::regnamespace)"
				 " and t.tgenabled <> 'A'",
				 NULL, 0, &rows);

	if (r)
		return control_fail("%s", r < 0 ? strerror(-r) : pg_session_error(session));
	if (strcmp(pg_rows_text(rows, 0, 0), "0") != 0)
		r = control_fail("%s triggers do not fire always, as after a restore: run "
				 "`conductctl migrate --bootstrap` with a superuser's --database",
				 pg_rows_text(rows, 0, 0));
	pg_rows_free(rows);
	return r;
}

int control_migrate(struct control *control, int argc, char **argv)
{
	unsigned n_applied = 0;
	struct schema_report report = { .applied = on_applied, .userdata = &n_applied };
	struct pg_session *session;
	bool is_superuser = false;
	int r;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--bootstrap") != 0)
			return control_misused("migrate: unknown argument %s", argv[i]);
		is_superuser = true;
	}
	session = control_session(control);
	if (!session)
		return CONTROL_FAILED;
	r = schema_migrate(session, is_superuser, &report);
	r = r ? explain(r, &report, session) : control_settle(session);
	if (r == 0 && n_applied == 0)
		(void)puts("the schema is current");
	if (r == 0)
		r = check_triggers(session);
	pg_session_free(session);
	return r;
}
