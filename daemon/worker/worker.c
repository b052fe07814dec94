/*
 * The worker's composition: its connection, leadership, jobs and the ops port. Leadership is an
 * advisory lock held by one connection, and every job runs over that very connection: a worker that
 * lost the network has lost the connection, and with it any way to write as a leader. One that
 * slept loses it as well: a leader speaks every few seconds, and the server waits half a minute.
 */

#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/worker/audit.h"
#include "daemon/worker/identity.h"
#include "daemon/worker/internal.h"
#include "daemon/worker/rotation.h"

static const char lead_key[] = "7165066909914985573"; /* one more than the migrator's */

static struct timeval interval_from_ms(unsigned ms)
{
	return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000 };
}

static void on_report(void *userdata, enum pg_event event, const char *text)
{
	static const char *const messages[] = {
		[PG_EVENT_CONNECTED] = "database: connected",
		[PG_EVENT_LOST] = "database: connection lost",
		[PG_EVENT_REFUSED] = "database: the server gets no call",
		[PG_EVENT_UNPREPARED] = "database: a statement could not be prepared",
		[PG_EVENT_ERROR] = "database: a call failed",
	};
	const struct log_field field = { "error.message", text, 0 };
	enum log_level level = event == PG_EVENT_CONNECTED ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR;

	log_event(level, messages[event], &field, 1);
}

static void lead_arm(struct worker *worker, unsigned ms)
{
	const struct timeval interval = interval_from_ms(ms);

	if (!worker->is_draining)
		evtimer_add(worker->lead_timer, &interval);
}

/* Whatever failed over the leader's session: ask again who leads before anything else is done. */
void worker_lose_lead(struct worker *worker)
{
	if (worker->session)
		log_say(LOG_LEVEL_WARN, "the lead is in doubt and asked for again");
	worker->session = 0;
	lead_arm(worker, WORKER_LEAD_EVERY_MS);
}

static void on_lead(struct pg_call *call, const struct pg_answer *answer)
{
	struct worker *worker = (struct worker *)(void *)((char *)call -
							  offsetof(struct worker, lead_call));

	worker->is_lead_asked = false;
	if (answer->outcome == PG_DONE && strcmp(pg_answer_cell(answer, 0, 0).at, "t") == 0) {
		worker->session = answer->session;
		log_say(LOG_LEVEL_INFO, "this worker leads");
		jobs_wake(worker);
	} else {
		lead_arm(worker, WORKER_LEAD_EVERY_MS);
	}
	worker_check_idle(worker);
}

static void on_lead_timer(int fd, short what, void *userdata)
{
	struct worker *worker = userdata;

	if (worker->session || worker->is_lead_asked || worker->is_draining)
		return;
	worker->lead_param = (struct pg_param){ .at = lead_key, .length = sizeof(lead_key) - 1 };
	worker->lead_call = (struct pg_call){ .statement = &worker->table[WORKER_LEAD],
					      .params = &worker->lead_param,
					      .lane = PG_LANE_ACT,
					      .done = on_lead };
	worker->is_lead_asked = pg_pool_submit(worker->pool, &worker->lead_call) == 0;
}

static int pool_make(struct worker *worker)
{
	const struct pg_pool_setup setup = {
		.base = worker->setup.base,
		.conninfo = worker->setup.conninfo,
		.identity = sealer_identity(worker->setup.sealer),
		.application_name = "conductd worker",
		.statements = worker->table,
		.n_statements = ARRAY_SIZE(worker->table),
		/* One to lead over, so that the lock and the work are one session; one to look; one
		 * for the people that wikis vouch for. */
		.n_connections = { [PG_LANE_ACT] = 1, [PG_LANE_READ] = 1, [PG_LANE_BATCH] = 1 },
		.report = on_report,
		.userdata = worker,
	};

	memcpy(worker->table, worker_statements, sizeof(worker_statements));
	worker->table[WORKER_LEAD] =
		(struct pg_statement){ "lead",
				       "select pg_try_advisory_lock($1::bigint),"
				       " set_config('idle_session_timeout', '30s', false)",
				       1 };
	worker->table[WORKER_APPLIED] = (struct pg_statement){
		"applied", "select name, sha256 from conduct_meta.applied()", 0
	};
	return pg_pool_new(&setup, &worker->pool);
}

/* Starts everything; strings and terms of the setup are borrowed for the worker's life. */
int worker_new(const struct worker_setup *setup, struct worker **ret_worker)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	int r;

	if (!worker)
		return -ENOMEM;
	worker->setup = *setup;
	r = pool_make(worker);
	if (r == 0)
		r = audit_new(&worker->audit);
	if (r == 0)
		r = audit_new(&worker->follower);
	if (r == 0)
		r = rotation_new(&worker->rotation);
	if (r == 0)
		r = jobs_new(worker);
	if (r == 0)
		r = ops_new(worker);
	if (r == 0)
		r = identity_new(worker, &worker->identity);
	if (r == 0) {
		worker->lead_timer = evtimer_new(setup->base, on_lead_timer, worker);
		r = worker->lead_timer ? 0 : -ENOMEM;
	}
	if (r < 0) {
		worker_free(worker);
		return r;
	}
	lead_arm(worker, 0);
	jobs_wake(worker);
	*ret_worker = worker;
	return 0;
}

struct worker *worker_free(struct worker *worker)
{
	if (!worker)
		return NULL;
	worker->is_draining = true;
	worker->drained = NULL;
	worker->paused = NULL;
	server_free(worker->ops);
	worker->pool = pg_pool_free(worker->pool);
	identity_free(worker->identity);
	fetch_client_free(worker->snapshots);
	jobs_free(worker);
	if (worker->lead_timer)
		event_free(worker->lead_timer);
	audit_free(worker->audit);
	audit_free(worker->follower);
	rotation_free(worker->rotation);
	policy_set_unref(worker->policy);
	index_key_deinit(&worker->setup.index_key);
	free(worker);
	return NULL;
}

/* A pause is asked for while jobs still use the old terms; asking twice is asking once. */
void worker_pause(struct worker *worker, void (*done)(void *userdata), void *userdata)
{
	worker->is_paused = true;
	worker->paused = done;
	worker->paused_userdata = userdata;
	worker_check_idle(worker);
}

/* Jobs read policy and people again. Only in a pause that has come about. */
void worker_reload(struct worker *worker, const struct worker_terms *terms)
{
	worker->setup.terms = *terms;
	server_set_hosts(worker->ops, terms->ops_host_names, terms->n_ops_host_names);
	worker->is_paused = false;
	identity_reload(worker->identity);
	for (size_t i = 0; i < job_n_kinds; i++)
		if (worker->jobs[i].kind->forget)
			worker->jobs[i].kind->forget(&worker->jobs[i]);
	jobs_wake(worker);
}

void worker_set_log_key(struct worker *worker, const struct note_key *log_key)
{
	worker->setup.log_key = *log_key;
}

void worker_add_peer(struct worker *worker, int fd)
{
	identity_add_peer(worker->identity, fd);
}

/* Tells whoever waits for the jobs to be over. */
void worker_check_idle(struct worker *worker)
{
	void (*paused)(void *userdata) = worker->paused;
	void (*drained)(void *userdata) = worker->drained;

	if (!jobs_are_idle(worker))
		return;
	if (paused) {
		worker->paused = NULL;
		paused(worker->paused_userdata);
	}
	if (!worker->is_draining || !drained || worker->is_lead_asked)
		return;
	worker->drained = NULL;
	drained(worker->drained_userdata);
}

void worker_drain(struct worker *worker, void (*done)(void *userdata), void *userdata)
{
	if (worker->is_draining)
		return;
	worker->is_draining = true;
	worker->drained = done;
	worker->drained_userdata = userdata;
	worker_check_idle(worker);
}
