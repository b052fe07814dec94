#pragma once
/* The policy as it was rendered: for a wiki and a chain of languages, of one set. */

#include "api/http/shared.h"
#include "policy/set.h"

struct policy_cache;

int policy_cache_new(struct policy_cache **ret_cache);
struct policy_cache *policy_cache_free(struct policy_cache *cache);
/* Another set is in use: nothing of the last one may be answered any more. */
void policy_cache_clear(struct policy_cache *cache);

/* A question as it was asked; at NULL is not the same as empty. */
struct policy_question {
	struct slice wiki;
	struct slice lang;
	struct slice accept;
};

/* What was rendered for this very question; NULL: nobody knows. Borrowed. */
struct shared *policy_cache_find(const struct policy_cache *cache,
				 const struct policy_question *question);
/* What another question got that meant the same; and then the question's as well. */
int policy_cache_render(struct policy_cache *cache, const struct policy_set *set,
			const struct policy_wiki *wiki, const struct policy_chain *chain,
			const struct policy_question *question, struct shared **ret_shared);
