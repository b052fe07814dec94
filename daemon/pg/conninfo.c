/* Connection strings, read by libpq itself (PostgreSQL 15, section 34.1.1). */

#include <string.h>

#include <libpq-fe.h>

#include "daemon/pg/conninfo.h"

/**
 * pg_conninfo_find() - the value of a keyword, without what the environment or libpq would add
 * @text: appended to; nothing where the string does not say
 *
 * Return: 0, PG_CONNINFO_E_MALFORMED with libpq's words in @text, or -ENOMEM.
 */
int pg_conninfo_find(const char *conninfo, const char *keyword, struct buffer *text)
{
	char *why = NULL;
	PQconninfoOption *options = PQconninfoParse(conninfo, &why);

	if (!options) {
		buffer_append(text, why ? why : "", why ? strcspn(why, "\n") : 0);
		PQfreemem(why);
		return buffer_finish(text) < 0 ? -ENOMEM : PG_CONNINFO_E_MALFORMED;
	}
	for (const PQconninfoOption *at = options; at->keyword; at++)
		if (strcmp(at->keyword, keyword) == 0 && at->val)
			buffer_append_text(text, at->val);
	PQconninfoFree(options);
	return buffer_finish(text) < 0 ? -ENOMEM : 0;
}
