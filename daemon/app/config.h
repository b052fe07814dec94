#pragma once
/* The configuration file as a struct: one row per key, each with a textual default. */

#include "daemon/base/arena.h"
#include "daemon/base/log.h"
#include "daemon/pg/pg.h"

enum {
	CONFIG_LISTEN_LIMIT = 8,
	CONFIG_PATH_LIMIT = 16,
	CONFIG_HOST_LIMIT = 32,
	CONFIG_ISSUER_LIMIT = 16,
	CONFIG_CLIENT_LIMIT = 32,
	CONFIG_KEY_LIMIT = 4,
	CONFIG_WEB_LIMIT = 256,
};

enum {
	CONFIG_E_UNREADABLE = 1, /* the file cannot be opened or read */
	CONFIG_E_REFUSED,        /* a key or value is wrong; the error names line and column */
};

struct config_texts {
	const char **at;
	size_t n;
};

struct config_client {
	const char *id;
	bool is_full; /* may read cases; else may only report */
};

struct config_issuer {
	const char *name;
	const char *iss;
	const char *scope;
	bool is_demo;
	struct config_client *clients;
	size_t n_clients;
	struct config_texts keys; /* PEM files, at most CONFIG_KEY_LIMIT */
	int64_t lifetime_max;     /* seconds */
	const char *people;       /* file, demo only; "" when none */
};

struct config {
	struct arena *arena;
	const char *file;
	struct config_texts listen;
	const char *ops_listen;
	struct config_texts host_names;
	int64_t web_processes; /* 0: one per core */
	const char *user;      /* "" stays what started it */
	const char *pid_file;  /* "" writes none */
	int64_t drain_seconds;
	int64_t log_level;
	const char *deployment_id;
	const char *database_web;
	const char *database_worker;
	int64_t connections[PG_LANE_COUNT];
	struct config_texts policy_path;
	const char *index_key_file;
	int64_t deadlines_every; /* seconds */
	struct config_issuer *issuers;
	size_t n_issuers;
};

/* Where and why a file was refused; line and column are 1-based, 0 when the file has no place. */
struct config_error {
	char text[256];
	unsigned line;
	unsigned column;
};

struct buffer;

int config_load(const char *file, struct config **ret_config, struct config_error *ret_error);
int config_read(const char *file, struct slice bytes, struct config **ret_config,
		struct config_error *ret_error);
struct config *config_free(struct config *config);
void config_dump(const struct config *config, struct buffer *buffer);
