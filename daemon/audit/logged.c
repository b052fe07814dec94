/*
 * History is not changed by logging it a second time: a row of a table whose rows stay as they are
 * keeps the hash that it was logged with first. What an erasure has left of a case is logged anew
 * when the entries of before are empty; an entry that only calls itself so changes nothing.
 */

#include "daemon/audit/logged.h"

#include "daemon/base/text.h"

/* Returns 0 or negative. */
int logged_init(struct logged *logged, const char *catalog)
{
	int r;

	*logged = (struct logged){ 0 };
	r = rows_new(&logged->rows);
	if (r == 0 && catalog)
		r = catalog_new(catalog, &logged->catalog);
	return r;
}

void logged_deinit(struct logged *logged)
{
	rows_free(logged->rows);
	catalog_free(logged->catalog);
}

/* 0, LOGGED_E_AGAIN, or negative. */
static int check(struct logged *logged, struct slice table, struct slice key,
		 const struct tree_hash *hash)
{
	int r = logged->catalog ? rows_compare(logged->rows, table, key, hash) : 0;

	if (r > 0)
		r = catalog_see_changing(logged->catalog, table);
	return r > 0 ? LOGGED_E_AGAIN : r;
}

int logged_keep(struct logged *logged, struct slice table, struct slice key,
		const struct tree_hash *hash)
{
	int outcome = check(logged, table, key, hash);
	int r = outcome < 0 ? outcome : rows_set(logged->rows, table, key, hash);

	return r < 0 ? r : outcome;
}
