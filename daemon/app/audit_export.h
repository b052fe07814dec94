#pragma once
/* Writing a bundle (daemon/audit/bundle.h) from a database. */

#include <stdio.h>

#include "daemon/pg/session.h"

enum { AUDIT_EXPORT_E_DATABASE = 1, AUDIT_EXPORT_E_FILE };

/* Everything as of one moment. 0, AUDIT_EXPORT_E_DATABASE (the session says why),
 * AUDIT_EXPORT_E_FILE (errno says why), or negative. */
int audit_export(struct pg_session *session, FILE *file);
