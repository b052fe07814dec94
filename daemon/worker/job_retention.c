/*
 * What must be forgotten: parties' words on request, texts and skeletons of cases by time. The
 * database knows what is due and erases one case in one transaction; the worker asks until there is
 * nothing left.
 */

#include <string.h>

#include "daemon/json/value.h"
#include "daemon/worker/internal.h"
#include "daemon/worker/jobs.h"

static const char *const outcomes[PAGE_ERASED_COUNT] = { "party", "text", "skeleton", "failed" };

/* conduct_api_1.retention_run() answers {"outcome": "none" | "waiting" | one of those above,
 * "overdue": n}. Returns whether there may be more to do. */
static bool take_outcome(struct page *page, const struct pg_answer *answer)
{
	CLEANUP(value_freep) struct value *body = NULL;
	const char *outcome;

	if (value_parse(pg_answer_cell(answer, 0, 1), &body, NULL))
		return false;
	atomic_fetch_add(&page->n_erasures_overdue,
			 (uint64_t)value_integer(value_get(body, "overdue"), 0));
	outcome = value_get_string(body, "outcome");
	if (!outcome || strcmp(outcome, "none") == 0)
		return false;
	for (size_t i = 0; i < PAGE_ERASED_COUNT; i++)
		if (strcmp(outcome, outcomes[i]) == 0)
			atomic_fetch_add(&page->n_erased[i], 1);
	return true;
}

static void on_done(struct pg_call *call, const struct pg_answer *answer)
{
	struct job *job = job_of_call(call);
	struct worker *worker = job->worker;

	if (answer->outcome != PG_DONE) {
		if (answer->outcome != PG_REFUSED)
			worker_lose_lead(worker);
		job_done(job, false);
	} else if (take_outcome(worker->setup.page, answer) && !worker->is_draining &&
		   !worker->is_paused) {
		job_retention_start(job);
	} else {
		job_done(job, true);
	}
}

void job_retention_start(struct job *job)
{
	job_call(job, STATEMENT_RETENTION_RUN, on_done);
}
