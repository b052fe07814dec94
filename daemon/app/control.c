/* What the commands of conductctl share: configuration, a database session, and messages. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/app/control.h"

static void complain(const char *format, va_list args)
{
	(void)fputs("conductctl: ", stderr);
	(void)vfprintf(stderr, format, args);
	(void)fputc('\n', stderr);
}

int control_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(format, args);
	va_end(args);
	return CONTROL_FAILED;
}

int control_misused(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(format, args);
	va_end(args);
	return CONTROL_USAGE;
}

/* What was said is part of what was asked for: a pipe that is closed or a full disk is a failure.
 */
int control_finish(int outcome)
{
	bool is_said = fflush(stdout) == 0 && !ferror(stdout);

	if (is_said || outcome != CONTROL_OK)
		return outcome;
	return control_fail("what there is to say could not be written");
}

static const struct control_option *find_option(const struct control_option *options,
						size_t n_options, const char *name)
{
	for (size_t i = 0; i < n_options; i++)
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	return NULL;
}

/* Reads everything behind argv[0]. Returns CONTROL_OK, or CONTROL_USAGE after a message. */
int control_read_options(const char *command, int argc, char **argv,
			 const struct control_option *options, size_t n_options)
{
	for (int i = 1; i < argc; i++) {
		const struct control_option *option = find_option(options, n_options, argv[i]);

		if (!option)
			return control_misused("%s: unknown argument %s", command, argv[i]);
		if (!option->value) {
			*option->is_given = true;
			continue;
		}
		if (*option->value || i + 1 == argc)
			return control_misused("%s: %s needs one value", command, argv[i]);
		*option->value = argv[++i];
	}
	for (size_t i = 0; i < n_options; i++)
		if (options[i].is_required && options[i].value && !*options[i].value)
			return control_misused("%s: %s is missing", command, options[i].name);
	return CONTROL_OK;
}

/* The configuration, owned by `control`; NULL after a message. */
const struct config *control_config(struct control *control)
{
	struct config_error error = { 0 };
	char text[512];
	int r;

	if (control->config)
		return control->config;
	r = config_load(control->config_file, &control->config, &error);
	if (r == 0)
		return control->config;
	if (r < 0) {
		(void)control_fail("out of memory");
		return NULL;
	}
	config_error_print(control->config_file, &error, text, sizeof(text));
	(void)control_fail("%s", text);
	return NULL;
}

/*
 * A session on --database, else on the configuration's database.migrate. The caller's; NULL after
 * a message.
 */
/* What the daemon refuses a server for (group.c) is said here: work goes on, where no daemon will.
 */
static void warn_of_loss(struct pg_session *session)
{
	struct pg_rows *rows = NULL;
	int r = pg_session_query(
		session,
		"select string_agg(name, ', ' order by name) from pg_settings"
		" where name in ('fsync', 'full_page_writes', 'synchronous_commit')"
		" and reset_val = 'off'",
		NULL, 0, &rows);

	if (r == 0 && pg_rows_text(rows, 0, 0))
		(void)fprintf(stderr,
			      "conductctl: warning: the server may lose what is told as done, and "
			      "conductd does not use it: turn %s on\n",
			      pg_rows_text(rows, 0, 0));
	pg_rows_free(rows);
}

struct pg_session *control_session(struct control *control)
{
	const char *conninfo = control->database;
	struct pg_session *session = NULL;
	int r;

	if (!conninfo) {
		const struct config *config = control_config(control);

		if (!config)
			return NULL;
		conninfo = config->database_migrate;
	}
	r = pg_session_new(conninfo, "conductctl", &session);
	if (r == 0) {
		warn_of_loss(session);
		return session;
	}
	(void)control_fail("cannot reach the database: %s",
			   r < 0 ? "out of memory" : pg_session_error(session));
	return pg_session_free(session);
}

/* As pg_session_settle(), with a message. */
int control_settle(struct pg_session *session)
{
	int r = pg_session_settle(session);

	return r ? control_fail("%s", r < 0 ? strerror(-r) : pg_session_error(session))
		 : CONTROL_OK;
}
