#pragma once
/* conductctl's commands: rows with what each takes, and one file for each. */

#include "daemon/app/config.h"
#include "daemon/pg/session.h"

enum { CONTROL_OK = 0, CONTROL_FAILED = 1, CONTROL_USAGE = 2 };

struct control {
	const char *config_file;
	const char *database;  /* --database; NULL: the configuration's */
	struct config *config; /* loaded on first use by control_config() */
};

struct control_command {
	const char *group; /* first word */
	const char *name;  /* second word, or NULL */
	const char *arguments;
	const char *summary;
	const char *help;
	int (*run)(struct control *control, int argc, char **argv); /* argv[0] is the last word */
};

extern const struct control_command control_commands[];
extern const size_t control_n_commands;

/* "--wiki W" sets *value, "--published" sets *is_given; each at most once. */
struct control_option {
	const char *name;
	const char **value; /* NULL: takes none */
	bool *is_given;     /* NULL where value is not */
	bool is_required;
};

/* control.c; each says on stderr what went wrong. */
int control_read_options(const char *command, int argc, char **argv,
			 const struct control_option *options,
			 size_t n_options);                   /* or CONTROL_USAGE */
const struct config *control_config(struct control *control); /* NULL: failed */
struct pg_session *control_session(struct control *control);  /* NULL: failed */
int control_settle(struct pg_session *session);               /* before anything is told as done */
int control_fail(const char *format, ...) PRINTF(1, 2);       /* CONTROL_FAILED */
int control_misused(const char *format, ...) PRINTF(1, 2);    /* CONTROL_USAGE */
int control_finish(int outcome); /* of a command, whose words have to be written */

int control_migrate(struct control *control, int argc, char **argv);
int control_grant(struct control *control, int argc, char **argv);
int control_policy_check(struct control *control, int argc, char **argv);
int control_policy_diff(struct control *control, int argc, char **argv);
int control_policy_publish(struct control *control, int argc, char **argv);
int control_policy_show(struct control *control, int argc, char **argv);
int control_route(struct control *control, int argc, char **argv);
int control_wikis_import(struct control *control, int argc, char **argv);
int control_keys_init(struct control *control, int argc, char **argv);
int control_keys_status(struct control *control, int argc, char **argv);
int control_keys_recover(struct control *control, int argc, char **argv);
int control_keys_rotate(struct control *control, int argc, char **argv);
int control_keys_import(struct control *control, int argc, char **argv);
int control_keys_activate(struct control *control, int argc, char **argv);
int control_keys_destroy(struct control *control, int argc, char **argv);
int control_keys_escrow(struct control *control, int argc, char **argv);
int control_audit_export(struct control *control, int argc, char **argv);
int control_audit_verify(struct control *control, int argc, char **argv);
int control_audit_adopt(struct control *control, int argc, char **argv);
int control_erase_replay(struct control *control, int argc, char **argv);
int control_audit_key(struct control *control, int argc, char **argv);
int control_demo_clock(struct control *control, int argc, char **argv);
int control_demo_people(struct control *control, int argc, char **argv);
int control_demo_grants(struct control *control, int argc, char **argv);
int control_demo_walk(struct control *control, int argc, char **argv);
