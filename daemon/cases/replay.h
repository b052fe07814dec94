#pragma once
/* A receipt kept for the replay of its report: sealed under the client's own key, which nobody
 * stores. */

#include "daemon/base/arena.h"

enum { REPLAY_E_MALFORMED = 1 };

/* `key`: the Idempotency-Key; `scope`: the hash it counts under, which the seal is bound to. */
int replay_seal(struct arena *arena, struct slice key, struct slice scope, struct slice text,
		struct slice *ret_sealed);
/* `hex` as the database gives it; *ret_text is NUL-terminated, in the arena. */
int replay_open(struct arena *arena, struct slice key, struct slice scope, struct slice hex,
		struct slice *ret_text);
