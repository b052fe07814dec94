#pragma once
/* A wiki that does what the test says: it stands in for the questions of api/auth/wiki. */

#include "api/auth/wiki.h"

/* The question that was asked and not yet answered, or NULL. */
struct wiki_call *fake_wiki_call(void);
void fake_wiki_reset(void);
/* What the last question said: a token, or the code, verifier and redirect_uri of an exchange. */
const char *fake_wiki_token(void);
const char *fake_wiki_verifier(void);
const char *fake_wiki_redirect(void);
bool fake_wiki_is_privileged(void);
/* `id` and `user` make the identity where the outcome is WIKI_LIVE; `token` is of an exchange. */
void fake_wiki_answer(enum wiki_outcome outcome, const char *id, const char *user,
		      const char *token);
