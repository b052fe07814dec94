/*
 * The job table and its runner. A job runs when its time has come, this worker leads (where that
 * matters), and its last run is over; a failed run is tried again soon.
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/base/log.h"
#include "daemon/worker/audit.h"
#include "daemon/worker/internal.h"
#include "daemon/worker/jobs.h"
#include "daemon/worker/rotation.h"

static unsigned once(const struct worker *worker)
{
	return 0;
}

static unsigned deadlines_period(const struct worker *worker)
{
	return worker->setup.terms.deadlines_every_ms;
}

static unsigned lookups_period(const struct worker *worker)
{
	return worker->setup.terms.lookups_every_ms;
}

static unsigned snapshots_period(const struct worker *worker)
{
	return worker->setup.terms.snapshots_every_ms;
}

static unsigned sweep_period(const struct worker *worker)
{
	return worker->setup.terms.sweep_every_ms;
}

static unsigned retention_period(const struct worker *worker)
{
	return worker->setup.terms.retention_every_ms;
}

static unsigned audit_period(const struct worker *worker)
{
	return worker->audit->has_more ? worker->audit->pause_ms
				       : worker->setup.terms.audit_every_ms;
}

static unsigned follow_period(const struct worker *worker)
{
	return worker->setup.terms.audit_every_ms;
}

static unsigned keys_period(const struct worker *worker)
{
	return worker->setup.terms.rotation_every_ms;
}

static unsigned rotation_period(const struct worker *worker)
{
	return worker->rotation->has_more ? ROTATION_PAUSE_MS : keys_period(worker);
}

const struct job_kind job_kinds[] = {
	/* name, needs leadership, period, start, forget, goes on */
	{ "policy", true, once, job_policy_start, job_policy_forget, false },
	{ "people", true, once, job_people_start, NULL, false },
	{ "lookups", true, lookups_period, job_lookups_start, job_lookups_forget, false },
	{ "snapshots", true, snapshots_period, job_snapshots_start, job_snapshots_forget, false },
	{ "sweep", true, sweep_period, job_sweep_start, NULL, false },
	{ "retention", true, retention_period, job_retention_start, NULL, false },
	{ "deadlines", true, deadlines_period, job_deadlines_start, NULL, true },
	{ "audit", true, audit_period, job_audit_start, NULL, true },
	{ "follow", false, follow_period, job_follow_start, NULL, false },
	{ "keys", false, keys_period, job_keys_start, NULL, false },
	{ "rotation", true, rotation_period, job_rotation_start, NULL, false },
};

const size_t job_n_kinds = ARRAY_SIZE(job_kinds);

static void job_arm(struct job *job, unsigned ms)
{
	const struct timeval interval = { .tv_sec = ms / 1000,
					  .tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	if (!job->worker->is_draining)
		evtimer_add(job->timer, &interval);
}

static void on_time(int fd, short what, void *userdata)
{
	struct job *job = userdata;
	struct worker *worker = job->worker;

	if (job->is_running || worker->is_draining || (worker->is_paused && !job->kind->goes_on))
		return; /* after a pause all are due */
	if (job->kind->needs_leadership && !worker->session)
		return; /* jobs_wake() comes with the lead */
	if (arena_new(&job->arena) < 0) {
		job_arm(job, WORKER_RETRY_MS);
		return;
	}
	job->is_running = true;
	job->kind->start(job);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Ends a run; the run's arena is gone after. */
void job_done(struct job *job, bool is_success)
{
	unsigned period = job->kind->period_ms(job->worker);

	job->is_running = false;
	job->arena = arena_free(job->arena);
	atomic_fetch_add(&job->counters->n_runs, 1);
	atomic_store(&job->counters->last_run_ms, now_ms());
	if (!is_success) {
		const struct log_field field = { "conductd.job", job->kind->name, 0 };

		atomic_fetch_add(&job->counters->n_failures, 1);
		log_event(LOG_LEVEL_WARN, "a job failed and is tried again", &field, 1);
		job_arm(job, WORKER_RETRY_MS);
	} else if (period) {
		job_arm(job, period);
	}
	worker_check_idle(job->worker);
}

struct pg_param job_text(const char *text)
{
	return (struct pg_param){ .at = text, .length = (int)strlen(text) };
}

struct job *job_of_call(struct pg_call *call)
{
	return (struct job *)(void *)((char *)call - offsetof(struct job, call));
}

void job_call(struct job *job, unsigned statement,
	      void (*done)(struct pg_call *call, const struct pg_answer *answer))
{
	struct worker *worker = job->worker;

	job->call = (struct pg_call){ .statement = &worker->table[statement],
				      .params = job->params,
				      .lane = PG_LANE_ACT,
				      .session = worker->session,
				      .deadline_ms = 60000,
				      .done = done };
	/* Without a session any connection would do, also one that does not hold the lock. */
	if (!worker->session || pg_pool_submit(worker->pool, &job->call) < 0)
		job_done(job, false);
}

void job_look(struct job *job, unsigned statement,
	      void (*done)(struct pg_call *call, const struct pg_answer *answer))
{
	struct worker *worker = job->worker;

	job->call = (struct pg_call){ .statement = &worker->table[statement],
				      .params = job->params,
				      .lane = PG_LANE_READ,
				      .done = done };
	if (pg_pool_submit(worker->pool, &job->call) < 0)
		job_done(job, false);
}

int jobs_new(struct worker *worker)
{
	worker->jobs = calloc(job_n_kinds, sizeof(*worker->jobs));
	if (!worker->jobs)
		return -ENOMEM;
	for (size_t i = 0; i < job_n_kinds; i++) {
		struct job *job = &worker->jobs[i];

		job->worker = worker;
		job->kind = &job_kinds[i];
		job->counters = &worker->setup.page->jobs[i];
		job->timer = evtimer_new(worker->setup.base, on_time, job);
		if (!job->timer)
			return -ENOMEM;
	}
	return 0;
}

void jobs_free(struct worker *worker)
{
	for (size_t i = 0; worker->jobs && i < job_n_kinds; i++) {
		if (worker->jobs[i].timer)
			event_free(worker->jobs[i].timer);
		arena_free(worker->jobs[i].arena);
	}
	free(worker->jobs);
	worker->jobs = NULL;
}

/* A new leader, or new terms: everything is due. */
void jobs_wake(struct worker *worker)
{
	for (size_t i = 0; i < job_n_kinds; i++)
		job_arm(&worker->jobs[i], 0);
}

bool jobs_are_idle(const struct worker *worker)
{
	for (size_t i = 0; i < job_n_kinds; i++)
		if (worker->jobs[i].is_running)
			return false;
	return true;
}
