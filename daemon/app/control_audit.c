/* conductctl audit: a bundle of the log, its verification, and the head file of a new host. */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/app/audit_export.h"
#include "daemon/app/control.h"
#include "daemon/app/vault_load.h"
#include "daemon/audit/bundle.h"
#include "daemon/audit/head.h"
#include "daemon/base/text.h"
#include "sql/text.h"

enum { KEYS_MAX = 32, FAULTS_SHOWN = 100, PATH_LIMIT = 4096 };

static void close_file(FILE **file)
{
	if (*file)
		(void)fclose(*file);
}

static int export_failed(struct pg_session *session, const char *path, int r)
{
	if (r == AUDIT_EXPORT_E_FILE)
		return control_fail("%s: %s", path, strerror(errno));
	return control_fail("cannot read the log: %s",
			    r < 0 ? strerror(-r) : pg_session_error(session));
}

/* A bundle names pseudonyms and holds ciphertexts: nobody else's to read. */
static int export_to(struct control *control, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CLEANUP(close_file) FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	struct pg_session *session;
	int r;

	if (!file)
		return control_fail("%s: %s", path, strerror(errno));
	session = control_session(control);
	if (!session)
		return CONTROL_FAILED;
	r = audit_export(session, file);
	if (r)
		r = export_failed(session, path, r);
	else
		(void)printf("wrote %s\n", path);
	pg_session_free(session);
	if (r)
		(void)unlink(path);
	return r;
}

int control_audit_export(struct control *control, int argc, char **argv)
{
	const char *path = NULL;
	const struct control_option options[] = { { "--out", &path, NULL, true } };
	int r = control_read_options("audit export", argc, argv, options, ARRAY_SIZE(options));

	return r ? r : export_to(control, path);
}

struct verification {
	struct note_key keys[KEYS_MAX];
	size_t n_keys;
	const char *path;
	uint64_t n_faults;
};

static void on_fault(void *userdata, const char *text)
{
	struct verification *verification = userdata;

	if (verification->n_faults++ < FAULTS_SHOWN)
		(void)printf("fault: %s\n", text);
}

/* Without --key: the log key of this host. */
static int load_key(struct control *control, struct verification *verification)
{
	const struct config *config = control_config(control);
	struct public_keys keys;
	int r;

	if (!config)
		return CONTROL_FAILED;
	r = vault_load_public(config->vault_public_file, &keys);
	if (r)
		return control_fail("%s: %s", config->vault_public_file, vault_load_explain(r));
	verification->n_keys = 1;
	r = note_key_init(&verification->keys[0], keys.host, keys.log_key);
	return r ? control_fail("%s: cannot be used", config->vault_public_file) : CONTROL_OK;
}

static int read_arguments(int argc, char **argv, struct verification *verification)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--key") != 0) {
			if (verification->path)
				return control_misused("audit verify takes one file");
			verification->path = argv[i];
			continue;
		}
		if (i + 1 == argc || verification->n_keys == KEYS_MAX)
			return control_misused("audit verify: --key needs one value, %d at most",
					       KEYS_MAX);
		if (note_key_read(text_slice(argv[++i]),
				  &verification->keys[verification->n_keys++]))
			return control_misused("audit verify: %s is no key (NAME+ID+KEY)", argv[i]);
	}
	if (!verification->path)
		return control_misused("audit verify: FILE is missing");
	return CONTROL_OK;
}

/* Every line, from the beginning; 0 or negative. */
static int read_bundle(FILE *file, struct bundle *bundle,
		       int (*read)(struct bundle *bundle, struct slice line))
{
	char *line = NULL;
	size_t size = 0;
	ssize_t length;
	int r = 0;

	while (r == 0 && (length = getline(&line, &size, file)) > 0) {
		if (line[length - 1] == '\n')
			length--;
		r = length > BUNDLE_LINE_MAX ? -E2BIG
					     : read(bundle, (struct slice){ line, (size_t)length });
	}
	free(line);
	return r == 0 && ferror(file) ? -EIO : r;
}

static int print_summary(const struct verification *verification,
			 const struct bundle_summary *summary)
{
	if (verification->n_faults > FAULTS_SHOWN)
		(void)printf("and %" PRIu64 " more faults\n",
			     verification->n_faults - FAULTS_SHOWN);
	(void)printf("%" PRIu64 " entries (%" PRIu64 " erased by %" PRIu64 " erasures), %" PRIu64
		     " checkpoints, %" PRIu64 " rows, %" PRIu64 " words\n",
		     summary->n_leaves, summary->n_erased, summary->n_erasures,
		     summary->n_checkpoints, summary->n_rows, summary->n_words);
	if (summary->n_faults) {
		(void)printf("NOT VERIFIED: %" PRIu64 " faults\n", summary->n_faults);
		return CONTROL_FAILED;
	}
	if (*summary->head.origin)
		(void)printf("verified up to entry %" PRIu64 " of %s\n", summary->head.size,
			     summary->head.origin);
	else
		(void)printf("in order, and nothing is signed yet\n");
	return CONTROL_OK;
}

static int verify(struct verification *verification)
{
	size_t n;
	const struct bundle_setup setup = { .keys = verification->keys,
					    .n_keys = verification->n_keys,
					    .catalog = sql_texts(SQL_CATALOG, &n)[1].text,
					    .fault = on_fault,
					    .userdata = verification };
	CLEANUP(close_file) FILE *file = fopen(verification->path, "re");
	struct bundle_summary summary;
	struct bundle *bundle = NULL;
	int r;

	if (!file)
		return control_fail("%s: %s", verification->path, strerror(errno));
	r = bundle_new(&setup, &bundle);
	if (r == 0)
		r = read_bundle(file, bundle, bundle_read);
	/* Where the file can be read once only, they are counted. */
	if (r == 0 && bundle_misses_rows(bundle) && fseek(file, 0, SEEK_SET) == 0)
		r = read_bundle(file, bundle, bundle_name_rows);
	if (r == 0)
		r = bundle_finish(bundle, &summary);
	bundle_free(bundle);
	if (r)
		return control_fail("%s: %s", verification->path, strerror(-r));
	return print_summary(verification, &summary);
}

int control_audit_verify(struct control *control, int argc, char **argv)
{
	struct verification verification = { 0 };
	int r = read_arguments(argc, argv, &verification);

	if (r == CONTROL_OK && verification.n_keys == 0)
		r = load_key(control, &verification);
	return r ? r : verify(&verification);
}

int control_audit_key(struct control *control, int argc, char **argv)
{
	struct verification verification = { 0 };
	char text[NOTE_KEY_TEXT_MAX];
	int r;

	if (argc > 1)
		return control_misused("audit key takes no arguments");
	r = load_key(control, &verification);
	if (r)
		return r;
	note_key_write(&verification.keys[0], text);
	(void)puts(text);
	return CONTROL_OK;
}

/* The newest checkpoint of the database. */
static int ask_head(struct pg_session *session, struct checkpoint *ret_head)
{
	struct pg_rows *rows = NULL;
	int r = pg_session_query(session,
				 "select note from conduct.audit_checkpoint"
				 " order by size desc limit 1",
				 NULL, 0, &rows);

	if (r)
		return control_fail("%s", r < 0 ? strerror(-r) : pg_session_error(session));
	if (pg_rows_count(rows) == 0)
		r = control_fail("the log has no checkpoint yet: there is nothing to adopt");
	else if (note_read(text_slice(pg_rows_text(rows, 0, 0)), ret_head))
		r = control_fail("the newest checkpoint is none");
	pg_rows_free(rows);
	return r;
}

/* What root writes belongs to the account of its directory: the daemon's. */
static int give_to_owner(const char *path)
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_LIMIT];
	struct stat status;

	if (geteuid() != 0)
		return 0;
	(void)snprintf(directory, sizeof(directory), "%.*s",
		       slash && slash != path ? (int)(slash - path) : 1, path);
	if (stat(directory, &status) < 0 || chown(path, status.st_uid, status.st_gid) < 0)
		return -errno;
	return 0;
}

static int adopt(const char *path, const struct checkpoint *head)
{
	int r = head_store(path, head);

	if (r == 0)
		r = give_to_owner(path);
	if (r < 0)
		return control_fail("%s: %s", path, strerror(-r));
	(void)printf("adopted the first %" PRIu64 " entries of %s\n", head->size, head->origin);
	return CONTROL_OK;
}

int control_audit_adopt(struct control *control, int argc, char **argv)
{
	const struct config *config;
	struct checkpoint head = { 0 };
	struct pg_session *session;
	int r;

	if (argc > 1)
		return control_misused("audit adopt takes no arguments");
	config = control_config(control);
	if (!config)
		return CONTROL_FAILED;
	if (access(config->audit_head_file, F_OK) == 0)
		return control_fail("%s is there: this host follows the log already; to begin with "
				    "what the database has instead, verify that first (`conductctl "
				    "audit verify`) and move the file away",
				    config->audit_head_file);
	session = control_session(control);
	if (!session)
		return CONTROL_FAILED;
	r = ask_head(session, &head);
	/* A head that a failover takes back would stop the log of this host for good. */
	if (r == 0)
		r = control_settle(session);
	pg_session_free(session);
	return r ? r : adopt(config->audit_head_file, &head);
}
