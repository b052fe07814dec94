#pragma once
/* Inside signing in: how a session is opened. */

#include "api/auth/session.h"
#include "daemon/cases/call.h"
#include "daemon/keys/index.h"

struct exchange;

/* `id_ix` is copied; `origin` (at NULL for a cookie) and `from` are borrowed until done(), which
 * gets {seconds, ends_at} with 201, or a refusal. 0 or negative. */
int auth_open_session(struct exchange *exchange, const struct session_secret *secret,
		      enum session_kind kind, const struct session_content *content,
		      const uint8_t *id_ix, struct slice origin, struct slice from,
		      void (*done)(struct call *call, const struct call_answer *answer),
		      void *userdata);
