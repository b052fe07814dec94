/*
 * What this host's vault holds, told to the database and compared with it: a vault that lacks a key
 * which units are sealed to cannot read them, and somebody has to hear of it before a reader does.
 * The alarm of a used-up quota goes into the outbox here as well, because the vault has no
 * database.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/buffer.h"
#include "daemon/base/codec.h"
#include "daemon/base/log.h"
#include "daemon/ipc/vault.h"
#include "daemon/json/value.h"
#include "daemon/worker/jobs.h"
#include "daemon/worker/rotation.h"

enum { DEADLINE_MS = 2000 };

/* Of one run, in its arena. */
struct keys_run {
	struct job *job;
	struct ipc_request request;
	uint64_t n_refused;
	char seals_to[16];
};

static void trouble_say(struct worker *worker, const char *trouble)
{
	struct rotation *rotation = worker->rotation;
	const struct log_field field = { "error.message", trouble, 0 };

	if (strcmp(rotation->trouble, trouble) == 0)
		return;
	(void)snprintf(rotation->trouble, sizeof(rotation->trouble), "%s", trouble);
	if (*trouble)
		log_event(LOG_LEVEL_ERROR, "the vault's keys are not the database's", &field, 1);
	else
		log_say(LOG_LEVEL_INFO, "the vault's keys are in order again");
}

/* "1, 2" */
static const char *ids_write(struct arena *arena, const struct value *ids)
{
	CLEANUP(buffer_deinit) struct buffer text = BUFFER_NULL;

	for (size_t i = 0; i < value_count(ids); i++)
		buffer_printf(&text, "%s%" PRId64, i ? ", " : "",
			      value_integer(value_at(ids, i), 0));
	return buffer_finish(&text) == 0 && text.at ? arena_strdup(arena, text.at) : NULL;
}

static void state_take(struct job *job, const struct value *body)
{
	const struct value *differing = value_get(body, "differing");
	const struct value *lacking = value_get(body, "lacking");
	const struct value *restored = value_get(body, "restored");
	char text[sizeof(job->worker->rotation->trouble)] = "";
	const char *ids;

	if (value_count(restored) && (ids = ids_write(job->arena, restored)) != NULL)
		log_event(LOG_LEVEL_WARN,
			  "the database lacked intake keys that the vault has, as one that was "
			  "restored from a backup does, and has them again",
			  &(struct log_field){ "conductd.keys", ids, 0 }, 1);
	if (value_count(differing) && (ids = ids_write(job->arena, differing)) != NULL)
		(void)snprintf(text, sizeof(text),
			       "the database has other intake keys %s than the vault: the key file "
			       "is of another vault; copy the right one from another host or a "
			       "backup, and reload",
			       ids);
	else if (value_count(lacking) && (ids = ids_write(job->arena, lacking)) != NULL)
		(void)snprintf(text, sizeof(text),
			       "the vault lacks the intake keys %s that units are sealed to, so "
			       "that these cannot be read: copy the newer key file from another "
			       "host or a backup, and reload",
			       ids);
	trouble_say(job->worker, text);
}

static void on_alarmed(struct pg_call *call, const struct pg_answer *answer)
{
	struct job *job = job_of_call(call);
	struct keys_run *run = job->state;

	if (answer->outcome == PG_DONE) {
		atomic_store(&job->worker->setup.page->vault.n_alarmed, run->n_refused);
		atomic_fetch_add(&job->worker->setup.page->vault.n_alarms, 1);
	}
	job_done(job, answer->outcome == PG_DONE);
}

/* One row for all refusals since the last one. */
static void alarm_send(struct job *job)
{
	struct worker *worker = job->worker;
	struct page_vault *vault = &worker->setup.page->vault;
	struct keys_run *run = job->state;
	uint64_t n_person = atomic_load(&vault->n_refused_person);
	uint64_t n_host = atomic_load(&vault->n_refused_host);
	char *facts;

	run->n_refused = n_person + n_host;
	if (run->n_refused == atomic_load(&vault->n_alarmed)) {
		job_done(job, true);
		return;
	}
	facts = arena_printf(job->arena,
			     "{\"what\":\"vault_quota\",\"host\":\"%s\",\"person\":%" PRIu64
			     ",\"all\":%" PRIu64 "}",
			     worker->setup.log_key.name, n_person, n_host);
	if (!facts) {
		job_done(job, false);
		return;
	}
	job->params[0] = (struct pg_param){ .at = facts, .length = (int)strlen(facts) };
	job_look(job, STATEMENT_ALARM, on_alarmed);
}

static void on_reported(struct pg_call *call, const struct pg_answer *answer)
{
	CLEANUP(value_freep) struct value *body = NULL;
	struct job *job = job_of_call(call);

	if (answer->outcome == PG_REFUSED && answer->status == 409) {
		trouble_say(job->worker, "the keys are those of another deployment than the "
					 "database: name the right key file, or the right "
					 "database");
		job_done(job, true);
		return;
	}
	if (answer->outcome != PG_DONE || value_parse(pg_answer_cell(answer, 0, 1), &body, NULL)) {
		job_done(job, false);
		return;
	}
	state_take(job, body);
	alarm_send(job);
}

/* [[id, "hex"], …] */
static char *keys_write(struct arena *arena, struct slice payload, size_t n)
{
	CLEANUP(buffer_deinit) struct buffer text = BUFFER_NULL;

	buffer_append_char(&text, '[');
	for (size_t i = 0; i < n; i++) {
		struct ipc_vault_listed listed;
		char hex[2 * IPC_VAULT_KEY_SIZE + 1];

		ipc_vault_get_listed(payload, i, &listed);
		codec_hex_encode(hex, listed.public_key, sizeof(listed.public_key));
		buffer_printf(&text, "%s[%" PRIu32 ",\"%s\"]", i ? "," : "", listed.key_id, hex);
	}
	buffer_append_char(&text, ']');
	return buffer_finish(&text) ? NULL : arena_strdup(arena, text.at);
}

static void on_listed(struct ipc_request *request, enum ipc_outcome outcome,
		      const struct ipc_message *message)
{
	struct keys_run *run = (struct keys_run *)(void *)((char *)request -
							   offsetof(struct keys_run, request));
	struct job *job = run->job;
	const struct worker_setup *setup = &job->worker->setup;
	char *keys = NULL;
	size_t n;

	/* A vault that is away shows elsewhere. */
	if (outcome != IPC_ANSWERED || message->type != IPC_TYPE_VAULT_LISTED ||
	    ipc_vault_read_listed(message->payload, &n) ||
	    !(keys = keys_write(job->arena, message->payload, n))) {
		job_done(job, false);
		return;
	}
	(void)snprintf(run->seals_to, sizeof(run->seals_to), "%" PRIu32,
		       setup->sealer->intake.key_id);
	job->params[0] = (struct pg_param){ .at = setup->log_key.name,
					    .length = (int)strlen(setup->log_key.name) };
	job->params[1] = (struct pg_param){ .at = setup->sealer->deployment,
					    .length = (int)strlen(setup->sealer->deployment) };
	job->params[2] = (struct pg_param){ .at = keys, .length = (int)strlen(keys) };
	job->params[3] = (struct pg_param){ .at = run->seals_to,
					    .length = (int)strlen(run->seals_to) };
	job_look(job, STATEMENT_VAULT_REPORT, on_reported);
}

void job_keys_start(struct job *job)
{
	struct ipc_channel *vault = *job->worker->setup.vault;
	struct keys_run *run = arena_alloc(job->arena, sizeof(*run));

	if (!run) {
		job_done(job, false);
		return;
	}
	*run = (struct keys_run){ .job = job, .request.done = on_listed };
	job->state = run;
	if (!vault || ipc_channel_request(vault, &run->request, IPC_TYPE_VAULT_LIST,
					  (struct slice){ 0 }, DEADLINE_MS))
		job_done(job, false);
}
