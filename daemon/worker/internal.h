#pragma once
/* Shared by the worker, its jobs and its ops port alone. */

#include <event2/event.h>

#include "api/http/server.h"
#include "daemon/cases/statements.h"
#include "daemon/worker/worker.h"
#include "policy/set.h"

/* The statements of daemon/cases and two of the worker's own. */
enum {
	WORKER_LEAD = WORKER_STATEMENT_COUNT,
	WORKER_APPLIED,
	WORKER_TABLE_COUNT,
};

enum { WORKER_LEAD_EVERY_MS = 1000, WORKER_RETRY_MS = 2000 };

struct job;

/* A wiki that fails is left out for ever more runs. */
struct lookup_pause {
	unsigned n_failures; /* in a row */
	unsigned n_left_out; /* runs to come */
};

/* One row of the job table. */
struct job_kind {
	const char *name;
	bool needs_leadership;
	/* Milliseconds between runs; 0: once, and again after a failure, a reload, a new leader. */
	unsigned (*period_ms)(const struct worker *worker);
	/* Ends with exactly one job_done(), at once or later. */
	void (*start)(struct job *job);
	void (*forget)(struct job *job); /* what is kept between runs; may be NULL */
	/* Short, and not to be kept waiting: until a pause has come about. Others may wait for a
	 * wiki before it does. */
	bool goes_on;
};

struct job {
	struct worker *worker;
	const struct job_kind *kind;
	struct event *timer;
	struct page_job *counters;
	bool is_running;
	struct arena *arena; /* of the run */
	struct pg_call call; /* one at a time */
	struct pg_param params[8];
	void *state; /* the job's own */
};

struct worker {
	struct worker_setup setup;
	struct pg_statement table[WORKER_TABLE_COUNT];
	struct pg_pool *pool;
	struct event *lead_timer;
	struct pg_call lead_call;
	struct pg_param lead_param;
	bool is_lead_asked;
	uint64_t session; /* of the connection that holds the lock; 0: this worker does not lead */
	struct job *jobs;
	struct policy_set *policy; /* as loaded from the directories */
	struct server *ops;
	struct identity *identity;
	struct audit *audit;                              /* the log, while this worker leads */
	struct audit *follower;                           /* the log, while another one does */
	struct rotation *rotation;                        /* of the vault's keys */
	struct lookup_pause lookups[IDENTITY_WIKI_LIMIT]; /* by the wiki's place in the terms */
	struct fetch_client *snapshots; /* may ask the hosts of revisions; NULL: not made yet */
	bool are_snapshots_stale;       /* other hosts now; taken when no call is under way */
	bool is_paused;
	void (*paused)(void *userdata);
	void *paused_userdata;
	bool is_draining;
	void (*drained)(void *userdata);
	void *drained_userdata;
};

extern const struct job_kind job_kinds[];
extern const size_t job_n_kinds;

/* job.c */
int jobs_new(struct worker *worker);
void jobs_free(struct worker *worker);
void jobs_wake(struct worker *worker);
bool jobs_are_idle(const struct worker *worker);
void job_done(struct job *job, bool is_success);
/* Sends a statement over the leader's session; job->params are filled. */
void job_call(struct job *job, unsigned statement,
	      void (*done)(struct pg_call *call, const struct pg_answer *answer));
/* The same over any connection: for what does not need the lead, and writes nothing. */
void job_look(struct job *job, unsigned statement,
	      void (*done)(struct pg_call *call, const struct pg_answer *answer));
struct job *job_of_call(struct pg_call *call);

/* worker.c */
void worker_lose_lead(struct worker *worker);
void worker_check_idle(struct worker *worker);

/* Of a C string, borrowed. */
struct pg_param job_text(const char *text);

/* wiki_count.c */
extern const unsigned wiki_bucket_ms[PAGE_WIKI_BUCKETS]; /* 0: without end */
int64_t wiki_count_begin(struct page_wiki *wiki, enum page_wiki_call call);
enum page_wiki_outcome wiki_count_outcome(int fetched, bool is_refused, bool is_unusable);
void wiki_count_end(struct page_wiki *wiki, enum page_wiki_call call, int64_t begun_ms,
		    enum page_wiki_outcome outcome);

/* ops.c */
int ops_new(struct worker *worker);
