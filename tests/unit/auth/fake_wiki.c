/* Replaces wiki_check() and wiki_exchange(): keeps the question, so that a test reads and answers
 * it when it wants. */

#include "tests/unit/auth/fake_wiki.h"
#include "daemon/base/text.h"

#include <check.h>
#include <stdio.h>

static struct wiki_call *waiting;
static char kept_token[5000], kept_verifier[100], kept_redirect[300];
static bool is_privileged_kept;

static void keep(char *target, size_t size, struct slice text)
{
	ck_assert_uint_lt(text.length, size);
	snprintf(target, size, "%.*s", (int)text.length, text.length ? text.at : "");
}

void wiki_check(struct wiki *wiki, const struct issuer *issuer, struct slice jti,
		struct slice token, bool is_privileged, struct wiki_call *call)
{
	ck_assert_ptr_nonnull(wiki);
	ck_assert(issuer && jti.length && call->done);
	ck_assert_ptr_null(waiting);
	keep(kept_token, sizeof(kept_token), token);
	is_privileged_kept = is_privileged;
	waiting = call;
}

void wiki_exchange(struct wiki *wiki, const struct issuer *issuer, struct slice code,
		   struct slice verifier, struct slice redirect_uri, struct wiki_call *call)
{
	ck_assert_ptr_nonnull(wiki);
	ck_assert(issuer && call->done);
	ck_assert_ptr_null(waiting);
	keep(kept_token, sizeof(kept_token), code);
	keep(kept_verifier, sizeof(kept_verifier), verifier);
	keep(kept_redirect, sizeof(kept_redirect), redirect_uri);
	waiting = call;
}

struct wiki_call *fake_wiki_call(void)
{
	return waiting;
}

void fake_wiki_reset(void)
{
	waiting = NULL;
}

const char *fake_wiki_token(void)
{
	return kept_token;
}

const char *fake_wiki_verifier(void)
{
	return kept_verifier;
}

const char *fake_wiki_redirect(void)
{
	return kept_redirect;
}

bool fake_wiki_is_privileged(void)
{
	return is_privileged_kept;
}

void fake_wiki_answer(enum wiki_outcome outcome, const char *id, const char *user,
		      const char *token)
{
	struct wiki_identity identity = { .id = text_slice(id), .user_name = text_slice(user) };
	struct wiki_call *call = waiting;

	ck_assert_ptr_nonnull(call);
	waiting = NULL;
	call->retry_after_s = outcome == WIKI_AWAY ? 7 : 0;
	call->done(call, outcome, outcome == WIKI_LIVE ? &identity : NULL,
		   token ? text_slice(token) : (struct slice){ NULL, 0 });
}
