#pragma once
/* Inside the parent: its state, and what its files do for each other. */

#include <sys/types.h>

#include "daemon/app/listeners.h"
#include "daemon/app/process.h"
#include "daemon/app/upgrade.h"
#include "daemon/app/watchdog.h"
#include "daemon/crypto/tls.h"

struct process {
	struct parent *parent;
	const struct process_kind *kind;
	unsigned number;
	pid_t pid; /* 0: not running */
	struct ipc_channel *channel;
	struct event *timer;
	unsigned backoff_ms;
	int64_t started_ms;
	bool is_ready;
	bool is_reloading;          /* has been told to, and has not said how it went */
	struct listeners listeners; /* kept open here, so that no connection is lost */
	struct watched watched;
};

struct parent {
	struct config *config;
	struct config *started_with; /* what a reload does not change is still as it says */
	struct title *title;
	struct page *page;
	struct event_base *base;
	struct event *signals[5];
	struct event *drain_timer;
	struct event *reload_timer;
	struct event *tickets_timer;
	struct event *keys_timer;
	struct tls_tickets tickets;
	struct watchdog watchdog;
	struct upgrade upgrade;
	struct inherited inherited;
	struct process *processes;
	size_t n_processes;
	bool is_draining;
	bool is_announced;      /* every process was ready once */
	bool is_reload_due;     /* HUP came while the processes reload */
	bool is_reload_partial; /* a process has kept what it had, or is late */
	bool is_reload_owed;    /* HUP came when the daemon that replaces this one may have read */
	bool is_handed_over;    /* another daemon has taken over listeners and pid file */
	bool has_failed;
};

/* parent.c */
void process_log(enum log_level level, const char *message, const struct process *process,
		 int64_t code);
/* False (and logged) for a process that cannot be told. */
bool process_send(struct process *process, uint16_t type, struct slice payload);
/* kind PAGE_PARENT: all of them. */
void parent_send(struct parent *parent, enum page_process kind, uint16_t type,
		 struct slice payload);
/* What was given before the last key but one is good no longer. */
void parent_rotate_tickets(struct parent *parent);

/* reload.c */
int reload_init(struct parent *parent);
void parent_reload(struct parent *parent);
void reload_go_on(struct process *process);

/* drain.c */
int drain_init(struct parent *parent);
void drain_start(struct parent *parent);
void drain_go_on(struct parent *parent);
void parent_stop(struct parent *parent);
void parent_upgrade(struct parent *parent);
void parent_close_listeners(struct parent *parent);
