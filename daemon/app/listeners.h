#pragma once
/*
 * The listening sockets, which the parent keeps open over restarts of its processes: its own, those
 * that a service manager has opened, and those of the daemon that this one takes over from.
 */

#include "daemon/app/address.h"
#include "daemon/app/config.h"

enum { LISTENERS_LIMIT = 64, INHERITED_LIMIT = 512 };

enum listener_kind { LISTENER_PLAIN, LISTENER_TLS, LISTENER_OPS };

struct listener {
	int fd;
	enum listener_kind kind;
	size_t row;   /* in the configuration's list of that kind */
	bool is_lent; /* whoever lent it may have it opened again */
};

/* Those of one process. */
struct listeners {
	struct listener at[LISTENERS_LIMIT];
	size_t n;
};

/* What this process was started with. */
struct inherited {
	struct {
		int fd;
		struct address address;
		bool is_lent;
		bool is_shared; /* others may listen on the same address */
		bool is_used;
	} at[INHERITED_LIMIT];
	size_t n;
};

int inherited_take(struct inherited *inherited);
void inherited_close_unused(struct inherited *inherited);

int listeners_open_web(const struct config *config, struct inherited *inherited, unsigned number,
		       unsigned n_processes, struct listeners *listeners);
int listeners_open_ops(const struct config *config, struct inherited *inherited,
		       struct listeners *listeners);
void listeners_close(struct listeners *listeners);
