#pragma once
/*
 * The head file: what this host last saw of the log, kept outside of the database, so that a
 * database that was rewritten or put back to an older state is found out.
 */

#include "daemon/audit/note.h"

enum {
	HEAD_E_ABSENT = 1,
	HEAD_E_BROKEN, /* not what head_store() writes */
};

/* 0, HEAD_E_ABSENT, HEAD_E_BROKEN, or -errno. */
int head_load(const char *path, struct checkpoint *ret_head);
/* Either the old head or the new one is there, whenever the machine stops. 0 or -errno. */
int head_store(const char *path, const struct checkpoint *head);
