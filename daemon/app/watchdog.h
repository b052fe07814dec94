#pragma once
/* A service manager's watchdog (sd_watchdog_enabled(3)), fed while every process answers. */

#include "daemon/ipc/channel.h"

struct event;
struct parent;

struct watchdog {
	struct event *timer; /* NULL: nobody watches */
};

/* Of one process. */
struct watched {
	struct ipc_request ping;
	bool is_asked; /* and has not answered */
	unsigned n_missed;
};

int watchdog_init(struct watchdog *watchdog, struct parent *parent);
void watchdog_deinit(struct watchdog *watchdog);
