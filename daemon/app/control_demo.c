/* conductctl demo clock: so that a window of thirty days can pass in a demonstration. */

#include <stdio.h>
#include <string.h>

#include "daemon/app/control.h"
#include "daemon/base/text.h"

static int clock_move(struct pg_session *session, int64_t seconds)
{
	char text[32];
	const char *const params[] = { text };
	struct pg_rows *rows = NULL;
	int r;

	(void)snprintf(text, sizeof(text), "%lld", (long long)seconds);
	r = pg_session_query(session,
			     "update conduct.clock_offset set shift_seconds = shift_seconds + $1"
			     " returning to_char(conduct.clock() at time zone 'UTC',"
			     " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
			     params, 1, &rows);
	if (r)
		return control_fail("%s", r < 0 ? strerror(-r) : pg_session_error(session));
	if (pg_rows_count(rows) != 1)
		r = control_fail("the clock has no row: run `conductctl migrate`");
	pg_rows_free(rows);
	return r;
}

static int clock_print(struct pg_session *session)
{
	struct pg_rows *rows = NULL;
	int r = pg_session_query(session,
				 "select to_char(conduct.clock() at time zone 'UTC',"
				 " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')", NULL, 0, &rows);

	if (r)
		return control_fail("%s", r < 0 ? strerror(-r) : pg_session_error(session));
	(void)printf("the clock says %s\n", pg_rows_text(rows, 0, 0));
	pg_rows_free(rows);
	return CONTROL_OK;
}

int control_demo_clock(struct control *control, int argc, char **argv)
{
	const struct config *config;
	struct pg_session *session;
	int64_t seconds;
	int r;

	if (argc != 2 || argv[1][0] != '+' ||
	    text_read_duration((struct slice){ argv[1] + 1, strlen(argv[1] + 1) }, &seconds))
		return control_misused("demo clock takes one duration, such as +31d");
	config = control_config(control);
	if (!config)
		return CONTROL_FAILED;
	if (config->n_issuers != 1 || !config->issuers[0].is_demo)
		return control_fail("%s has no demo issuer: the clock is not moved",
				    control->config_file);
	session = control_session(control);
	if (!session)
		return CONTROL_FAILED;
	r = clock_move(session, seconds);
	if (r == 0)
		r = clock_print(session);
	pg_session_free(session);
	return r;
}
