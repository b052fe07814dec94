#pragma once
/* What a wiki's /oauth2/resource/profile and /oauth2/access_token answered. */

#include "daemon/base/arena.h"
#include "daemon/ipc/wiki.h"

enum { PROFILE_SIZE_MAX = 64 * 1024 };

enum {
	PROFILE_E_REFUSED = 1, /* the wiki knows the request and says no */
	PROFILE_E_GARBAGE,     /* nothing that could be believed, a failure of the wiki included */
};

/* Texts are the arena's. `scope`: of the central ids. 0, PROFILE_E_… or negative. */
int profile_read(struct arena *arena, long status, struct slice body, const char *scope,
		 struct ipc_wiki_answer *ret_answer);
int profile_read_access_token(struct arena *arena, long status, struct slice body,
			      struct slice *ret_token);
