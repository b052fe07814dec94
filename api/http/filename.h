#pragma once
/* Names of files, as clients send them and as they get them back. */

#include "daemon/base/arena.h"

enum { FILENAME_POINTS_MAX = 200 };

/*
 * Conduct-Filename: UTF-8, percent-encoded. *ret_name is in the arena, NUL-terminated, never empty:
 * without folders, controls, marks that turn the direction of text, and what file systems refuse.
 * False: the header is no such text. Negative: memory.
 */
enum { FILENAME_E_MALFORMED = 1 };
int filename_read(struct arena *arena, struct slice header, struct slice *ret_name);
/* Content-Disposition: an attachment of that name (RFC 6266, RFC 8187). In the arena. */
int filename_write(struct arena *arena, struct slice name, const char **ret_disposition);
