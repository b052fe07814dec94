/*
 * Parts by kind and name. Which tables have rows that change is in their triggers: one that logs
 * what an update says stands on each of them, and on no other.
 */

#include "daemon/audit/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/codec.h"
#include "daemon/base/text.h"

struct catalog {
	struct rows *parts;
	struct rows *changing;
};

static const struct slice table_kind = { "table", 5 };

/* "conduct.TABLE.TABLE_changes_are_logged" */
static int keep_changing(struct catalog *catalog, struct slice kind, struct slice name)
{
	static const char end[] = "_changes_are_logged";
	const struct tree_hash none = { { 0 } };
	const char *first = memchr(name.at, '.', name.length);
	struct slice table;

	if (!text_equals(kind, text_slice("trigger")) || !first || name.length < sizeof(end) ||
	    memcmp(name.at + name.length - (sizeof(end) - 1), end, sizeof(end) - 1) != 0)
		return 0;
	table.at = first + 1;
	table.length = strcspn(table.at, ".");
	return rows_set(catalog->changing, table_kind, table, &none);
}

/* One line without its end: "catalog KIND SHA256 NAME". */
static int keep(struct catalog *catalog, struct slice line)
{
	static const char start[] = "catalog ";
	struct slice kind = { line.at + sizeof(start) - 1, 0 }, name;
	struct tree_hash hash;
	size_t length;
	int r;

	if (line.length < sizeof(start) || memcmp(line.at, start, sizeof(start) - 1) != 0)
		return -EINVAL;
	kind.length = strcspn(kind.at, " \n");
	length = sizeof(start) - 1 + kind.length + 1;
	if (line.length <= length + 2 * TREE_HASH_SIZE + 1)
		return -EINVAL;
	name = (struct slice){ line.at + length + 2 * TREE_HASH_SIZE + 1,
			       line.length - length - 2 * TREE_HASH_SIZE - 1 };
	if (codec_hex_decode((struct slice){ line.at + length, 2 * TREE_HASH_SIZE }, hash.at,
			     TREE_HASH_SIZE, &length))
		return -EINVAL;
	r = rows_set(catalog->parts, kind, name, &hash);
	return r ? r : keep_changing(catalog, kind, name);
}

int catalog_new(const char *text, struct catalog **ret_catalog)
{
	struct catalog *catalog = calloc(1, sizeof(*catalog));
	int r = catalog ? rows_new(&catalog->parts) : -ENOMEM;

	if (r == 0)
		r = rows_new(&catalog->changing);
	while (r == 0 && *text) {
		size_t length = strcspn(text, "\n");

		r = keep(catalog, (struct slice){ text, length });
		text += length + (text[length] == '\n');
	}
	if (r) {
		catalog_free(catalog);
		return r;
	}
	*ret_catalog = catalog;
	return 0;
}

struct catalog *catalog_free(struct catalog *catalog)
{
	if (catalog) {
		rows_free(catalog->parts);
		rows_free(catalog->changing);
	}
	free(catalog);
	return NULL;
}

int catalog_see(struct catalog *catalog, struct slice kind, struct slice name,
		const struct tree_hash *hash)
{
	return rows_see(catalog->parts, kind, name, hash);
}

uint64_t catalog_count_unseen(const struct catalog *catalog)
{
	return rows_count_unseen(catalog->parts);
}

int catalog_see_changing(struct catalog *catalog, struct slice table)
{
	const struct tree_hash none = { { 0 } };

	int r = rows_see(catalog->changing, table_kind, table, &none);

	return r == ROWS_E_AGAIN ? 0 : r;
}
