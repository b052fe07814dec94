#pragma once
/* The counters of the shared page as Prometheus text. */

#include "daemon/base/buffer.h"
#include "daemon/ipc/page.h"
#include "daemon/pg/pg.h"

struct job_kind;

/* Where the numbers are. */
struct metrics {
	const struct page *page;
	const struct pg_pool_state *pool; /* the worker's own */
	const struct job_kind *jobs;
	size_t n_jobs;
	const char *const *tls_addresses; /* of the configuration, as page->tls has them */
	size_t n_tls_addresses;
	bool is_leader;
	bool is_log_in_order;
};

void metrics_write(const struct metrics *metrics, struct buffer *buffer);
