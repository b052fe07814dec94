/* Reading the rows of an answer. Out of range is NULL: a caller's bug never reads foreign memory.
 */

#include <stdlib.h>

#include "daemon/pg/internal.h"

static bool has_cell(const struct pg_answer *answer, int row, int column)
{
	return answer->result && row >= 0 && row < answer->n_rows && column >= 0 &&
	       column < answer->n_columns;
}

/* The text of a cell, NUL-terminated, valid while done() runs; NULL has at == NULL. */
struct slice pg_answer_cell(const struct pg_answer *answer, int row, int column)
{
	if (pg_answer_is_null(answer, row, column))
		return (struct slice){ 0 };
	row += answer->row;
	return (struct slice){ PQgetvalue(answer->result, row, column),
			       (size_t)PQgetlength(answer->result, row, column) };
}

bool pg_answer_is_null(const struct pg_answer *answer, int row, int column)
{
	return !has_cell(answer, row, column) ||
	       PQgetisnull(answer->result, answer->row + row, column);
}

/* A cell of an integer column; 0 for NULL. */
int64_t pg_answer_integer(const struct pg_answer *answer, int row, int column)
{
	struct slice cell = pg_answer_cell(answer, row, column);

	return cell.at ? strtoll(cell.at, NULL, 10) : 0;
}
