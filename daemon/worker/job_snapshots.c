/*
 * Reported revisions are fetched from their wikis while they are there: what is due is opened by
 * the vault and asked for, one after the other, and how each went is told to the database, which
 * keeps the snapshot, or says when it is tried again. A wiki that fails is left alone until then,
 * and delays no other one.
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/base/log.h"
#include "daemon/base/text.h"
#include "daemon/cases/opening.h"
#include "daemon/worker/identity.h"
#include "daemon/worker/jobs.h"
#include "daemon/worker/snapshot_keep.h"

enum { WAIT_MS = 10 * 1000, FAILED_LIMIT = 8 };

struct run {
	struct job *job;
	struct value *due; /* what the database answered; the arena's */
	const struct value *items;
	size_t index;         /* of the item */
	struct reader reader; /* the daemon itself */
	struct opening opening;
	struct snapshot_item item;
	struct snapshot_place place;
	struct fetch_call fetch;
	int64_t asked_ms;
	const char *failed[FAILED_LIMIT]; /* wikis of this run that are left alone now */
	size_t n_failed;
};

static void next_item(struct job *job);

static void fail(struct job *job, const struct pg_answer *answer)
{
	if (answer && answer->outcome != PG_REFUSED)
		worker_lose_lead(job->worker);
	job_done(job, false);
}

/* A member for each state in which snapshots have ended now: how many. */
static void count(struct job *job, const struct value *body)
{
	page_counter *counters = job->worker->setup.page->n_snapshots;

	for (size_t i = 0; i < PAGE_SNAPSHOTS; i++)
		atomic_fetch_add(&counters[i],
				 (uint64_t)value_integer(value_get(body, snapshot_states[i]), 0));
}

static void on_told(struct pg_call *call, const struct pg_answer *answer)
{
	struct job *job = job_of_call(call);
	struct run *run = job->state;
	CLEANUP(value_freep) struct value *body = NULL;

	if (answer->outcome != PG_DONE) {
		fail(job, answer);
		return;
	}
	if (value_parse(pg_answer_cell(answer, 0, 1), &body, NULL) == 0)
		count(job, body);
	run->index++;
	next_item(job);
}

/* How it went without a snapshot. */
static void tell(struct job *job, const char *outcome, unsigned wait_s)
{
	struct run *run = job->state;
	const char *wait = arena_printf(job->arena, "%u", wait_s);

	if (!wait) {
		fail(job, NULL);
		return;
	}
	if (strcmp(outcome, "failed") == 0 && run->n_failed < FAILED_LIMIT)
		run->failed[run->n_failed++] = run->place.wiki;
	job->params[0] = job_text(run->item.id);
	job->params[1] = job_text(outcome);
	job->params[2] = job_text(wait);
	job_call(job, STATEMENT_SNAPSHOT_TOLD, on_told);
}

static void keep(struct job *job, struct slice document)
{
	struct run *run = job->state;
	int r = snapshot_keep(job, &run->item, &run->place, document, on_told);

	if (r)
		fail(job, NULL);
}

static void on_answer(struct fetch_call *call, int outcome, const struct fetch_reply *reply)
{
	static const char *const outcomes[] = { [SNAPSHOT_E_GONE] = "gone",
						[SNAPSHOT_E_HIDDEN] = "hidden",
						[SNAPSHOT_E_TOO_LARGE] = "too_large",
						[SNAPSHOT_E_GARBAGE] = "failed" };
	CLEANUP(buffer_deinit) struct buffer document = BUFFER_NULL;
	struct run *run = (struct run *)(void *)((char *)call - offsetof(struct run, fetch));
	struct job *job = run->job;
	struct slice body = { reply->body.at, reply->body.length };
	bool is_refused;
	int r = outcome == FETCH_E_TOO_LONG ? SNAPSHOT_E_TOO_LARGE : SNAPSHOT_E_GARBAGE;

	if (!outcome && body.length)
		r = snapshot_read(reply->status, body, &run->place, &document);
	is_refused = r == SNAPSHOT_E_GONE || r == SNAPSHOT_E_HIDDEN;
	wiki_count_end(&job->worker->setup.page->wiki, PAGE_WIKI_REVISION, run->asked_ms,
		       wiki_count_outcome(outcome, is_refused, r > 0 && !is_refused));
	if (r < 0 || job->worker->is_draining)
		fail(job, NULL);
	else if (r > 0)
		tell(job, outcomes[r], reply->retry_after_s);
	else
		keep(job, (struct slice){ document.at, document.length });
}

static void ask(struct job *job)
{
	struct run *run = job->state;
	const struct fetch_request request = { .method = "GET",
					       .url = run->place.url,
					       .body_max = SNAPSHOT_BODY_MAX,
					       .timeout_ms = WAIT_MS };
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	run->place.fetched_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	run->fetch.done = on_answer;
	if (fetch_start(job->worker->snapshots, &request, &run->fetch) == 0)
		run->asked_ms = wiki_count_begin(&job->worker->setup.page->wiki,
						 PAGE_WIKI_REVISION);
	else
		tell(job, "failed", 0);
}

/* The issuer that lists a wiki, or the one that lists none and asks each wiki at its own host. */
static const struct worker_wiki *find_issuer(const struct worker_terms *terms, const char *wiki)
{
	const struct worker_wiki *rest = NULL;

	for (size_t i = 0; i < terms->n_wikis; i++) {
		for (size_t j = 0; j < terms->wikis[i].n_wikis; j++)
			if (strcmp(terms->wikis[i].wikis[j], wiki) == 0)
				return &terms->wikis[i];
		if (!terms->wikis[i].n_wikis)
			rest = &terms->wikis[i];
	}
	return rest;
}

/* *ret_url stays NULL where nobody is to be asked. */
static int find_url(struct job *job, const char *wiki, int64_t revision, const char **ret_url)
{
	const struct policy_wiki *place = policy_set_find_wiki(job->worker->policy,
							       text_slice(wiki));
	const struct worker_wiki *issuer = find_issuer(&job->worker->setup.terms, wiki);

	if (!place || !issuer || !*issuer->rest || (strchr(issuer->rest, '*') && !place->host))
		return 0;
	*ret_url = snapshot_write_url(job->arena, issuer->rest, place->host, revision);
	return *ret_url ? 0 : -ENOMEM;
}

static bool is_left_alone(const struct run *run, const char *wiki)
{
	for (size_t i = 0; i < run->n_failed; i++)
		if (strcmp(run->failed[i], wiki) == 0)
			return true;
	return false;
}

static void take_item(struct run *run, const struct value *item)
{
	run->place = (struct snapshot_place){ .wiki = value_get_string(item, "wiki"),
					      .revision = value_integer(value_get(item, "revision"),
									0) };
	run->item = (struct snapshot_item){ .id = value_get_string(item, "id"),
					    .case_id = value_get_string(item, "case"),
					    .unit = value_get_string(item, "unit") };
}

static void next_item(struct job *job)
{
	struct run *run = job->state;
	const struct value *item = value_at(run->items, run->index);
	int r = 0;

	while (item && is_left_alone(run, value_get_string(item, "wiki")))
		item = value_at(run->items, ++run->index);
	if (!item || job->worker->is_draining || job->worker->is_paused) {
		job_done(job, true);
		return;
	}
	take_item(run, item);
	if (run->place.revision <= 0) {
		tell(job, "damaged", 0);
		return;
	}
	r = find_url(job, run->place.wiki, run->place.revision, &run->place.url);
	if (r)
		fail(job, NULL);
	else if (run->place.url)
		ask(job);
	else
		tell(job, "unserved", 0);
}

static void free_items(void *value)
{
	value_free(value);
}

static bool is_item(const struct value *item)
{
	return value_get_string(item, "id") && value_get_string(item, "case") &&
	       value_get_string(item, "unit") && value_get_string(item, "wiki");
}

/* The others are asked for by the next run, for which this one does not wait again. */
static void put_off(struct job *job, const char *damaged)
{
	struct run *run = job->state;
	const struct value *item;

	for (size_t i = 0; (item = value_at(run->items, i)); i++) {
		const char *id = value_get_string(value_get(item, "revision"), "$word");

		if (!id || strcmp(id, damaged) != 0)
			continue;
		take_item(run, item);
		run->items = NULL;
		tell(job, "damaged", 0);
		return;
	}
	fail(job, NULL);
}

static void on_open(struct opening *opening, enum opening_outcome outcome)
{
	struct run *run = (struct run *)(void *)((char *)opening - offsetof(struct run, opening));

	if (outcome == OPENING_DAMAGED) {
		const struct log_field field = { "conductd.content", opening->damaged, 0 };

		log_event(LOG_LEVEL_ERROR,
			  "the number of a reported revision does not open: it or its key was "
			  "changed, moved or lost; a backup has it as it was",
			  &field, 1);
		put_off(run->job, opening->damaged);
	} else if (outcome != OPENING_DONE || words_fill(&opening->lookup, run->due)) {
		fail(run->job, NULL);
	} else {
		next_item(run->job);
	}
}

static void open_numbers(struct job *job, struct slice ids, struct slice words)
{
	struct run *run = job->state;

	run->opening = (struct opening){ .arena = job->arena,
					 .sealer = job->worker->setup.sealer,
					 .reader = &run->reader,
					 .done = on_open };
	opening_start(&run->opening, ids.at ? ids : text_slice("{}"),
		      words.at ? words : text_slice("{}"));
}

static void on_due(struct pg_call *call, const struct pg_answer *answer)
{
	struct job *job = job_of_call(call);
	struct run *run = job->state;
	struct value *body = NULL;
	int r;

	if (answer->outcome != PG_DONE) {
		fail(job, answer);
		return;
	}
	r = value_parse(pg_answer_cell(answer, 0, 1), &body, NULL);
	if (!r)
		r = arena_take(job->arena, body, free_items);
	run->due = body;
	run->items = value_get(body, "items");
	count(job, body);
	for (size_t i = 0; !r && i < value_count(run->items); i++)
		r = is_item(value_at(run->items, i)) ? 0 : -EPROTO;
	if (r)
		fail(job, NULL);
	else
		open_numbers(job, pg_answer_cell(answer, 0, 2), pg_answer_cell(answer, 0, 3));
}

static bool has_rest(const struct worker_terms *terms)
{
	for (size_t i = 0; i < terms->n_wikis; i++)
		if (*terms->wikis[i].rest)
			return true;
	return false;
}

/* A client that may ask the hosts of the configuration and, where that says so, of the registry. */
static int client_make(struct job *job)
{
	struct worker *worker = job->worker;
	const struct worker_terms *terms = &worker->setup.terms;
	size_t n_wikis = policy_set_count_wikis(worker->policy), n = 0;
	const char **urls = arena_alloc(job->arena, (terms->n_wikis + n_wikis) * sizeof(*urls));
	bool is_each = false;

	if (!urls)
		return -ENOMEM;
	for (size_t i = 0; i < terms->n_wikis; i++) {
		if (strchr(terms->wikis[i].rest, '*'))
			is_each = true;
		else if (*terms->wikis[i].rest)
			urls[n++] = terms->wikis[i].rest;
	}
	for (size_t i = 0; is_each && i < n_wikis; i++) {
		const char *host = policy_set_wiki_at(worker->policy, i)->host;

		if (!host)
			continue;
		urls[n] = arena_printf(job->arena, "https://%s/", host);
		if (!urls[n++])
			return -ENOMEM;
	}
	return identity_client_new(worker, urls, n, &worker->snapshots);
}

void job_snapshots_start(struct job *job)
{
	struct run *run = arena_alloc(job->arena, sizeof(*run));

	job->state = run;
	if (!has_rest(&job->worker->setup.terms) || !job->worker->policy) {
		job_done(job, true);
		return;
	}
	if (job->worker->are_snapshots_stale)
		job->worker->snapshots = fetch_client_free(job->worker->snapshots);
	job->worker->are_snapshots_stale = false;
	if (!run || (!job->worker->snapshots && client_make(job))) {
		job_done(job, false);
		return;
	}
	run->job = job;
	job->params[0] = job_text("20");
	job_call(job, STATEMENT_SNAPSHOT_NEXT, on_due);
}

/* Other terms, or another policy, may have other hosts. */
void job_snapshots_forget(struct job *job)
{
	job->worker->are_snapshots_stale = true;
}
