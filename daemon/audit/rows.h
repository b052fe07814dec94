#pragma once
/* What a log says of rows: for each the hash that it was last logged with. */

#include "daemon/audit/tree.h"

struct rows;

/* How a row that is there compares with the log. */
enum { ROWS_E_UNKNOWN = 1, ROWS_E_OTHER, ROWS_E_AGAIN, ROWS_E_UNSEEN };

int rows_new(struct rows **ret_rows);
struct rows *rows_free(struct rows *rows);
/* The name is `table`, a blank, and `key`. What was said before of the same row is replaced. */
int rows_set(struct rows *rows, struct slice table, struct slice key, const struct tree_hash *hash);
/* 0 where nothing was said before, or the same, or that it was erased; ROWS_E_OTHER; or negative.
 */
int rows_compare(const struct rows *rows, struct slice table, struct slice key,
		 const struct tree_hash *hash);
/* The row was erased: it is not missed, and not believed if it is there. */
int rows_drop(struct rows *rows, struct slice table, struct slice key);
/* 0, ROWS_E_UNKNOWN, ROWS_E_OTHER, ROWS_E_AGAIN where it was seen before, or negative. The row
 * counts as seen. */
int rows_see(struct rows *rows, struct slice table, struct slice key, const struct tree_hash *hash);
/* 0, ROWS_E_UNSEEN where it was not seen, as which it counts from now on, or negative. */
int rows_name(struct rows *rows, struct slice table, struct slice key);
uint64_t rows_count_unseen(const struct rows *rows);
