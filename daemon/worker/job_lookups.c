/*
 * Names in reports become accounts: what is open in the database is asked at the wiki's issuer, one
 * issuer after the other, fifty names at a time, and the answers are kept. Names stay open until
 * their wiki has answered: one that fails delays its own names and loses none.
 */

#include <string.h>

#include "daemon/base/codec.h"
#include "daemon/base/log.h"
#include "daemon/base/text.h"
#include "daemon/cases/opening.h"
#include "daemon/worker/identity.h"
#include "daemon/worker/internal.h"
#include "daemon/worker/jobs.h"
#include "daemon/worker/lookup.h"

enum { WAIT_MS = 15 * 1000, LEFT_OUT_MAX = 63 };

struct run {
	struct job *job;
	size_t index; /* of the wiki */
	const struct worker_wiki *wiki;
	struct fetch_call fetch;
	int64_t asked_ms;
	struct lookup_name names[LOOKUP_LIMIT];
	size_t n_names;
	bool has_more; /* names that were not in this piece */
	struct buffer items;
	struct value *open;   /* what the database answered; the arena's */
	struct reader reader; /* the daemon itself */
	struct opening opening;
};

static void next_wiki(struct job *job);

/* The database's failure is the job's; the wiki's own is waited for, by its names alone. */
static void end(struct job *job, const char *why)
{
	struct run *run = job->state;
	struct lookup_pause *pause = &job->worker->lookups[run->index];

	buffer_deinit(&run->items);
	if (!why) {
		*pause = (struct lookup_pause){ 0 };
	} else {
		const struct log_field fields[] = { { "conductd.issuer", run->wiki->name, 0 },
						    { "error.message", why, 0 } };

		pause->n_failures++;
		pause->n_left_out = pause->n_failures < 6 ? (1U << pause->n_failures) - 1
							  : LEFT_OUT_MAX;
		atomic_fetch_add(&job->counters->n_failures, 1);
		log_event(LOG_LEVEL_WARN, "names could not be looked up and are asked for again",
			  fields, ARRAY_SIZE(fields));
	}
	run->index++;
	next_wiki(job);
}

static void fail(struct job *job, const struct pg_answer *answer)
{
	struct run *run = job->state;

	buffer_deinit(&run->items);
	if (answer && answer->outcome != PG_REFUSED)
		worker_lose_lead(job->worker);
	job_done(job, false);
}

static void ask_database(struct job *job);

static void on_kept(struct pg_call *call, const struct pg_answer *answer)
{
	struct job *job = job_of_call(call);
	struct run *run = job->state;
	struct worker *worker = job->worker;

	if (answer->outcome != PG_DONE) {
		fail(job, answer);
	} else if (run->has_more && !worker->is_draining && !worker->is_paused) {
		buffer_deinit(&run->items);
		ask_database(job);
	} else {
		end(job, NULL);
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

static void keep(struct job *job)
{
	const struct run *run = job->state;

	job->params[0] = (struct pg_param){ .at = run->items.at, .length = (int)run->items.length };
	job_call(job, STATEMENT_LOOKUP_DONE, on_kept);
}

static void on_answer(struct fetch_call *call, int outcome, const struct fetch_reply *reply)
{
	struct run *run = (struct run *)(void *)((char *)call - offsetof(struct run, fetch));
	struct job *job = run->job;
	struct slice body = { reply->body.at, reply->body.length };
	int r = LOOKUP_E_GARBAGE;

	if (!outcome && reply->status == 200 && body.length)
		r = lookup_read(job->arena, body, run->wiki->central_ids, run->names, run->n_names);
	wiki_count_end(&job->worker->setup.page->wiki, PAGE_WIKI_NAMES, run->asked_ms,
		       wiki_count_outcome(outcome, false, r > 0));
	if (r > 0) {
		end(job, r == LOOKUP_E_PROVIDER
				 ? "api.php tells no ids of the provider in central_ids"
				 : "no usable answer");
		return;
	}
	if (r || items_write(run) || job->worker->is_draining) {
		fail(job, NULL);
		return;
	}
	keep(job);
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
	if (client && fetch_start(client, &request, &run->fetch) == 0)
		run->asked_ms = wiki_count_begin(&job->worker->setup.page->wiki, PAGE_WIKI_NAMES);
	else
		end(job, "too much is asked at once");
}

/* A name that is no text at all, or was erased, is one that no account has. */
static int name_take(struct arena *arena, const struct value *item, struct lookup_name *name)
{
	struct slice text = value_text(value_get(item, "name"));
	struct slice id = value_text(value_get(item, "id"));
	int r;

	if (!id.at)
		return -EPROTO;
	*name = (struct lookup_name){ .subject = id, .name = text };
	r = text_fold_user(arena, text.at ? text : text_slice(""), &name->folded);
	if (r > 0)
		name->folded = (struct slice){ "", 0 };
	return r < 0 ? r : 0;
}

/* Nobody knows whom a damaged name meant, perhaps not for long: a backup may have it. Until then it
 * waits as a name does that no account has, and no other one waits for it. */
static int put_off(struct run *run, const char *damaged)
{
	const struct log_field field = { "conductd.content", damaged, 0 };
	const struct value *item, *items = value_get(run->open, "items");
	const char *name;
	size_t i = 0;

	do {
		item = value_at(items, i++);
		name = value_get_string(value_get(item, "name"), "$word");
	} while (item && (!name || strcmp(name, damaged) != 0));
	if (!item)
		return -EPROTO;
	log_event(LOG_LEVEL_ERROR,
		  "the name of somebody in a report does not open, so whose account it is stays "
		  "unknown: it or its key was changed, moved or lost; a backup has it as it was",
		  &field, 1);
	run->names[0] = (struct lookup_name){ .subject = value_text(value_get(item, "id")) };
	run->n_names = 1;
	run->has_more = true;
	return items_write(run);
}

static void on_names(struct opening *opening, enum opening_outcome outcome)
{
	struct run *run = (struct run *)(void *)((char *)opening - offsetof(struct run, opening));
	struct job *job = run->job;
	const struct value *items;
	int r = outcome == OPENING_DONE ? words_fill(&opening->lookup, run->open) : -EIO;

	items = value_get(run->open, "items");
	for (; !r && run->n_names < value_count(items) && run->n_names < LOOKUP_LIMIT;
	     run->n_names++)
		r = name_take(job->arena, value_at(items, run->n_names), &run->names[run->n_names]);
	run->has_more = run->n_names == LOOKUP_LIMIT;
	if (outcome == OPENING_DAMAGED && put_off(run, opening->damaged) == 0)
		keep(job);
	else if (r || job->worker->is_draining)
		fail(job, NULL);
	else if (run->n_names == 0)
		end(job, NULL);
	else
		ask(job);
}

static void free_value(void *value)
{
	value_free(value);
}

static void on_open(struct pg_call *call, const struct pg_answer *answer)
{
	struct job *job = job_of_call(call);
	struct run *run = job->state;
	struct slice ids, words;

	if (answer->outcome != PG_DONE) {
		fail(job, answer);
		return;
	}
	if (value_parse(pg_answer_cell(answer, 0, 1), &run->open, NULL) ||
	    arena_take(job->arena, run->open, free_value)) {
		fail(job, NULL);
		return;
	}
	/* An account that is known under another key would never be recognised; /readyz says so. */
	if (!index_key_is_marked(&job->worker->setup.index_key,
				 job->worker->setup.sealer->deployment,
				 value_text(value_get(run->open, "index_mark")))) {
		job_done(job, true);
		return;
	}
	ids = pg_answer_cell(answer, 0, 2);
	words = pg_answer_cell(answer, 0, 3);
	run->opening = (struct opening){ .arena = job->arena,
					 .sealer = job->worker->setup.sealer,
					 .reader = &run->reader,
					 .done = on_names };
	opening_start(&run->opening, ids.at ? ids : text_slice("{}"),
		      words.at ? words : text_slice("{}"));
}

static int wikis_add(struct value *wikis, const struct worker_wiki *wiki)
{
	int r = 0;

	for (size_t i = 0; !r && i < wiki->n_wikis; i++)
		r = value_append_take(wikis, value_new_text(text_slice(wiki->wikis[i])));
	return r;
}

/* The wikis whose names belong to this issuer; of one that lists none, those that belong to
 * another. As JSON in the arena. */
static int wikis_write(const struct job *job, const struct worker_wiki *wiki,
		       struct pg_param *ret_param)
{
	const struct worker_terms *terms = &job->worker->setup.terms;
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	CLEANUP(value_freep) struct value *wikis = value_new_array();
	char *text;
	int r = wikis ? 0 : -ENOMEM;

	for (size_t i = 0; !r && i < terms->n_wikis; i++)
		if (!wiki->n_wikis || &terms->wikis[i] == wiki)
			r = wikis_add(wikis, &terms->wikis[i]);
	if (!r)
		r = value_write(wikis, &buffer);
	if (r)
		return r;
	text = arena_strndup(job->arena, buffer.at, buffer.length);
	*ret_param = (struct pg_param){ .at = text, .length = (int)buffer.length };
	return text ? 0 : -ENOMEM;
}

static void ask_database(struct job *job)
{
	static const char limit[] = "50";
	struct run *run = job->state;
	const char *is_rest = run->wiki->n_wikis ? "false" : "true";

	run->n_names = 0;
	job->params[0] = (struct pg_param){ .at = limit, .length = sizeof(limit) - 1 };
	job->params[2] = (struct pg_param){ .at = is_rest, .length = (int)strlen(is_rest) };
	if (wikis_write(job, run->wiki, &job->params[1]))
		fail(job, NULL);
	else
		job_call(job, STATEMENT_LOOKUP_NEXT, on_open);
}

static bool is_left_out(struct lookup_pause *pause)
{
	if (!pause->n_left_out)
		return false;
	pause->n_left_out--;
	return true;
}

static void next_wiki(struct job *job)
{
	struct worker *worker = job->worker;
	const struct worker_terms *terms = &worker->setup.terms;
	struct run *run = job->state;

	while (run->index < terms->n_wikis &&
	       (!*terms->wikis[run->index].api || is_left_out(&worker->lookups[run->index])))
		run->index++;
	if (run->index == terms->n_wikis || worker->is_draining || worker->is_paused) {
		job_done(job, true);
		return;
	}
	run->wiki = &terms->wikis[run->index];
	ask_database(job);
}

void job_lookups_start(struct job *job)
{
	struct run *run = arena_alloc(job->arena, sizeof(*run));

	job->state = run;
	if (!run) {
		job_done(job, false);
		return;
	}
	run->job = job;
	next_wiki(job);
}

/* Other terms may have other wikis in these places. */
void job_lookups_forget(struct job *job)
{
	memset(job->worker->lookups, 0, sizeof(job->worker->lookups));
}
