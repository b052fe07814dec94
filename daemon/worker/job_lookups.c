/*
 * Names in reports become accounts: what is open in the database is asked at the wiki of the first
 * issuer, fifty names at a time, and the answers are kept. Names stay open until the wiki has
 * answered: one that fails delays them and loses none.
 */

#include <string.h>

#include "daemon/base/codec.h"
#include "daemon/base/log.h"
#include "daemon/base/text.h"
#include "daemon/worker/identity.h"
#include "daemon/worker/internal.h"
#include "daemon/worker/jobs.h"
#include "daemon/worker/lookup.h"

enum { WAIT_MS = 15 * 1000 };

struct run {
	struct job *job;
	const struct worker_wiki *wiki;
	struct fetch_call fetch;
	struct lookup_name names[LOOKUP_LIMIT];
	size_t n_names;
	struct buffer items;
};

/* The database's failure is the job's; the wiki's own is waited for. */
static void end(struct job *job, bool is_wiki_well)
{
	struct run *run = job->state;
	struct worker *worker = job->worker;

	buffer_deinit(&run->items);
	if (is_wiki_well) {
		worker->n_lookup_failures = 0;
	} else {
		const struct log_field field = { "conductd.issuer", run->wiki->name, 0 };

		worker->n_lookup_failures++;
		atomic_fetch_add(&job->counters->n_failures, 1);
		log_event(LOG_LEVEL_WARN, "names could not be looked up and are asked for again",
			  &field, 1);
	}
	job_done(job, true);
}

static void fail(struct job *job, const struct pg_answer *answer)
{
	struct run *run = job->state;

	buffer_deinit(&run->items);
	if (answer && answer->outcome != PG_REFUSED)
		worker_lose_lead(job->worker);
	job_done(job, false);
}

static void on_kept(struct pg_call *call, const struct pg_answer *answer)
{
	struct job *job = job_of_call(call);
	struct run *run = job->state;
	struct worker *worker = job->worker;

	if (answer->outcome != PG_DONE) {
		fail(job, answer);
	} else if (run->n_names == LOOKUP_LIMIT && !worker->is_draining && !worker->is_paused) {
		buffer_deinit(&run->items);
		job_lookups_start(job);
	} else {
		end(job, true);
	}
}

/* [{id, id_ix, temporary}] for what was asked. */
static int items_write(struct run *run)
{
	const struct index_key *key = &run->job->worker->setup.index_key;
	CLEANUP(value_freep) struct value *items = value_new_array();
	int r = items ? 0 : -ENOMEM;

	for (size_t i = 0; !r && i < run->n_names; i++) {
		const struct lookup_name *name = &run->names[i];
		struct value *item = value_new_object();
		uint8_t index[INDEX_SIZE];
		char hex[2 * INDEX_SIZE + 1];

		r = value_append_take(items, item);
		if (!r)
			r = value_set_text(item, "id", name->subject);
		if (!r && name->id.length)
			r = index_of_id(key, text_slice(run->wiki->iss),
					text_slice(run->wiki->scope), name->id, index);
		if (!r && name->id.length)
			codec_hex_encode(hex, index, INDEX_SIZE);
		if (!r)
			r = value_set_string(item, "id_ix", name->id.length ? hex : NULL);
		if (!r)
			r = value_set_boolean(item, "temporary", name->is_temporary);
	}
	return r ? r : value_write(items, &run->items);
}

static void on_answer(struct fetch_call *call, int outcome, const struct fetch_reply *reply)
{
	struct run *run = (struct run *)(void *)((char *)call - offsetof(struct run, fetch));
	struct job *job = run->job;
	struct slice body = { reply->body.at, reply->body.length };
	int r = LOOKUP_E_GARBAGE;

	if (!outcome && reply->status == 200 && body.length)
		r = lookup_read(job->arena, body, run->wiki->scope, run->names, run->n_names);
	if (r > 0) {
		end(job, false);
		return;
	}
	if (r || items_write(run) || job->worker->is_draining) {
		fail(job, NULL);
		return;
	}
	job->params[0] = (struct pg_param){ .at = run->items.at, .length = (int)run->items.length };
	job_call(job, STATEMENT_LOOKUP_DONE, on_kept);
}

static void ask(struct job *job)
{
	CLEANUP(buffer_deinit) struct buffer form = BUFFER_NULL;
	struct run *run = job->state;
	struct fetch_client *client = identity_client(job->worker->identity);
	struct fetch_request request = { .method = "POST",
					 .url = run->wiki->api,
					 .body_type = "application/x-www-form-urlencoded",
					 .body_max = LOOKUP_SIZE_MAX,
					 .timeout_ms = WAIT_MS };

	lookup_write_form(&form, run->names, run->n_names);
	if (buffer_finish(&form) < 0) {
		fail(job, NULL);
		return;
	}
	request.body = form.at;
	run->fetch.done = on_answer;
	if (!client || fetch_start(client, &request, &run->fetch))
		end(job, false);
}

/* A name that is no text at all is one that no account has. */
static int name_take(struct arena *arena, const struct value *item, struct lookup_name *name)
{
	struct slice hex = value_text(value_get(item, "name"));
	struct slice id = value_text(value_get(item, "id"));
	char *bytes = arena_alloc(arena, hex.length / 2 + 1);
	size_t length = 0;
	int r;

	if (!bytes || !id.at || codec_hex_decode(hex, bytes, hex.length / 2, &length))
		return -EPROTO;
	*name = (struct lookup_name){ .subject = { arena_strndup(arena, id.at, id.length),
						   id.length },
				      .name = { bytes, length } };
	r = text_fold_user(arena, name->name, &name->folded);
	if (r > 0)
		name->folded = (struct slice){ "", 0 };
	return r < 0 || !name->subject.at ? -ENOMEM : 0;
}

static void on_open(struct pg_call *call, const struct pg_answer *answer)
{
	CLEANUP(value_freep) struct value *body = NULL;
	struct job *job = job_of_call(call);
	struct run *run = job->state;
	const struct value *items;
	int r;

	if (answer->outcome != PG_DONE) {
		fail(job, answer);
		return;
	}
	r = value_parse(pg_answer_cell(answer, 0, 1), &body, NULL);
	items = value_get(body, "items");
	for (; !r && run->n_names < value_count(items) && run->n_names < LOOKUP_LIMIT;
	     run->n_names++)
		r = name_take(job->arena, value_at(items, run->n_names), &run->names[run->n_names]);
	if (r)
		fail(job, NULL);
	else if (run->n_names == 0)
		end(job, true);
	else
		ask(job);
}

void job_lookups_start(struct job *job)
{
	static const char limit[] = "50";
	const struct worker_terms *terms = &job->worker->setup.terms;
	struct run *run;

	if (!terms->n_wikis || !*terms->wikis[0].api) {
		job_done(job, true);
		return;
	}
	run = arena_alloc(job->arena, sizeof(*run));
	job->state = run;
	if (!run) {
		job_done(job, false);
		return;
	}
	run->job = job;
	run->wiki = &terms->wikis[0];
	job->params[0] = (struct pg_param){ .at = limit, .length = sizeof(limit) - 1 };
	job_call(job, STATEMENT_LOOKUP_NEXT, on_open);
}
