/*
 * The end of a daemon: web processes first, because their last requests need the others. Either
 * nobody serves after it, or another daemon has taken over and serves already.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "daemon/app/notify.h"
#include "daemon/app/parent.h"
#include "daemon/base/log.h"

static bool is_any_running(const struct parent *parent, bool is_web_meant)
{
	for (size_t i = 0; i < parent->n_processes; i++)
		if (parent->processes[i].pid &&
		    (!is_web_meant || parent->processes[i].kind->id == PAGE_WEB))
			return true;
	return false;
}

/* After each process that has ended. */
void drain_go_on(struct parent *parent)
{
	if (!is_any_running(parent, false))
		event_base_loopbreak(parent->base);
	else if (!is_any_running(parent, true))
		parent_send(parent, PAGE_PARENT, IPC_TYPE_DRAIN, (struct slice){ 0 });
}

void parent_close_listeners(struct parent *parent)
{
	for (size_t i = 0; i < parent->n_processes; i++)
		listeners_close(&parent->processes[i].listeners);
}

static void kill_all(struct parent *parent)
{
	for (size_t i = 0; i < parent->n_processes; i++)
		if (parent->processes[i].pid)
			(void)kill(parent->processes[i].pid, SIGKILL);
}

static void on_late(int fd, short what, void *userdata)
{
	struct parent *parent = userdata;

	log_say(LOG_LEVEL_WARN, "processes.drain is over: ending what is left");
	kill_all(parent);
}

int drain_init(struct parent *parent)
{
	parent->drain_timer = evtimer_new(parent->base, on_late, parent);
	return parent->drain_timer ? 0 : -ENOMEM;
}

void drain_start(struct parent *parent)
{
	const struct timeval limit = { .tv_sec = parent->config->drain_seconds };

	if (!parent->is_handed_over)
		notify_send("STOPPING=1");
	parent->is_draining = true;
	evtimer_add(parent->drain_timer, &limit);
	/* The kernel stops queueing connections only when the last copy is closed. */
	parent_close_listeners(parent);
	if (parent->is_handed_over) {
		parent_send(parent, PAGE_WEB, IPC_TYPE_HAND_OVER, (struct slice){ 0 });
		parent_send(parent, PAGE_WORKER, IPC_TYPE_HAND_OVER, (struct slice){ 0 });
	} else {
		parent_send(parent, PAGE_WEB, IPC_TYPE_DRAIN, (struct slice){ 0 });
	}
	drain_go_on(parent);
}

/* TERM; the second one does not wait any more. */
void parent_stop(struct parent *parent)
{
	if (parent->is_draining) {
		kill_all(parent);
		return;
	}
	log_say(LOG_LEVEL_INFO, "stopping");
	upgrade_cancel(&parent->upgrade);
	drain_start(parent);
}

static void on_upgraded(void *userdata, bool is_taken_over)
{
	struct parent *parent = userdata;
	char text[64];

	if (!is_taken_over) {
		log_say(LOG_LEVEL_ERROR,
			"upgrade: the new daemon does not serve: this one goes on");
		notify_send("STATUS=An upgrade failed; see the log.");
		return;
	}
	log_say(LOG_LEVEL_INFO, "upgrade: process %d serves, stopping", (int)parent->upgrade.pid);
	parent->is_handed_over = true;
	/* Ready also where this one was reloading: what it says of that is heard no more. */
	(void)snprintf(text, sizeof(text), "MAINPID=%d\nREADY=1\nSTATUS=Serving.",
		       (int)parent->upgrade.pid);
	notify_send(text);
	if (parent->is_reload_owed)
		upgrade_signal(&parent->upgrade, SIGHUP);
	drain_start(parent);
}

/* USR2: the program that now lies where this one was is to take over. */
void parent_upgrade(struct parent *parent)
{
	const struct listener *listeners[INHERITED_LIMIT];
	struct upgrade_load load = { .listeners = listeners,
				     .tickets = &parent->tickets,
				     .budgets_fd = parent->page->budgets_fd };
	int r;

	if (parent->is_draining || !parent->is_announced || parent->upgrade.event) {
		log_say(LOG_LEVEL_WARN, "upgrade: not while this daemon starts, stops or upgrades");
		return;
	}
	for (size_t i = 0; i < parent->n_processes; i++)
		for (size_t j = 0; j < parent->processes[i].listeners.n; j++)
			if (load.n_listeners < INHERITED_LIMIT)
				listeners[load.n_listeners++] =
					&parent->processes[i].listeners.at[j];
	log_say(LOG_LEVEL_INFO, "upgrade: starting %s", parent->upgrade.program);
	parent->is_reload_owed = false;
	parent->upgrade.done = on_upgraded;
	parent->upgrade.userdata = parent;
	r = upgrade_start(&parent->upgrade, parent->base, &load);
	if (r < 0)
		log_say(LOG_LEVEL_ERROR, "upgrade: %s", strerror(-r));
}
