/*
 * What has ended is forgotten: sessions, popup codes, bearers, and keys of requests whose day is
 * over. Small pieces, until there is nothing left.
 */

#include "daemon/json/value.h"
#include "daemon/worker/internal.h"
#include "daemon/worker/jobs.h"

static const char piece[] = "500";

/* conduct_api_1.sweep() answers {"sessions": n, "keys": n, "receipts": n, "is_more": …}. */
static bool take_swept(struct page *page, const struct pg_answer *answer)
{
	CLEANUP(value_freep) struct value *body = NULL;

	if (value_parse(pg_answer_cell(answer, 0, 1), &body, NULL))
		return false;
	atomic_fetch_add(&page->n_swept[PAGE_SWEPT_SESSIONS],
			 (uint64_t)value_integer(value_get(body, "sessions"), 0));
	atomic_fetch_add(&page->n_swept[PAGE_SWEPT_KEYS],
			 (uint64_t)value_integer(value_get(body, "keys"), 0));
	atomic_fetch_add(&page->n_swept[PAGE_SWEPT_RECEIPTS],
			 (uint64_t)value_integer(value_get(body, "receipts"), 0));
	return value_is_true(value_get(body, "is_more"));
}

static void on_done(struct pg_call *call, const struct pg_answer *answer)
{
	struct job *job = job_of_call(call);
	struct worker *worker = job->worker;

	if (answer->outcome != PG_DONE) {
		if (answer->outcome != PG_REFUSED)
			worker_lose_lead(worker);
		job_done(job, false);
	} else if (take_swept(worker->setup.page, answer) && !worker->is_draining &&
		   !worker->is_paused) {
		job_sweep_start(job);
	} else {
		job_done(job, true);
	}
}

void job_sweep_start(struct job *job)
{
	job->params[0] = (struct pg_param){ .at = piece, .length = sizeof(piece) - 1 };
	job_call(job, STATEMENT_SWEEP, on_done);
}
