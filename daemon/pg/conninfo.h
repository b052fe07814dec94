#pragma once
/* What a connection string of libpq says. */

#include "daemon/base/buffer.h"

enum { PG_CONNINFO_E_MALFORMED = 1 };

int pg_conninfo_find(const char *conninfo, const char *keyword, struct buffer *text);
