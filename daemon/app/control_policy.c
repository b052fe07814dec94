/* conductctl policy and wikis: the operator's hands on the policy library. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/app/control.h"
#include "daemon/json/value.h"
#include "policy/command.h"

enum { FILE_SIZE_MAX = 64 * 1024 * 1024 };

/* Prints what a command of the library said, to where it belongs, and maps its outcome. */
static int finish(int r, struct buffer *out)
{
	if (r == 0)
		r = buffer_finish(out);
	if (r < 0)
		return control_fail("%s", strerror(-r));
	if (out->at)
		(void)fputs(out->at, r ? stderr : stdout);
	if (out->at && out->length && out->at[out->length - 1] != '\n')
		(void)fputc('\n', r ? stderr : stdout);
	return r ? CONTROL_FAILED : CONTROL_OK;
}

int control_policy_check(struct control *control, int argc, char **argv)
{
	CLEANUP(buffer_deinit) struct buffer out = BUFFER_NULL;
	const char **directories;
	const struct config *config;
	int r;

	if (argc == 1) {
		config = control_config(control);
		if (!config)
			return CONTROL_FAILED;
		return finish(policy_command_check((const char *const *)config->policy_path.at,
						   config->policy_path.n, &out),
			      &out);
	}
	directories = calloc((size_t)argc, sizeof(*directories));
	if (!directories)
		return control_fail("out of memory");
	for (int i = 1; i < argc; i++)
		directories[i - 1] = argv[i];
	r = policy_command_check(directories, (size_t)argc - 1, &out);
	free(directories);
	return finish(r, &out);
}

static int load_configured(struct control *control, struct policy_set **ret_set)
{
	CLEANUP(policy_errors_deinit) struct policy_errors errors = { 0 };
	const struct config *config = control_config(control);
	int r;

	if (!config)
		return CONTROL_FAILED;
	r = policy_set_load(config->policy_path.at, config->policy_path.n, ret_set, &errors);
	for (size_t i = 0; i < errors.n_lines; i++)
		(void)fprintf(stderr, "%s\n", errors.lines[i]);
	return r ? control_fail("the set of policy_path is refused") : CONTROL_OK;
}

static int load_published(struct control *control, struct policy_set **ret_set)
{
	CLEANUP(policy_errors_deinit) struct policy_errors errors = { 0 };
	struct pg_session *session = control_session(control);
	struct pg_rows *rows = NULL;
	const char *text;
	int r;

	if (!session)
		return CONTROL_FAILED;
	r = pg_session_query(session,
			     "select body ->> 'canonical'"
			     " from conduct_api_1.policy_current()",
			     NULL, 0, &rows);
	if (r && strcmp(pg_session_sqlstate(session), "UC404") == 0)
		r = control_fail("no policy set is published");
	else if (r)
		r = control_fail("%s", r < 0 ? strerror(-r) : pg_session_error(session));
	pg_session_free(session);
	if (r)
		return r;
	text = pg_rows_text(rows, 0, 0);
	r = policy_set_read((struct slice){ text, strlen(text) }, ret_set, &errors);
	pg_rows_free(rows);
	return r ? control_fail("this program cannot read the published set") : CONTROL_OK;
}

static int open_named(const char *path, struct policy_set **ret_set)
{
	CLEANUP(buffer_deinit) struct buffer out = BUFFER_NULL;
	int r = policy_command_open(path, ret_set, &out);

	return r ? finish(r, &out) : CONTROL_OK;
}

int control_policy_diff(struct control *control, int argc, char **argv)
{
	CLEANUP(policy_set_unrefp) struct policy_set *from = NULL;
	CLEANUP(policy_set_unrefp) struct policy_set *to = NULL;
	CLEANUP(buffer_deinit) struct buffer out = BUFFER_NULL;
	int r;

	if (argc > 3)
		return control_misused("policy diff takes at most two sets");
	r = argc > 1 ? open_named(argv[1], &from) : load_published(control, &from);
	if (r == 0)
		r = argc > 2 ? open_named(argv[2], &to) : load_configured(control, &to);
	return r ? r : finish(policy_command_diff(from, to, &out), &out);
}

static int publish(struct pg_session *session, const struct policy_set *set)
{
	char revision[24];
	const char *const params[] = { policy_set_version(set), revision,
				       policy_set_canonical(set).at, policy_set_effective(set).at };
	struct pg_rows *rows = NULL;
	bool is_news;
	int r;

	(void)snprintf(revision, sizeof(revision), "%lld", (long long)policy_set_revision(set));
	r = pg_session_query(session,
			     "select body ->> 'published' from"
			     " conduct_api_1.publish_policy($1, $2::integer, $3, $4::jsonb)",
			     params, ARRAY_SIZE(params), &rows);
	if (r && strcmp(pg_session_sqlstate(session), "UC409") == 0)
		return control_fail("not published: the database has revision %s with other "
				    "content, or a higher one",
				    revision);
	if (r)
		return control_fail("%s", r < 0 ? strerror(-r) : pg_session_error(session));
	is_news = strcmp(pg_rows_text(rows, 0, 0), "true") == 0;
	pg_rows_free(rows);
	r = control_settle(session);
	if (r == 0)
		(void)printf("revision %s, version %s: %s\n", revision, policy_set_version(set),
			     is_news ? "published" : "in force already");
	return r;
}

int control_policy_publish(struct control *control, int argc, char **argv)
{
	CLEANUP(policy_set_unrefp) struct policy_set *set = NULL;
	struct pg_session *session;
	int r;

	if (argc > 1)
		return control_misused("policy publish takes no arguments");
	r = load_configured(control, &set);
	if (r)
		return r;
	session = control_session(control);
	if (!session)
		return CONTROL_FAILED;
	r = publish(session, set);
	pg_session_free(session);
	return r;
}

int control_policy_show(struct control *control, int argc, char **argv)
{
	CLEANUP(policy_set_unrefp) struct policy_set *set = NULL;
	CLEANUP(buffer_deinit) struct buffer out = BUFFER_NULL;
	const char *wiki = NULL;
	const char *lang = NULL;
	const char *rule = NULL;
	bool is_published = false;
	const struct control_option options[] = {
		{ "--wiki", &wiki, NULL, false },
		{ "--lang", &lang, NULL, false },
		{ "--rule", &rule, NULL, false },
		{ "--published", NULL, &is_published, false },
	};
	int r = control_read_options("policy show", argc, argv, options, ARRAY_SIZE(options));

	if (r)
		return r;
	r = is_published ? load_published(control, &set) : load_configured(control, &set);
	return r ? r : finish(policy_command_show(set, wiki, lang, rule, &out), &out);
}

static int file_read(const char *file, struct buffer *buffer)
{
	char part[65536];
	size_t n;
	FILE *stream = fopen(file, "re");
	int r;

	if (!stream)
		return -errno;
	while ((n = fread(part, 1, sizeof(part), stream)) > 0 && buffer->length <= FILE_SIZE_MAX)
		buffer_append(buffer, part, n);
	r = ferror(stream) ? -EIO : 0;
	(void)fclose(stream);
	return r < 0 ? r : buffer_finish(buffer);
}

int control_wikis_import(struct control *control, int argc, char **argv)
{
	CLEANUP(buffer_deinit) struct buffer matrix = BUFFER_NULL;
	CLEANUP(buffer_deinit) struct buffer yaml = BUFFER_NULL;
	CLEANUP(buffer_deinit) struct buffer out = BUFFER_NULL;
	int r;

	if (argc != 2)
		return control_misused("wikis import takes one file");
	r = file_read(argv[1], &matrix);
	if (r < 0)
		return control_fail("%s: %s", argv[1], strerror(-r));
	r = policy_command_import((struct slice){ matrix.at ? matrix.at : "", matrix.length },
				  &yaml, &out);
	if (r == 0)
		r = buffer_finish(&yaml);
	if (r == 0 && yaml.at)
		(void)fputs(yaml.at, stdout);
	/* What was left out is for the reader, not for the file. */
	if (r == 0 && out.length)
		(void)fputs(out.at, stderr);
	return r ? finish(r, &out) : CONTROL_OK;
}
