/*
 * What is sealed to older intake keys is sealed again to the active one, piece by piece: the
 * database hands out stanzas, the vault opens each and seals it anew without letting the key out,
 * and the database puts the new one in the place of the old where that has not changed. A run that
 * is interrupted has either replaced its piece or not, and the next goes on with what is left.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/base/text.h"
#include "daemon/ipc/vault.h"
#include "daemon/json/value.h"
#include "daemon/keys/place.h"
#include "daemon/pg/text.h"
#include "daemon/worker/jobs.h"
#include "daemon/worker/rotation.h"

enum {
	PIECE = 64,
	DEADLINE_MS = 5000,
	/* A stanza as the database hands it out: unit, generation, key, blob. */
	GENERATION_AT = KEYS_ID_SIZE,
	KEY_AT = GENERATION_AT + 4,
	BLOB_AT = KEY_AT + 4,
	HANDED_SIZE = BLOB_AT + IPC_VAULT_BLOB_SIZE,
	RETURNED_SIZE = HANDED_SIZE + IPC_VAULT_BLOB_SIZE,
};

_Static_assert((int)PIECE <= (int)IPC_VAULT_REWRAP_UNITS_MAX, "a piece is one request");

/* Of one run, in its arena. */
struct rotation_run {
	struct job *job;
	struct ipc_request request;
	uint32_t key_id;
	char key_text[16];
	char after[sizeof(((struct rotation *)0)->after)];
	size_t n;
	uint8_t stanzas[PIECE][RETURNED_SIZE];
};

int rotation_new(struct rotation **ret_rotation)
{
	*ret_rotation = calloc(1, sizeof(**ret_rotation));
	return *ret_rotation ? 0 : -ENOMEM;
}

struct rotation *rotation_free(struct rotation *rotation)
{
	free(rotation);
	return NULL;
}

/* The database is away, or another one leads. */
static void fail(struct job *job, const struct pg_answer *answer)
{
	if (answer && answer->outcome != PG_REFUSED)
		worker_lose_lead(job->worker);
	job_done(job, false);
}

/* The last stanza was handed out: the next pass begins at the start, after the job's period. */
static void pass_end(struct job *job)
{
	struct rotation *rotation = job->worker->rotation;
	const struct log_field field = { "conductd.units", NULL, (int64_t)rotation->n_left };

	if (rotation->n_left != rotation->n_left_before)
		log_event(rotation->n_left ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO,
			  rotation->n_left
				  ? "keys of units stay sealed to an older key, because the "
				    "vault does not open them"
				  : "the vault opens all keys of units again",
			  &field, 1);
	atomic_store(&job->worker->setup.page->vault.n_stuck, rotation->n_left);
	rotation->n_left_before = rotation->n_left;
	rotation->n_left = 0;
	rotation->has_more = false;
	*rotation->after = '\0';
	job_done(job, true);
}

/* On to the next piece, in a run of its own. */
static void go_on(struct job *job)
{
	struct rotation *rotation = job->worker->rotation;
	const struct rotation_run *run = job->state;

	memcpy(rotation->after, run->after, sizeof(rotation->after));
	rotation->has_more = true;
	job_done(job, true);
}

static void on_replaced(struct pg_call *call, const struct pg_answer *answer)
{
	struct job *job = job_of_call(call);

	if (answer->outcome == PG_DONE)
		go_on(job);
	else
		fail(job, answer);
}

/* What was sealed again goes back; the rest stays as it is. */
static int replace(struct job *job, struct slice payload)
{
	struct rotation_run *run = job->state;
	struct slice literal, *strings = arena_alloc(job->arena, run->n * sizeof(*strings));
	size_t n = 0;

	if (!strings)
		return -ENOMEM;
	for (size_t i = 0; i < run->n; i++) {
		struct ipc_vault_rewrapped result;

		ipc_vault_get_rewrapped(payload, i, &result);
		if (result.outcome != IPC_VAULT_OPENED) {
			job->worker->rotation->n_left++;
			continue;
		}
		memcpy(run->stanzas[i] + HANDED_SIZE, result.blob, sizeof(result.blob));
		strings[n++] = (struct slice){ (const char *)run->stanzas[i], RETURNED_SIZE };
	}
	if (n == 0) {
		go_on(job);
		return 0;
	}
	if (pg_text_from_byte_strings(job->arena, strings, n, &literal))
		return -ENOMEM;
	(void)snprintf(run->key_text, sizeof(run->key_text), "%" PRIu32, run->key_id);
	job->params[0] = (struct pg_param){ .at = run->key_text,
					    .length = (int)strlen(run->key_text) };
	job->params[1] = (struct pg_param){ .at = literal.at, .length = (int)literal.length };
	job_call(job, STATEMENT_ROTATION_DONE, on_replaced);
	return 0;
}

static void on_rewrapped(struct ipc_request *request, enum ipc_outcome outcome,
			 const struct ipc_message *message)
{
	struct rotation_run *run = (struct rotation_run *)(void *)((char *)request -
								   offsetof(struct rotation_run,
									    request));
	size_t n = 0;

	if (outcome != IPC_ANSWERED || message->type != IPC_TYPE_VAULT_REWRAPPED ||
	    ipc_vault_read_rewrapped(message->payload, &n) || n != run->n ||
	    replace(run->job, message->payload))
		fail(run->job, NULL);
}

/* Asks the vault. Returns 0, positive, or negative. */
static int rewrap(struct job *job)
{
	struct rotation_run *run = job->state;
	struct ipc_channel *vault = *job->worker->setup.vault;
	size_t length = sizeof(uint32_t) + run->n * sizeof(struct ipc_vault_unit);
	char *payload = arena_alloc(job->arena, length);

	if (!vault || !payload)
		return -ENOMEM;
	memcpy(payload, &run->key_id, sizeof(run->key_id));
	for (size_t i = 0; i < run->n; i++) {
		const uint8_t *stanza = run->stanzas[i];
		struct ipc_vault_unit unit = { .generation = place_get_u32(stanza + GENERATION_AT),
					       .key_id = place_get_u32(stanza + KEY_AT) };

		memcpy(unit.unit_id, stanza, sizeof(unit.unit_id));
		memcpy(unit.blob, stanza + BLOB_AT, sizeof(unit.blob));
		memcpy(payload + sizeof(uint32_t) + i * sizeof(unit), &unit, sizeof(unit));
	}
	run->request = (struct ipc_request){ .done = on_rewrapped };
	return ipc_channel_request(vault, &run->request, IPC_TYPE_VAULT_REWRAP,
				   (struct slice){ payload, length }, DEADLINE_MS);
}

/* Takes a piece; false: the answer is none. */
static bool piece_take(struct rotation_run *run, const struct pg_answer *answer)
{
	CLEANUP(value_freep) struct value *body = NULL;
	const struct value *after;
	struct slice *strings;

	if (value_parse(pg_answer_cell(answer, 0, 1), &body, NULL) ||
	    pg_text_to_byte_strings(run->job->arena, pg_answer_cell(answer, 0, 3), &strings,
				    &run->n) ||
	    run->n > PIECE)
		return false;
	for (size_t i = 0; i < run->n; i++) {
		if (strings[i].length != HANDED_SIZE)
			return false;
		memcpy(run->stanzas[i], strings[i].at, HANDED_SIZE);
	}
	run->key_id = (uint32_t)value_integer(value_get(body, "active"), 0);
	if (run->n == 0 || run->key_id == 0)
		run->n = 0;
	after = value_get(body, "after");
	if (run->n)
		(void)snprintf(run->after, sizeof(run->after), "[%" PRId64 ",\"%s\",%" PRId64 "]",
			       value_integer(value_at(after, 0), 0),
			       value_string(value_at(after, 1)) ? value_string(value_at(after, 1))
								: "",
			       value_integer(value_at(after, 2), 0));
	return true;
}

static void on_handed(struct pg_call *call, const struct pg_answer *answer)
{
	struct job *job = job_of_call(call);
	struct rotation_run *run = job->state;

	if (answer->outcome != PG_DONE)
		fail(job, answer);
	else if (!piece_take(run, answer) || (run->n > 0 && rewrap(job)))
		fail(job, NULL);
	else if (run->n == 0)
		pass_end(job);
}

void job_rotation_start(struct job *job)
{
	const struct rotation *rotation = job->worker->rotation;
	struct rotation_run *run = arena_alloc(job->arena, sizeof(*run));
	static const char piece[] = "64";

	if (!run) {
		job_done(job, false);
		return;
	}
	run->job = job;
	job->state = run;
	memcpy(run->after, rotation->after, sizeof(run->after));
	job->params[0] = (struct pg_param){ .at = piece, .length = sizeof(piece) - 1 };
	job->params[1] = *run->after ? (struct pg_param){ .at = run->after,
							  .length = (int)strlen(run->after) }
				     : PG_NULL;
	job_call(job, STATEMENT_ROTATION_NEXT, on_handed);
}
