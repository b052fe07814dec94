/*
 * Publishing: the set of the policy directories goes to the database, which takes it when its
 * revision is higher than the one in force. The same set again is no news; a set that is not taken
 * is said in the log and not tried again before the next reload.
 */

#include <stdio.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/json/value.h"
#include "daemon/worker/internal.h"
#include "daemon/worker/jobs.h"

static bool was_published(const struct pg_answer *answer)
{
	CLEANUP(value_freep) struct value *body = NULL;
	struct value_error error;

	if (value_parse(pg_answer_cell(answer, 0, 1), &body, &error))
		return false;
	return value_is_true(value_get(body, "published"));
}

static void on_done(struct pg_call *call, const struct pg_answer *answer)
{
	struct job *job = job_of_call(call);
	struct worker *worker = job->worker;
	const struct log_field fields[] = {
		{ "conductd.policy.version", policy_set_version(worker->policy), 0 },
		{ "conductd.policy.revision", NULL, policy_set_revision(worker->policy) },
	};

	if (answer->outcome == PG_DONE) {
		if (was_published(answer)) {
			log_event(LOG_LEVEL_INFO, "policy: published", fields, 2);
			worker->setup.published(worker->setup.userdata);
		}
		job_done(job, true);
	} else if (answer->outcome == PG_REFUSED && answer->status == 409) {
		log_event(LOG_LEVEL_ERROR,
			  "policy: not published, because the database has this "
			  "revision with other content, or a higher one",
			  fields, 2);
		job_done(job, true);
	} else {
		if (answer->outcome != PG_REFUSED)
			worker_lose_lead(worker);
		job_done(job, false);
	}
}

static int policy_load(struct worker *worker)
{
	CLEANUP(policy_errors_deinit) struct policy_errors errors = { 0 };
	const struct worker_terms *terms = &worker->setup.terms;
	struct policy_set *set = NULL;
	int r = policy_set_load(terms->policy_directories, terms->n_policy_directories, &set,
				&errors);

	for (size_t i = 0; i < errors.n_lines; i++)
		log_say(LOG_LEVEL_ERROR, "policy: %s", errors.lines[i]);
	if (r)
		return r;
	policy_set_unref(worker->policy);
	worker->policy = set;
	return 0;
}

void job_policy_start(struct job *job)
{
	struct worker *worker = job->worker;
	struct slice canonical;
	struct slice effective;
	char *revision;
	int r = worker->policy ? 0 : policy_load(worker);

	if (r) {
		/* A bad set stays bad until somebody mends it and reloads. */
		job_done(job, r > 0);
		return;
	}
	revision = arena_printf(job->arena, "%lld", (long long)policy_set_revision(worker->policy));
	if (!revision) {
		job_done(job, false);
		return;
	}
	canonical = policy_set_canonical(worker->policy);
	effective = policy_set_effective(worker->policy);
	job->params[0] = (struct pg_param){ .at = policy_set_version(worker->policy),
					    .length = POLICY_VERSION_LENGTH };
	job->params[1] = (struct pg_param){ .at = revision, .length = (int)strlen(revision) };
	job->params[2] = (struct pg_param){ .at = canonical.at, .length = (int)canonical.length };
	job->params[3] = (struct pg_param){ .at = effective.at, .length = (int)effective.length };
	job_call(job, STATEMENT_PUBLISH_POLICY, on_done);
}

void job_policy_forget(struct job *job)
{
	job->worker->policy = policy_set_unref(job->worker->policy);
}
