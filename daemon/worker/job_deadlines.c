/*
 * Deadlines that have passed: the database knows them and moves the cases; the worker asks until
 * there is nothing left. Small pieces, so that no act waits long for a lock of ours.
 */

#include "daemon/json/value.h"
#include "daemon/worker/internal.h"
#include "daemon/worker/jobs.h"

static const char piece[] = "50";

/* conduct_api_1.timer_run() answers {"done": n}: how many deadlines it dealt with. */
static int64_t read_done(const struct pg_answer *answer)
{
	CLEANUP(value_freep) struct value *body = NULL;
	struct value_error error;

	if (value_parse(pg_answer_cell(answer, 0, 1), &body, &error))
		return 0;
	return value_integer(value_get(body, "done"), 0);
}

static void on_done(struct pg_call *call, const struct pg_answer *answer)
{
	struct job *job = job_of_call(call);

	if (answer->outcome != PG_DONE) {
		if (answer->outcome != PG_REFUSED)
			worker_lose_lead(job->worker);
		job_done(job, false);
	} else if (read_done(answer) > 0 && !job->worker->is_draining && !job->worker->is_paused) {
		job_deadlines_start(job);
	} else {
		job_done(job, true);
	}
}

void job_deadlines_start(struct job *job)
{
	job->params[0] = (struct pg_param){ .at = piece, .length = sizeof(piece) - 1 };
	job_call(job, STATEMENT_TIMER_RUN, on_done);
}
