/*
 * Verbs on the wire to PostgreSQL. Every function of conduct_api_1 answers one row (status, body,
 * word_ids, words); a refusal is an SQLSTATE, or, where calls share a transaction, a status in the
 * row.
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

/* An object that goes on as it is, but for its words. */
static int read_text(struct arena *arena, const struct pg_answer *pg, struct slice text,
		     struct slice *ret_text)
{
	struct slice ids = pg_answer_cell(pg, 0, COLUMN_WORD_IDS);
	struct slice texts = pg_answer_cell(pg, 0, COLUMN_WORDS);
	int r;

	if (!text.length || text.at[0] != '{' || text.at[text.length - 1] != '}')
		return -EPROTO;
	r = words_fill_text(arena, text, ids.at ? ids : text_slice("{}"),
			    texts.at ? texts : text_slice("{}"), ret_text);
	return r > 0 ? -EPROTO : r;
}

static int read_row(struct arena *arena, const struct pg_answer *pg, bool is_text,
		    struct call_answer *ret_answer)
{
	struct slice text = pg_answer_cell(pg, 0, COLUMN_BODY);
	struct call_answer answer = {
		.status = (int)pg_answer_integer(pg, 0, COLUMN_STATUS),
	};
	int r = 0;

	if (pg->n_rows != 1 || answer.status < 200 || answer.status > 599)
		return -EPROTO;
	if (text.length == 4 && memcmp(text.at, "null", 4) == 0)
		text.at = NULL;
	if (text.at && is_text && answer.status < 400)
		r = read_text(arena, pg, text, &answer.text);
	else if (text.at)
		r = read_json(arena, text, &answer.body);
	if (!r && answer.status >= 400) {
		answer.error_key = value_get_string(answer.body, "errorKey");
		answer.params = value_get(answer.body, "params");
		if (!answer.error_key)
			return -EPROTO;
	} else if (!r && answer.body && !pg_answer_is_null(pg, 0, COLUMN_WORD_IDS)) {
		r = words_fill(arena, answer.body, pg_answer_cell(pg, 0, COLUMN_WORD_IDS),
			       pg_answer_cell(pg, 0, COLUMN_WORDS));
	}
	if (r)
		return r;
	*ret_answer = answer;
	return 0;
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

static void finish(struct pg_call *pg, const struct pg_answer *pg_answer)
{
	struct call *call = (struct call *)((char *)pg - offsetof(struct call, pg));
	struct call_answer answer;
	int r = 0;

	if (pg_answer->outcome != PG_DONE)
		read_refusal(call->arena, pg_answer, &answer);
	else
		r = read_row(call->arena, pg_answer, call->is_text, &answer);
	/* It is stored, but cannot be told; the key renders it again. */
	if (r == -ENOMEM && pg->lane != PG_LANE_READ)
		answer = (struct call_answer){ .status = 503,
					       .error_key = "conduct-unknown-outcome" };
	else if (r == -ENOMEM)
		answer = (struct call_answer){ .status = 503, .error_key = "conduct-unavailable" };
	else if (r)
		answer = (struct call_answer){ .status = 500, .error_key = "conduct-internal" };
	call->done(call, &answer);
}

int call_submit(struct call *call, struct pg_pool *pool,
		void (*done)(struct call *call, const struct call_answer *answer), void *userdata)
{
	if (call->error)
		return call->error;
	if (call->n_params != call->pg.statement->n_params)
		return -EINVAL;
	call->pg.params = call->params;
	call->pg.done = finish;
	call->done = done;
	call->userdata = userdata;
	return pg_pool_submit(pool, &call->pg);
}
