/*
 * History is not changed by logging it a second time: a row of a table whose rows stay as they are
 * keeps the hash that it was logged with first. What an erasure has left of a case is logged anew,
 * the entries of before being empty then, and what has no number yet can be superseded by its like.
 */

#include "daemon/audit/logged.h"

#include "daemon/base/text.h"

/* Returns 0 or negative. */
int logged_init(struct logged *logged, const char *catalog)
{
	int r;

	*logged = (struct logged){ 0 };
	r = rows_new(&logged->rows);
	if (r == 0)
		r = rows_new(&logged->pending);
	if (r == 0 && catalog)
		r = catalog_new(catalog, &logged->catalog);
	return r;
}

void logged_deinit(struct logged *logged)
{
	rows_free(logged->rows);
	rows_free(logged->pending);
	catalog_free(logged->catalog);
}

/* 0, LOGGED_E_AGAIN, or negative. */
static int check(struct logged *logged, struct slice event, struct slice table, struct slice key,
		 const struct tree_hash *hash)
{
	int r = logged->catalog ? rows_compare(logged->rows, table, key, hash) : 0;

	if (r > 0)
		r = catalog_see_changing(logged->catalog, table);
	if (r > 0 && (text_equals(event, text_slice("case.kept")) ||
		      text_equals(event, text_slice("content.kept"))))
		r = 0;
	if (r > 0 && !event.at && rows_see(logged->pending, table, key, hash) != ROWS_E_UNKNOWN)
		r = 0;
	return r > 0 ? LOGGED_E_AGAIN : r;
}

int logged_keep(struct logged *logged, struct slice event, struct slice table, struct slice key,
		const struct tree_hash *hash)
{
	int outcome = check(logged, event, table, key, hash);
	int r = outcome < 0 ? outcome : rows_set(logged->rows, table, key, hash);

	if (r == 0 && !event.at)
		r = rows_set(logged->pending, table, key, hash);
	return r < 0 ? r : outcome;
}
