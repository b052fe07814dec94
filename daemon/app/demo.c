/*
 * `conductctl demo`: dispatches the demo's subcommands and moves its clock. Everything works on the
 * directory that packaging/quickstart made, and only there: the clock of a real deployment is not ours
 * to move.
 */

#include "daemon/app/demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/app/config.h"
#include "daemon/base/buffer.h"
#include "daemon/pg/session.h"

static const char demo_usage[] =
	"usage: conductctl demo [--dir DIR] [walk | people | grants | clock +31d]\n"
	"\n"
	"Works on what packaging/quickstart set up. Without a command it walks one case, from report to\n"
	"decided appeal, against the running daemon and prints each step.\n"
	"\n"
	"  walk           the walk\n"
	"  people         makes the demo issuer's key if it is missing, and new tokens (12 hours)\n"
	"  grants         gives the demo people their roles\n"
	"  clock +31d     moves the database's clock forward: s, min, h or d\n"
	"  --dir DIR      the quickstart's directory (default build/quickstart)\n"
	"  --port N       people: the API's port (default 8480)\n";

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

/* Only a configuration whose one issuer is the demo issuer has a clock that may move. */
static int demo_check(const char *dir)
{
	struct config *config = NULL;
	struct config_error error;
	char *path = demo_path(dir, "conductd.yaml");
	bool is_demo = false;

	if (!path)
		return -ENOMEM;
	if (config_load(path, &config, &error) != 0) {
		fprintf(stderr, "conductctl: %s is no quickstart: %s\n", dir, error.text);
	} else {
		is_demo = config->n_issuers == 1 && config->issuers[0].is_demo;
		if (!is_demo)
			fprintf(stderr, "conductctl: %s has an issuer that is not the demo issuer: the clock "
					"stays\n",
				path);
	}
	config_free(config);
	free(path);
	return is_demo ? 0 : 1;
}

/* Adds to the offset of conduct.clock(). 0, 1 after saying why on stderr, or -errno. */
int demo_shift_clock(const char *dir, int64_t seconds)
{
	struct pg_session *session = NULL;
	char number[24];
	const char *params[] = { number };
	char *path = demo_path(dir, "migrate.conninfo");
	char *conninfo = NULL;
	size_t length;
	int r;

	r = demo_check(dir);
	if (r != 0)
		goto done;
	r = path ? demo_read_file(path, &conninfo, &length) : -ENOMEM;
	if (r < 0) {
		fprintf(stderr, "conductctl: cannot read %s: %s\n", path ? path : dir, strerror(-r));
		r = 1;
		goto done;
	}
	conninfo[strcspn(conninfo, "\n")] = '\0';
	snprintf(number, sizeof(number), "%lld", (long long)seconds);
	r = pg_session_new(conninfo, "conductctl demo clock", &session);
	if (r == 0)
		r = pg_session_query(session,
				     "update conduct.clock_offset set shift_seconds = shift_seconds + $1::bigint",
				     params, 1, NULL);
	if (r > 0)
		fprintf(stderr, "conductctl: %s\n", pg_session_error(session));
done:
	pg_session_free(session);
	free(conninfo);
	free(path);
	return r;
}

static int demo_clock(const char *dir, const char *text)
{
	int64_t seconds;
	int r;

	if (!text || text[0] != '+' ||
	    text_read_duration((struct slice){ text + 1, strlen(text + 1) }, &seconds) != 0) {
		fprintf(stderr, "conductctl: say how far, for example: conductctl demo clock +31d\n");
		return 2;
	}
	r = demo_shift_clock(dir, seconds);
	if (r == 0)
		printf("The demo clock is %s further.\n", text + 1);
	return r == 0 ? 0 : 1;
}

int demo_command(int argc, char **argv)
{
	const char *dir = "build/quickstart", *words[3] = { NULL };
	unsigned port = 8480;
	int n = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			fputs(demo_usage, stdout);
			return 0;
		} else if (strcmp(argv[i], "--dir") == 0 && i + 1 < argc) {
			dir = argv[++i];
		} else if (strcmp(argv[i], "--port") == 0 && i + 1 < argc) {
			port = (unsigned)strtoul(argv[++i], NULL, 10);
		} else if (argv[i][0] != '-' && n < 2) {
			words[n++] = argv[i];
		} else {
			fputs(demo_usage, stderr);
			return 2;
		}
	}
	if (n == 2 && strcmp(words[0], "clock") == 0)
		return demo_clock(dir, words[1]);
	if (n == 0 || (n == 1 && strcmp(words[0], "walk") == 0))
		return demo_walk(dir) == 0 ? 0 : 1;
	if (n == 1 && strcmp(words[0], "people") == 0)
		return demo_make_people(dir, port) == 0 ? 0 : 1;
	if (n == 1 && strcmp(words[0], "grants") == 0)
		return demo_make_grants(dir) == 0 ? 0 : 1;
	fputs(demo_usage, stderr);
	return 2;
}
