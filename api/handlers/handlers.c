/*
 * The services of one web process, and the published policy that it holds in memory. A set is
 * swapped whole; a handler uses the one it finds within one call, and never keeps it.
 */

#include "api/handlers/handlers.h"
#include "api/auth/people.h"
#include "api/handlers/origins.h"
#include "api/handlers/policy_cache.h"
#include "daemon/base/text.h"
#include "daemon/cases/call.h"

#include <stdlib.h>
#include <string.h>

struct handlers_account {
	uint8_t name_ix[INDEX_SIZE];
	uint8_t id_ix[INDEX_SIZE];
};

struct policy_load {
	struct call call;
	struct handlers *handlers;
	struct arena *arena;
	void (*done)(void *context, int outcome);
	void *context;
};

static int begin_load(struct handlers *handlers, void (*done)(void *context, int outcome),
		      void *context);

static int compare_accounts(const void *a, const void *b)
{
	return memcmp(((const struct handlers_account *)a)->name_ix,
		      ((const struct handlers_account *)b)->name_ix, INDEX_SIZE);
}

static bool find_account(const void *userdata, const uint8_t name_ix[INDEX_SIZE],
			 uint8_t ret_id_ix[INDEX_SIZE])
{
	const struct handlers *handlers = userdata;
	struct handlers_account key;
	const struct handlers_account *account;

	if (!handlers->n_accounts)
		return false;
	memcpy(key.name_ix, name_ix, INDEX_SIZE);
	account = bsearch(&key, handlers->accounts, handlers->n_accounts, sizeof(key),
			  compare_accounts);
	if (account)
		memcpy(ret_id_ix, account->id_ix, INDEX_SIZE);
	return account;
}

static int add_people(struct handlers *handlers, const struct index_key *key,
		      const struct issuer *issuer, struct arena *arena)
{
	struct slice iss = text_slice(issuer->iss), scope = text_slice(issuer->scope);
	size_t n = people_count(issuer->people);
	struct handlers_account *accounts;
	int r = 0;

	accounts = realloc(handlers->accounts, (handlers->n_accounts + n + 1) * sizeof(*accounts));
	if (!accounts)
		return -ENOMEM;
	handlers->accounts = accounts;
	for (size_t i = 0; !r && i < n; i++) {
		const struct person *person = people_at(issuer->people, i);
		struct handlers_account *account = &accounts[handlers->n_accounts];

		r = index_of_name(key, arena, scope, text_slice(person->user), account->name_ix);
		if (!r)
			r = index_of_id(key, iss, scope, text_slice(person->id), account->id_ix);
		if (!r)
			handlers->n_accounts++;
	}
	return r > 0 ? -EINVAL : r;
}

/* Ready but for the policy, which handlers_load_policy() brings. */
int handlers_init(struct handlers *handlers, struct pg_pool *pool, const struct index_key *key,
		  struct sealer *sealer, const struct issuer_table *issuers)
{
	struct handlers made = { .pool = pool, .sealer = sealer };
	struct arena *arena = NULL;
	int r;

	r = arena_new(&arena);
	if (!r)
		r = policy_cache_new(&made.cache);
	for (size_t i = 0; !r && i < issuers->n_issuers; i++)
		if (issuers->issuers[i].people)
			r = add_people(&made, key, &issuers->issuers[i], arena);
	arena_free(arena);
	if (r) {
		policy_cache_free(made.cache);
		free(made.accounts);
		return r;
	}
	if (made.n_accounts)
		qsort(made.accounts, made.n_accounts, sizeof(*made.accounts), compare_accounts);
	*handlers = made;
	handlers->issuers = issuers;
	handlers->names = (struct names){ .key = key, .find = find_account, .userdata = handlers };
	handlers->names = handlers_names_of(handlers, (struct slice){ NULL, 0 });
	return 0;
}

static bool has_wiki(const struct issuer *issuer, struct slice wiki)
{
	for (size_t i = 0; wiki.length && i < issuer->n_wikis; i++)
		if (text_equals(text_slice(issuer->wikis[i]), wiki))
			return true;
	return false;
}

/* The issuer that lists the wiki; else the first that lists none; else the first. */
struct names handlers_names_of(const struct handlers *handlers, struct slice wiki)
{
	const struct issuer_table *table = handlers->issuers;
	struct names names = handlers->names;
	const struct issuer *found = NULL;

	for (size_t i = 0; i < table->n_issuers; i++) {
		const struct issuer *issuer = &table->issuers[i];

		if (has_wiki(issuer, wiki)) {
			found = issuer;
			break;
		}
		if (!found && !issuer->n_wikis)
			found = issuer;
	}
	if (!found && table->n_issuers)
		found = &table->issuers[0];
	names.scope = text_slice(found ? found->scope : "");
	return names;
}

void handlers_deinit(struct handlers *handlers)
{
	policy_cache_free(handlers->cache);
	origins_free(handlers->origins);
	policy_set_unref(handlers->policy);
	free(handlers->accounts);
	*handlers = (struct handlers)HANDLERS_NULL;
}

/* From here on handlers see `set`, whose count is handed over. */
void handlers_swap_policy_take(struct handlers *handlers, struct policy_set *set)
{
	struct origins *origins = NULL;

	/* Without memory for them no page of a wiki is let in until the next set. */
	if (set)
		(void)origins_new(set, &origins);
	origins_free(handlers->origins);
	handlers->origins = origins;
	policy_cache_clear(handlers->cache);
	policy_set_unref(handlers->policy);
	handlers->policy = set;
}

bool handlers_know_origin(void *application, struct slice origin)
{
	return origins_have(((const struct handlers *)application)->origins, origin);
}

/* Under another index key nobody is recognised, and nobody recused. */
static bool is_of_index_key(const struct handlers *handlers, const struct value *body)
{
	char deployment[TEXT_UUID_LENGTH + 1];

	text_write_uuid(deployment, handlers->sealer->intake.deployment);
	return index_key_is_marked(handlers->names.key, deployment,
				   value_text(value_get(body, "index_mark")));
}

static int read_policy(struct handlers *handlers, const struct call_answer *answer)
{
	CLEANUP(policy_errors_deinit) struct policy_errors errors = { 0 };
	struct policy_set *set = NULL;
	struct slice canonical;
	int r;

	if (answer->status == 404)
		return HANDLERS_E_ABSENT;
	if (answer->status != 200)
		return HANDLERS_E_UNAVAILABLE;
	handlers->sealer->is_foreign = !is_of_index_key(handlers, answer->body);
	if (handlers->sealer->is_foreign)
		return HANDLERS_E_INDEX_KEY;
	canonical = value_text(value_get(answer->body, "canonical"));
	if (!canonical.at)
		return HANDLERS_E_UNREADABLE;
	r = policy_set_read(canonical, &set, &errors);
	if (r)
		return r < 0 ? r : HANDLERS_E_UNREADABLE;
	handlers_swap_policy_take(handlers, set);
	return 0;
}

static void finish_load(struct call *call, const struct call_answer *answer)
{
	struct policy_load *load = call->userdata;
	struct handlers *handlers = load->handlers;
	void (*done)(void *context, int outcome) = load->done;
	void *context = load->context;
	int outcome = read_policy(handlers, answer);

	handlers->load = NULL;
	arena_free(load->arena);
	if (handlers->must_load_again && !handlers->is_closing) {
		handlers->must_load_again = false;
		outcome = begin_load(handlers, done, context);
		if (!outcome)
			return;
	}
	done(context, outcome);
}

static int begin_load(struct handlers *handlers, void (*done)(void *context, int outcome),
		      void *context)
{
	struct arena *arena = NULL;
	struct policy_load *load;
	int r;

	r = arena_new(&arena);
	if (r)
		return r;
	load = arena_alloc(arena, sizeof(*load));
	if (!load) {
		arena_free(arena);
		return -ENOMEM;
	}
	load->handlers = handlers;
	load->arena = arena;
	load->done = done;
	load->context = context;
	call_init(&load->call, arena, STATEMENT_POLICY_CURRENT, PG_LANE_READ);
	r = call_submit(&load->call, handlers->pool, finish_load, load);
	if (r) {
		arena_free(arena);
		return r;
	}
	handlers->load = load;
	return 0;
}

int handlers_load_policy(struct handlers *handlers, void (*done)(void *context, int outcome),
			 void *context)
{
	if (!handlers->load)
		return begin_load(handlers, done, context);
	handlers->must_load_again = true;
	handlers->load->done = done;
	handlers->load->context = context;
	return 1;
}
