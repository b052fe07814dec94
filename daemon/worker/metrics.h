#pragma once
/* The counters of the shared page as Prometheus text. */

#include "daemon/base/buffer.h"
#include "daemon/ipc/page.h"
#include "daemon/pg/pg.h"

struct job_kind;

void metrics_write(const struct page *page, const struct pg_pool_state *pool,
		   const struct job_kind *kinds, size_t n_kinds, bool is_leader,
		   struct buffer *buffer);
