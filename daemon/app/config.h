#pragma once
/* The configuration file as a struct: one row per key, each with a textual default. */

#include "api/http/limits.h"
#include "daemon/base/arena.h"
#include "daemon/base/log.h"
#include "daemon/pg/pg.h"

enum {
	CONFIG_LISTEN_LIMIT = 8,
	CONFIG_TLS_LIMIT = 8,
	CONFIG_PATH_LIMIT = 16,
	CONFIG_HOST_LIMIT = 32,
	CONFIG_ISSUER_LIMIT = 16,
	CONFIG_CLIENT_LIMIT = 32,
	CONFIG_KEY_LIMIT = 4,
	CONFIG_NETWORK_LIMIT = 32,
	CONFIG_ORIGIN_LIMIT = 64,
	CONFIG_WIKI_LIMIT = 2048,
	CONFIG_WEB_LIMIT = 256,
	CONFIG_RATE_LIMIT = 10 * 1000 * 1000,
	CONFIG_CASES_LIMIT = 100 * 1000,
};

enum {
	CONFIG_E_UNREADABLE = 1, /* the file cannot be opened or read */
	CONFIG_E_REFUSED,        /* a key or value is wrong; the error names line and column */
};

struct config_texts {
	const char **at;
	size_t n;
};

enum config_scope { CONFIG_SCOPE_REPORT, CONFIG_SCOPE_FULL };

enum config_verify { CONFIG_VERIFY_TOKEN, CONFIG_VERIFY_PROFILE_ONLY };

struct config_client {
	const char *id;
	int64_t scope;           /* enum config_scope: a report client reads no case */
	bool is_login;           /* serves conductd's own pages; at most one of an issuer */
	const char *secret_file; /* login: read by the worker alone; "" when none */
};

struct config_issuer {
	const char *name;
	const char *iss;
	const char *scope;
	bool is_demo;
	int64_t verify; /* enum config_verify */
	struct config_client *clients;
	size_t n_clients;
	struct config_texts keys; /* PEM files, at most CONFIG_KEY_LIMIT */
	const char *profile;      /* URLs of the wiki; "" when not given */
	const char *authorize;
	const char *access_token;
	const char *api;
	const char *rest;          /* of the wikis listed: rest.php, "*" for each one's host; "" */
	const char *central_ids;   /* of api: the provider of the ids; "": as the scope says */
	struct config_texts wikis; /* whose names are of this issuer; none: those of no other */
	int64_t lifetime_max;      /* seconds */
	const char *people;        /* file, demo only; "" when none */
};

/* An address that speaks TLS; PEM files. */
struct config_tls {
	const char *listen;
	const char *certificate; /* with its chain */
	const char *key;
	const char *client_ca; /* "": clients need no certificate */
};

struct config {
	struct arena *arena;
	const char *file;
	struct config_texts listen;
	struct config_tls *tls;
	size_t n_tls;
	const char *ops_listen;
	struct config_texts host_names;
	struct config_texts trusted_proxies;
	struct config_texts shared_networks;
	struct config_texts cors_origins;
	const char *public_url; /* origin of conductd's own pages; "": none */
	bool has_cors_wikis;
	int64_t limits[LIMIT_COUNT];
	int64_t shared_factor;
	int64_t connections_max;     /* of one web process */
	int64_t network_connections; /* of those; 0: all */
	int64_t buffers_mib;         /* of one web process */
	int64_t queue_max;           /* calls that wait, of one web process */
	int64_t web_processes;       /* 0: one per core */
	const char *user;            /* "" stays what started it */
	const char *pid_file;        /* "" writes none */
	int64_t drain_seconds;
	int64_t log_level;
	const char *database_web;
	const char *database_worker;
	const char *database_migrate; /* conductctl alone */
	int64_t connections[PG_LANE_COUNT];
	struct config_texts policy_path;
	const char *index_key_file;
	const char *vault_key_file;
	const char *vault_public_file;
	const char *vault_passphrase_file; /* "": the service's credential alone */
	int64_t vault_cases_person;        /* distinct ones, an hour */
	int64_t vault_cases_host;
	int64_t deadlines_every; /* seconds */
	int64_t audit_every;
	int64_t rotation_every;
	const char *audit_head_file;
	int64_t lookups_every; /* seconds */
	int64_t snapshots_every;
	int64_t sweep_every; /* seconds */
	int64_t retention_every;
	const char *contact; /* in the User-Agent of what wikis are asked */
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
void config_error_print(const char *file, const struct config_error *error, char *ret_text,
			size_t size);
/* The provider under which the issuer's api.php tells its ids; NULL: nobody has said. */
const char *config_issuer_central_ids(const struct config_issuer *issuer);
/* True: an issuer is wrong; *ret_index says which one and the text why. */
const char *config_find_twice(const struct config *config);
bool config_find_bad_issuer(const struct config *config, size_t *ret_index, char *ret_text,
			    size_t size);
void config_dump(const struct config *config, struct buffer *buffer);
void config_list_fixed(const struct config *old, const struct config *new, struct buffer *buffer);
