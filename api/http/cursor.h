#pragma once
/* Page cursors: the sort key of the last row and what the list was filtered by. */

#include "daemon/base/arena.h"

enum { CURSOR_KEYS_MAX = 4, CURSOR_TEXT_MAX = 512 };

enum { CURSOR_E_REFUSED = 1 }; /* malformed, of another list or filter: 400 */

/* `filter` names the list and all its filters, for example "cases" and each query value. */
int cursor_write(struct arena *arena, const struct slice *filter, size_t n_filter,
		 const struct slice *keys, size_t n_keys, char **ret_cursor);
/* Exactly n_keys keys are expected; they are NUL-terminated texts in the arena. */
int cursor_read(struct arena *arena, struct slice text, const struct slice *filter, size_t n_filter,
		size_t n_keys, struct slice *ret_keys);
