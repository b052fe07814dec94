#pragma once
/* From the configuration to what the server of a web process is told about its clients. */

#include "api/http/server.h"
#include "api/http/limits.h"
#include "daemon/app/config.h"

struct event;

/* The networks of a list that the configuration has checked; memory of the arena. */
int front_read_ranges(struct arena *arena, const struct config_texts *texts,
		      struct client_ranges *ret_ranges);
/* In the parent: the budgets' key of tomorrow is there before midnight, and yesterday's goes. */
int front_watch_keys(struct event_base *base, struct page *page, struct event **ret_timer);
/* As many descriptors as this process may have; how many connections of `wanted` that allows. */
unsigned front_fit_connections(unsigned wanted, unsigned n_others);
/* What the budgets of a web process are; the page is borrowed. */
int front_read_limits(struct arena *arena, const struct config *config, struct page *page,
		      unsigned number, struct limits *ret_limits);
int front_copy_hosts(struct arena *arena, const struct config *config,
		     struct config_texts *ret_hosts);
int front_copy_texts(struct arena *arena, const struct config_texts *texts,
		     struct config_texts *ret_texts);
