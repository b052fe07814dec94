#pragma once
/* The processes of the daemon: one row each, and what a child starts with. */

#include "daemon/app/config.h"
#include "daemon/app/listeners.h"
#include "daemon/app/title.h"
#include "daemon/crypto/tls.h"
#include "daemon/ipc/channel.h"
#include "daemon/ipc/page.h"

enum {
	PROCESS_EXIT_FAILED = 1,
	PROCESS_EXIT_ORPHAN = 3, /* the parent is gone */
};

struct event;
struct event_base;

struct child {
	const char *config_file;
	struct config *config; /* its own copy */
	struct title *title;
	struct page *page;
	unsigned number;             /* from 1 among those of its kind */
	struct listeners *listeners; /* of the configuration's addresses */
	struct tls_tickets tickets;  /* web */
	bool is_late;                /* another daemon serves until this one can */
	int parent_fd;
	int parent_pid;

	/* Filled by child_init(). */
	char name[32]; /* "web 1" */
	struct event_base *base;
	struct event *term_event;
	struct ipc_channel *parent;
	struct ipc_channel *vault;  /* NULL: not there at the moment */
	struct ipc_channel *worker; /* web: the same */

	/* The kind's own; any may be NULL. */
	void *state;
	void (*on_drain)(struct child *child);
	void (*on_serve)(struct child *child);     /* the whole daemon does, and replaces another */
	void (*on_hand_over)(struct child *child); /* as on_drain, and another daemon serves */
	void (*on_reload)(struct child *child);    /* answers with child_reloaded() */
	void (*on_policy)(struct child *child);
	/* Who it is, and the descriptor, which is taken. */
	void (*on_peer)(struct child *child, enum page_process kind, int fd);
};

/* One row of the table of processes. */
struct process_kind {
	enum page_process id;
	const char *name;
	bool is_numbered;
	unsigned (*count)(const struct config *config);
	int (*run)(struct child *child); /* until it ends; becomes the exit status */
};

extern const struct process_kind process_kinds[];
extern const size_t process_n_kinds;

/* child.c */
int child_change_account(const char *user);
int child_init(struct child *child, const struct process_kind *kind);
void child_deinit(struct child *child);
void child_ready(struct child *child);
void child_reloaded(struct child *child, bool is_in_use);
int child_reload_config(struct child *child);

int web_run(struct child *child);
int worker_process_run(struct child *child);
int vault_run(struct child *child);

/* parent.c */
int parent_run(struct config *config, struct title *title, char *const *arguments);
