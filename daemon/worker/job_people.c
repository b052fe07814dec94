/*
 * The people of a demo issuer become known to the database, as a login makes real ones known. The
 * function changes nothing for a person it knows already, so all are sent, one by one.
 */

#include <string.h>

#include "api/auth/people.h"
#include "daemon/base/log.h"
#include "daemon/cases/person.h"
#include "daemon/worker/internal.h"
#include "daemon/worker/jobs.h"

struct run {
	size_t issuer;
	size_t next;
	const struct person *person; /* who is on the way */
	bool is_named_again;         /* sealed in the unit that the database named */
	struct people *people;       /* the arena's */
};

static void people_destroy(void *object)
{
	people_free(object);
}

static struct pg_param bytes_param(const void *bytes, size_t length)
{
	return (struct pg_param){ .at = bytes, .length = (int)length, .is_binary = true };
}

static struct slice text(const char *at)
{
	return (struct slice){ at, strlen(at) };
}

static int params_fill(struct job *job, const struct worker_people *source,
		       const struct person *person)
{
	const struct index_key *key = &job->worker->setup.index_key;
	uint8_t *indexes = arena_alloc(job->arena, 3 * INDEX_SIZE);
	int r;

	if (!indexes)
		return -ENOMEM;
	r = index_of_id(key, text(source->iss), text(source->scope), text(person->id), indexes);
	if (r == 0)
		r = index_of_name(key, job->arena, text(source->scope), text(person->user),
				  indexes + INDEX_SIZE);
	if (r == 0)
		r = index_of_skeleton(key, job->arena, text(person->user),
				      indexes + 2 * INDEX_SIZE);
	if (r)
		return r;
	for (size_t i = 0; i < 3; i++)
		job->params[i] = bytes_param(indexes + i * INDEX_SIZE, INDEX_SIZE);
	job->params[3] = PG_NULL;
	if (person->home_wiki)
		job->params[3] = (struct pg_param){ .at = person->home_wiki,
						    .length = (int)strlen(person->home_wiki) };
	return person_seal(job->arena, job->worker->setup.sealer, NULL, text(person->user),
			   job->params + 4);
}

static void people_next(struct job *job);

static void on_done(struct pg_call *call, const struct pg_answer *answer);

/* Who was renamed: the name is sealed once more, in the person's own unit. */
static void name_again(struct job *job, const char *unit)
{
	struct run *run = job->state;

	if (run->is_named_again || person_seal(job->arena, job->worker->setup.sealer, unit,
					       text(run->person->user), job->params + 4)) {
		job_done(job, false);
		return;
	}
	run->is_named_again = true;
	job_call(job, STATEMENT_PERSON_SEEN, on_done);
}

static void on_done(struct pg_call *call, const struct pg_answer *answer)
{
	struct job *job = job_of_call(call);
	const char *unit = NULL;

	if (answer->outcome == PG_DONE && !job->worker->is_draining) {
		if (person_read_unit(job->arena, answer, &unit))
			job_done(job, false);
		else if (unit)
			name_again(job, unit);
		else
			people_next(job);
		return;
	}
	if (answer->outcome != PG_DONE && answer->outcome != PG_REFUSED)
		worker_lose_lead(job->worker);
	job_done(job, answer->outcome == PG_DONE);
}

/* Opens the next file that can be read; false: there is none. */
static bool people_open(struct job *job)
{
	const struct worker_terms *terms = &job->worker->setup.terms;
	struct run *run = job->state;

	while (run->issuer < terms->n_people) {
		const struct worker_people *source = &terms->people[run->issuer];
		const char *why = NULL;
		int r = people_load(source->file, source->scope, &run->people, &why);

		run->next = 0;
		if (r == 0 && arena_take(job->arena, run->people, people_destroy) == 0)
			return true;
		log_say(LOG_LEVEL_ERROR, "%s: %s", source->file, r > 0 ? why : "out of memory");
		run->people = NULL;
		run->issuer++;
	}
	return false;
}

static void people_next(struct job *job)
{
	struct run *run = job->state;
	int r;

	while (run->people && run->next >= people_count(run->people)) {
		run->people = NULL;
		run->issuer++;
		(void)people_open(job);
	}
	if (!run->people) {
		job_done(job, true);
		return;
	}
	run->person = people_at(run->people, run->next++);
	run->is_named_again = false;
	r = params_fill(job, &job->worker->setup.terms.people[run->issuer], run->person);
	if (r)
		job_done(job, false);
	else
		job_call(job, STATEMENT_PERSON_SEEN, on_done);
}

void job_people_start(struct job *job)
{
	job->state = arena_alloc(job->arena, sizeof(struct run));
	if (!job->state) {
		job_done(job, false);
		return;
	}
	(void)people_open(job);
	people_next(job);
}
