#pragma once
/* The worker: runs the jobs of the job table, on one host of a cluster at a time, and the ops port.
 */

#include "daemon/audit/note.h"
#include "daemon/cases/seal.h"
#include "daemon/ipc/page.h"
#include "daemon/keys/index.h"

enum { WORKER_SECRET_SIZE_MAX = 512 }; /* of an OAuth client */
enum { IDENTITY_WIKI_LIMIT = 32 };

struct event_base;
struct worker;

/* A demo issuer whose people are made known to the database. */
struct worker_people {
	const char *iss;
	const char *scope;
	const char *file;
};

/* A wiki that is asked about its accounts. Texts are "" where the configuration has none. */
struct worker_wiki {
	const char *name;
	const char *iss;
	const char *scope;
	const char *profile;
	const char *access_token;
	const char *api;
	const char *rest;         /* with a star: at the host of each wiki */
	const char *central_ids;  /* the provider of the ids that api tells */
	const char *const *wikis; /* whose names are looked up here; none: those of no other */
	size_t n_wikis;
	const char *login_client; /* NULL: no login */
	const char *secret_file;
};

/* What may change on a reload; everything is borrowed until the next one. */
struct worker_terms {
	const char *const *policy_directories;
	size_t n_policy_directories;
	const struct worker_people *people;
	size_t n_people;
	const struct worker_wiki *wikis;
	size_t n_wikis;
	const char *contact;               /* for the User-Agent */
	const char *const *ops_host_names; /* what Host may name beside loopback */
	size_t n_ops_host_names;
	const char *const *tls_addresses; /* as page->tls has them */
	size_t n_tls_addresses;
	bool is_demo; /* a shifted clock is in order */
	unsigned deadlines_every_ms;
	unsigned lookups_every_ms;
	unsigned snapshots_every_ms;
	unsigned audit_every_ms;
	unsigned sweep_every_ms;
	unsigned rotation_every_ms;
	unsigned retention_every_ms;
};

struct worker_setup {
	struct event_base *base;
	struct page *page;
	const char *conninfo;
	const char *version;
	struct index_key index_key;
	struct sealer *sealer;             /* borrowed: seals and opens words */
	const char *log_head_file;         /* what this host has seen of the log */
	struct note_key log_key;           /* of the vault, for signing the log */
	struct ipc_channel *const *vault;  /* *vault is NULL while there is none */
	void (*published)(void *userdata); /* another policy set is in force */
	void *userdata;
	struct worker_terms terms;
};

int worker_new(const struct worker_setup *setup, struct worker **ret_worker);
struct worker *worker_free(struct worker *worker);
/* The ops port: fd listens and is taken. Nothing is answered there before the first. */
int worker_open_ops_take(struct worker *worker, int fd);
void worker_close_ops(struct worker *worker);
/* Starts no job any more; done() runs once, when none is under way: then the terms may be freed. */
void worker_pause(struct worker *worker, void (*done)(void *userdata), void *userdata);
/* A way to a web process, which asks about accounts; the descriptor is taken. */
void worker_add_peer(struct worker *worker, int fd);
/* In a pause: the vault has another key for the log. */
void worker_set_log_key(struct worker *worker, const struct note_key *log_key);
/* Ends the pause with new terms. */
void worker_reload(struct worker *worker, const struct worker_terms *terms);
/* Starts no job any more; done() runs once, when none is under way. */
void worker_drain(struct worker *worker, void (*done)(void *userdata), void *userdata);
