#pragma once
/* What a database is built of, as this program ships it, for comparing a bundle's lines with. */

#include "daemon/audit/rows.h"

struct catalog;

/* Lines of `catalog KIND SHA256 NAME`. Returns 0, -EINVAL for others, or negative. */
int catalog_new(const char *text, struct catalog **ret_catalog);
struct catalog *catalog_free(struct catalog *catalog);
/* As rows_see(). */
int catalog_see(struct catalog *catalog, struct slice kind, struct slice name,
		const struct tree_hash *hash);
uint64_t catalog_count_unseen(const struct catalog *catalog);
/* 0: rows of the table may say something else than before; ROWS_E_UNKNOWN: they never change; or
 * negative. */
int catalog_see_changing(struct catalog *catalog, struct slice table);
