/*
 * Verbs on the wire to PostgreSQL. Every function of conduct_api_1 answers one row (status, body,
 * word_ids, words); a refusal is an SQLSTATE, or, where calls share a transaction, a status in the
 * row. Words are opened between the database's answer and done().
 */

#include "daemon/cases/call.h"
#include "daemon/base/text.h"

#include <string.h>

enum { COLUMN_STATUS, COLUMN_BODY, COLUMN_WORD_IDS, COLUMN_WORDS };

/* Reads of a case: each writes that it was read, and locks nothing. */
static bool is_logged_read(enum statement_id statement)
{
	switch (statement) {
	case STATEMENT_CASE_SHOW:
	case STATEMENT_CASE_EVENTS:
	case STATEMENT_CASE_MESSAGES:
		return true;
	default:
		return false;
	}
}

void call_init(struct call *call, struct arena *arena, enum statement_id statement,
	       enum pg_lane lane)
{
	*call = (struct call){
		.pg = { .statement = &statements[statement],
			.lane = lane,
			.may_share = is_logged_read(statement) },
		.arena = arena,
	};
}

static void add(struct call *call, struct pg_param param)
{
	if (call->n_params == CALL_PARAMS_MAX)
		call->error = -EINVAL;
	else
		call->params[call->n_params++] = param;
}

static struct pg_param make_param(struct slice text, bool is_binary)
{
	if (!text.at)
		return PG_NULL;
	return (struct pg_param){ .at = text.at,
				  .length = (int)text.length,
				  .is_binary = is_binary };
}

void call_add_bytes(struct call *call, struct slice bytes)
{
	add(call, make_param(bytes, true));
}

void call_add_text(struct call *call, struct slice text)
{
	add(call, make_param(text, false));
}

void call_add_integer(struct call *call, int64_t integer)
{
	const char *text = arena_printf(call->arena, "%lld", (long long)integer);

	if (!text)
		call->error = -ENOMEM;
	add(call, make_param(text_slice(text), false));
}

void call_add_json(struct call *call, const struct value *value)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	char *text = NULL;
	int r = 0;

	if (value)
		r = value_write(value, &buffer);
	if (value && !r) {
		text = arena_memdup(call->arena, buffer.at, buffer.length);
		if (!text)
			r = -ENOMEM;
	}
	if (r)
		call->error = r;
	add(call, make_param((struct slice){ text, buffer.length }, false));
}

void call_add_words(struct call *call, const struct words *words)
{
	struct slice ids = { 0 }, kinds = { 0 }, texts = { 0 };
	int r = words_write(words, &ids, &kinds, &texts);

	if (r)
		call->error = r;
	call->opening.own = words;
	add(call, make_param(ids, false));
	add(call, make_param(kinds, false));
	add(call, make_param(texts, false));
}

static void free_value(void *value)
{
	value_free(value);
}

/* Parses JSON of the database into the arena. */
static int read_json(struct arena *arena, struct slice text, struct value **ret_value)
{
	struct value *value = NULL;
	int r = value_parse(text, &value, NULL);

	if (r)
		return r < 0 ? r : -EPROTO;
	r = arena_take(arena, value, free_value);
	if (!r)
		*ret_value = value;
	return r;
}

static bool is_null(struct slice text)
{
	return !text.at || (text.length == 4 && memcmp(text.at, "null", 4) == 0);
}

/* Status and body of the answer; the body of a success stays as it came: its words are to be opened
 * yet. */
static int read_row(struct call *call, const struct pg_answer *pg)
{
	struct slice text = pg_answer_cell(pg, 0, COLUMN_BODY);
	struct call_answer *answer = &call->answer;
	int r;

	*answer = (struct call_answer){ .status = (int)pg_answer_integer(pg, 0, COLUMN_STATUS) };
	if (pg->n_rows != 1 || answer->status < 200 || answer->status > 599)
		return -EPROTO;
	if (answer->status < 400) {
		call->body = is_null(text) ? (struct slice){ NULL, 0 } : text;
		return 0;
	}
	r = is_null(text) ? 0 : read_json(call->arena, text, &answer->body);
	if (r)
		return r;
	answer->error_key = value_get_string(answer->body, "errorKey");
	answer->params = value_get(answer->body, "params");
	return answer->error_key ? 0 : -EPROTO;
}

/* The body with its words, from text to text or as a value. */
static int read_body(struct call *call, const struct opened_words *lookup)
{
	struct slice text = call->body;
	int r;

	if (!text.at)
		return 0;
	if (call->is_text) {
		if (!text.length || text.at[0] != '{' || text.at[text.length - 1] != '}')
			return -EPROTO;
		r = words_fill_text(call->arena, lookup, text, &call->answer.text);
	} else {
		r = read_json(call->arena, text, &call->answer.body);
		if (!r)
			r = words_fill(lookup, call->answer.body);
	}
	return r > 0 ? -EPROTO : r;
}

/* What the wall to the database says by itself, in the words of the interface. A 404 has to be the
 * one text that hidden and absent things share. */
static const char *choose_key(const struct pg_answer *pg)
{
	static const char own[] = "conduct-error-";

	if (pg->outcome == PG_UNKNOWN)
		return "conduct-unknown-outcome";
	if (pg->outcome == PG_REFUSED && strncmp(pg->error_key, own, sizeof(own) - 1) != 0)
		return pg->error_key;
	return pg->status == 404   ? "conduct-not-found"
	       : pg->status == 503 ? "conduct-unavailable"
				   : "conduct-internal";
}

/* A refusal's parameters are only display: what cannot be read is left out. */
static void read_refusal(struct arena *arena, const struct pg_answer *pg,
			 struct call_answer *ret_answer)
{
	struct value *params = NULL;

	if (pg->detail_json)
		(void)read_json(arena, text_slice(pg->detail_json), &params);
	*ret_answer = (struct call_answer){
		.status = pg->status,
		.error_key = arena_strdup(arena, choose_key(pg)),
		.params = params,
	};
	if (!ret_answer->error_key)
		ret_answer->error_key = "conduct-unavailable";
}

/* done() with what there is, or with why there is nothing. */
static void finish(struct call *call, int error)
{
	struct call_answer *answer = &call->answer;

	/* It is stored, but cannot be told; the key renders it again. */
	if (error == -ENOMEM && call->pg.lane != PG_LANE_READ)
		*answer = (struct call_answer){ .status = 503,
						.error_key = "conduct-unknown-outcome" };
	else if (error == -ENOMEM)
		*answer = (struct call_answer){ .status = 503, .error_key = "conduct-unavailable" };
	else if (error)
		*answer = (struct call_answer){ .status = 500, .error_key = "conduct-internal" };
	call->done(call, answer);
}

static void on_opened(struct opening *opening, enum opening_outcome outcome)
{
	struct call *call = (struct call *)(void *)((char *)opening -
						    offsetof(struct call, opening));
	int r = 0;

	switch (outcome) {
	case OPENING_DONE:
		r = read_body(call, &opening->lookup);
		break;
	case OPENING_FAILED:
		r = opening->error;
		break;
	case OPENING_AWAY:
		call->answer = (struct call_answer){ .status = 503,
						     .error_key = "conduct-vault-unavailable" };
		break;
	case OPENING_QUOTA:
		call->answer = (struct call_answer){ .status = 429,
						     .error_key = "conduct-case-quota" };
		break;
	case OPENING_DAMAGED:
		call->answer = (struct call_answer){ .status = 500,
						     .error_key = "conduct-damaged",
						     .damaged = opening->damaged };
		break;
	}
	call->answer.retry_after_s = opening->retry_after_s;
	finish(call, r);
}

/* The words are opened; what the database's answer holds is gone by then. */
static void open_words(struct call *call, const struct pg_answer *pg)
{
	struct slice ids = pg_answer_cell(pg, 0, COLUMN_WORD_IDS);
	struct slice words = pg_answer_cell(pg, 0, COLUMN_WORDS);
	struct opened_words none = { .n_items = 0 };

	if (!call->body.at || !ids.at || ids.length <= 2) {
		finish(call, read_body(call, &none));
		return;
	}
	call->body.at = arena_memdup(call->arena, call->body.at, call->body.length);
	if (!call->body.at || !call->sealer) {
		finish(call, call->sealer ? -ENOMEM : -EPROTO);
		return;
	}
	call->opening.arena = call->arena;
	call->opening.sealer = call->sealer;
	call->opening.reader = &call->reader;
	call->opening.done = on_opened;
	opening_start(&call->opening, ids, words.at ? words : text_slice("{}"));
}

static void on_answer(struct pg_call *pg, const struct pg_answer *pg_answer)
{
	struct call *call = (struct call *)((char *)pg - offsetof(struct call, pg));
	int r = 0;

	if (pg_answer->outcome != PG_DONE)
		read_refusal(call->arena, pg_answer, &call->answer);
	else
		r = read_row(call, pg_answer);
	if (r || call->answer.status >= 400)
		finish(call, r);
	else
		open_words(call, pg_answer);
}

int call_submit(struct call *call, struct pg_pool *pool,
		void (*done)(struct call *call, const struct call_answer *answer), void *userdata)
{
	if (call->error)
		return call->error;
	if (call->n_params != call->pg.statement->n_params)
		return -EINVAL;
	call->pg.params = call->params;
	call->pg.done = on_answer;
	call->done = done;
	call->userdata = userdata;
	return pg_pool_submit(pool, &call->pg);
}
