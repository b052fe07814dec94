#pragma once
/* The schema that is built in, and the one a database has. */

#include "daemon/base/error.h"
#include "daemon/pg/session.h"

enum {
	SCHEMA_E_FAILED = 1, /* the session says why; nothing of the failed step is stored */
	SCHEMA_E_CHANGED,    /* an applied migration's text differs: migrations are frozen */
	SCHEMA_E_AHEAD,      /* the database has migrations that this program does not know */
};

struct schema_report {
	/* Called once for each script that was applied. */
	void (*applied)(void *userdata, const char *name);
	void *userdata;
	const char *failed; /* the script at fault, where one is */
};

int schema_migrate(struct pg_session *session, bool is_superuser, struct schema_report *report);
