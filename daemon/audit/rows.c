/*
 * A hash table of rows, known by a hash of their names: a bundle may tell of millions, and of each
 * 64 bytes are kept. Linear probing; never more than half full; nothing is ever removed.
 */

#include "daemon/audit/rows.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/crypto/crypto.h"

enum { ROWS_FIRST = 1024 };

struct row {
	bool is_used;
	bool is_seen;
	struct tree_hash name;
	struct tree_hash hash;
};

struct rows {
	struct row *at;
	size_t capacity; /* a power of two */
	size_t n;
};

int rows_new(struct rows **ret_rows)
{
	struct rows *rows = calloc(1, sizeof(*rows));

	if (rows)
		rows->at = calloc(ROWS_FIRST, sizeof(*rows->at));
	if (!rows || !rows->at) {
		rows_free(rows);
		return -ENOMEM;
	}
	rows->capacity = ROWS_FIRST;
	*ret_rows = rows;
	return 0;
}

struct rows *rows_free(struct rows *rows)
{
	if (rows)
		free(rows->at);
	free(rows);
	return NULL;
}

static int name_of(struct slice table, struct slice key, struct tree_hash *ret_name)
{
	const struct slice parts[] = { table, { " ", 1 }, key };

	return crypto_sha256_parts(parts, ARRAY_SIZE(parts), ret_name->at);
}

/* Where the name is, or would be. */
static struct row *find(struct row *rows, size_t capacity, const struct tree_hash *name)
{
	uint64_t start;
	size_t at;

	memcpy(&start, name->at, sizeof(start));
	at = (size_t)start & (capacity - 1);
	while (rows[at].is_used && !tree_hash_equals(&rows[at].name, name))
		at = (at + 1) & (capacity - 1);
	return &rows[at];
}

static int grow(struct rows *rows)
{
	size_t capacity = rows->capacity * 2;
	struct row *at = calloc(capacity, sizeof(*at));

	if (!at)
		return -ENOMEM;
	for (size_t i = 0; i < rows->capacity; i++)
		if (rows->at[i].is_used)
			*find(at, capacity, &rows->at[i].name) = rows->at[i];
	free(rows->at);
	rows->at = at;
	rows->capacity = capacity;
	return 0;
}

static int set(struct rows *rows, struct slice table, struct slice key,
	       const struct tree_hash *hash, bool is_seen)
{
	struct tree_hash name;
	struct row *row;
	int r = name_of(table, key, &name);

	if (r == 0 && rows->n * 2 >= rows->capacity)
		r = grow(rows);
	if (r)
		return r;
	row = find(rows->at, rows->capacity, &name);
	if (!row->is_used)
		rows->n++;
	row->is_used = true;
	row->name = name;
	row->hash = *hash;
	row->is_seen = is_seen;
	return 0;
}

/* Returns 0 or negative. */
int rows_set(struct rows *rows, struct slice table, struct slice key, const struct tree_hash *hash)
{
	return set(rows, table, key, hash, false);
}

/* No row has a hash of zeros. Returns 0 or negative. */
int rows_drop(struct rows *rows, struct slice table, struct slice key)
{
	const struct tree_hash none = { { 0 } };

	return set(rows, table, key, &none, true);
}

int rows_compare(const struct rows *rows, struct slice table, struct slice key,
		 const struct tree_hash *hash)
{
	const struct tree_hash none = { { 0 } };
	const struct row *row;
	struct tree_hash name;
	int r = name_of(table, key, &name);

	if (r)
		return r;
	row = find(rows->at, rows->capacity, &name);
	return !row->is_used || tree_hash_equals(&row->hash, &none) ||
			       tree_hash_equals(&row->hash, hash)
		       ? 0
		       : ROWS_E_OTHER;
}

int rows_see(struct rows *rows, struct slice table, struct slice key, const struct tree_hash *hash)
{
	struct tree_hash name;
	struct row *row;
	bool was_seen;
	int r = name_of(table, key, &name);

	if (r)
		return r;
	row = find(rows->at, rows->capacity, &name);
	if (!row->is_used)
		return ROWS_E_UNKNOWN;
	was_seen = row->is_seen;
	row->is_seen = true;
	if (!tree_hash_equals(&row->hash, hash))
		return ROWS_E_OTHER;
	return was_seen ? ROWS_E_AGAIN : 0;
}

int rows_name(struct rows *rows, struct slice table, struct slice key)
{
	struct tree_hash name;
	struct row *row;
	bool was_unseen;
	int r = name_of(table, key, &name);

	if (r)
		return r;
	row = find(rows->at, rows->capacity, &name);
	was_unseen = row->is_used && !row->is_seen;
	if (was_unseen)
		row->is_seen = true;
	return was_unseen ? ROWS_E_UNSEEN : 0;
}

uint64_t rows_count_unseen(const struct rows *rows)
{
	uint64_t n = 0;

	for (size_t i = 0; i < rows->capacity; i++)
		n += rows->at[i].is_used && !rows->at[i].is_seen;
	return n;
}
