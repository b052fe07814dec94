/*
 * conductctl demo: what its commands share, and the clock, so that a window of thirty days can pass
 * in a demonstration. Everything works on the directory of a quickstart, and only there: the clock
 * of a real deployment is not ours to move.
 */

#include "daemon/app/demo.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/app/control.h"
#include "daemon/base/buffer.h"
#include "daemon/base/text.h"

#define DEMO_CONFIG "build/quickstart/conductd.yaml"

char *demo_path(const char *dir, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

/* Reads a whole small file, NUL-terminated. 0 or -errno. */
int demo_read_file(const char *path, char **ret_text, size_t *ret_length)
{
	struct buffer text = BUFFER_NULL;
	char chunk[4096];
	size_t n;
	FILE *file = fopen(path, "re");

	if (!file)
		return -errno;
	while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buffer_append(&text, chunk, n);
	fclose(file);
	buffer_append(&text, "", 0);
	if (buffer_finish(&text) < 0 || !text.at) {
		buffer_deinit(&text);
		return -ENOMEM;
	}
	*ret_length = text.length;
	*ret_text = buffer_steal(&text);
	return 0;
}

/*
 * The configuration of a quickstart: the one named, or build/quickstart's when none is installed.
 * NULL after a message, also when an issuer is not the demo issuer. *ret_dir (malloc'ed) is where
 * it lies.
 */
const struct config *demo_config(struct control *control, char **ret_dir)
{
	const struct config *config;
	char *copy;

	if (access(control->config_file, R_OK) != 0 && access(DEMO_CONFIG, R_OK) == 0)
		control->config_file = DEMO_CONFIG;
	config = control_config(control);
	if (!config)
		return NULL;
	if (config->n_issuers != 1 || !config->issuers[0].is_demo) {
		(void)control_fail("%s is no quickstart's: its issuer is not the demo issuer",
				   control->config_file);
		return NULL;
	}
	if (ret_dir) {
		copy = strdup(control->config_file);
		*ret_dir = copy ? strdup(dirname(copy)) : NULL;
		free(copy);
		if (!*ret_dir) {
			(void)control_fail("out of memory");
			return NULL;
		}
	}
	return config;
}

static int clock_move(struct pg_session *session, int64_t seconds)
{
	char text[32];
	const char *const params[] = { text };
	struct pg_rows *rows = NULL;
	int r;

	(void)snprintf(text, sizeof(text), "%lld", (long long)seconds);
	r = pg_session_query(session,
			     "update conduct.clock_offset set shift_seconds = shift_seconds + $1"
			     " returning shift_seconds",
			     params, 1, &rows);
	if (r)
		return control_fail("%s", r < 0 ? strerror(-r) : pg_session_error(session));
	if (pg_rows_count(rows) != 1)
		r = control_fail("the clock has no row: run `conductctl migrate`");
	pg_rows_free(rows);
	return r;
}

/* Moves conduct.clock() forward. CONTROL_OK, or CONTROL_FAILED after a message. */
int demo_shift_clock(struct control *control, int64_t seconds)
{
	struct pg_session *session;
	int r;

	if (!demo_config(control, NULL))
		return CONTROL_FAILED;
	session = control_session(control);
	if (!session)
		return CONTROL_FAILED;
	r = clock_move(session, seconds);
	if (r == 0)
		r = control_settle(session);
	pg_session_free(session);
	return r;
}

static int clock_print(struct control *control)
{
	struct pg_rows *rows = NULL;
	struct pg_session *session = control_session(control);
	int r;

	if (!session)
		return CONTROL_FAILED;
	r = pg_session_query(session,
			     "select to_char(conduct.clock() at time zone 'UTC',"
			     " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
			     NULL, 0, &rows);
	if (r)
		r = control_fail("%s", r < 0 ? strerror(-r) : pg_session_error(session));
	else
		(void)printf("the clock says %s\n", pg_rows_text(rows, 0, 0));
	pg_rows_free(rows);
	pg_session_free(session);
	return r;
}

int control_demo_clock(struct control *control, int argc, char **argv)
{
	int64_t seconds;
	int r;

	if (argc != 2 || argv[1][0] != '+' ||
	    text_read_duration((struct slice){ argv[1] + 1, strlen(argv[1] + 1) }, &seconds))
		return control_misused("demo clock takes one duration, such as +31d");
	r = demo_shift_clock(control, seconds);
	return r ? r : clock_print(control);
}
