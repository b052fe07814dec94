#pragma once
/* What a bundle's entries say of rows, and whether one may say something else than one before. */

#include "daemon/audit/catalog.h"

struct logged {
	struct rows *rows;
	struct catalog *catalog; /* NULL: everything may change */
};

enum { LOGGED_E_AGAIN = 1 };

int logged_init(struct logged *logged, const char *catalog);
void logged_deinit(struct logged *logged);
/* The row is kept in any case; returns 0, LOGGED_E_AGAIN where it was logged with another hash
 * before and never changes, or negative. */
int logged_keep(struct logged *logged, struct slice table, struct slice key,
		const struct tree_hash *hash);
