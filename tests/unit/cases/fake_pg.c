/* Replaces pg_pool_submit(): keeps the call, so that a test reads it and answers when it wants. */

#include "tests/unit/cases/fake_pg.h"

#include <check.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

static struct pg_call *waiting;
static size_t n_calls;
static int broken;
static char text[256 * 1024];

int pg_pool_submit(struct pg_pool *pool, struct pg_call *call)
{
	(void)pool;
	if (broken)
		return broken;
	ck_assert_ptr_null(waiting);
	waiting = call;
	n_calls++;
	return 0;
}

struct pg_call *fake_pg_call(void)
{
	return waiting;
}

size_t fake_pg_count(void)
{
	return n_calls;
}

void fake_pg_reset(void)
{
	waiting = NULL;
	n_calls = 0;
	broken = 0;
}

void fake_pg_break(int error)
{
	broken = error;
}

const char *fake_pg_statement(void)
{
	return waiting ? waiting->statement->name : "";
}

const char *fake_pg_param(unsigned index)
{
	const struct pg_param *param;

	ck_assert_ptr_nonnull(waiting);
	ck_assert_uint_lt(index, waiting->statement->n_params);
	param = &waiting->params[index];
	if (param->is_null)
		return "null";
	ck_assert_uint_lt((size_t)param->length, sizeof(text));
	memcpy(text, param->at, (size_t)param->length);
	text[param->length] = '\0';
	return text;
}

size_t fake_pg_param_length(unsigned index)
{
	return (size_t)waiting->params[index].length;
}

static char *writable(const char *value)
{
	char *copy = strdup(value);

	ck_assert_ptr_nonnull(copy);
	return copy;
}

static void set_cell(PGresult *result, int column, const char *value)
{
	char *copy = value ? writable(value) : NULL;

	ck_assert_int_eq(PQsetvalue(result, 0, column, copy, value ? (int)strlen(value) : -1), 1);
	free(copy);
}

static struct pg_call *take(void)
{
	struct pg_call *call = waiting;

	ck_assert_ptr_nonnull(call);
	waiting = NULL;
	return call;
}

void fake_pg_answer(int status, const char *body, const char *ids, const char *texts)
{
	static const char *const names[] = { "status", "body", "word_ids", "words" };
	PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc columns[4] = { 0 };
	struct pg_call *call = take();
	struct pg_answer answer = { PG_DONE, .status = 200, .n_rows = 1, .n_columns = 4 };
	char number[16];

	ck_assert_ptr_nonnull(result);
	for (size_t i = 0; i < 4; i++)
		columns[i].name = writable(names[i]);
	ck_assert_int_eq(PQsetResultAttrs(result, 4, columns), 1);
	for (size_t i = 0; i < 4; i++)
		free(columns[i].name);
	snprintf(number, sizeof(number), "%d", status);
	set_cell(result, 0, number);
	set_cell(result, 1, body);
	set_cell(result, 2, ids);
	set_cell(result, 3, texts);
	answer.result = result;
	call->done(call, &answer);
	PQclear(result);
}

void fake_pg_refuse(enum pg_outcome outcome, int status, const char *key, const char *detail)
{
	struct pg_call *call = take();
	const struct pg_answer answer = { outcome, .status = status, .error_key = key,
					  .detail_json = detail };

	call->done(call, &answer);
}
