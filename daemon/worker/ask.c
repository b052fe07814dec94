/*
 * The way of one question: for a login the code is exchanged for a token; the token is shown to the
 * wiki's profile; whoever that names becomes known to the database. The arena holds a copy of all
 * that the question needs, so that a reload on the way changes nothing.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/log.h"
#include "daemon/cases/person.h"
#include "daemon/worker/ask.h"
#include "daemon/worker/internal.h"
#include "daemon/worker/profile.h"

static struct ask *ask_of_fetch(struct fetch_call *call)
{
	return (struct ask *)(void *)((char *)call - offsetof(struct ask, fetch));
}

void ask_free(struct ask *ask)
{
	if (!ask)
		return;
	if (ask->form)
		crypto_wipe((char *)(uintptr_t)ask->form, strlen(ask->form));
	arena_free(ask->arena);
	free(ask->waiting);
	free(ask);
}

static struct ask *ask_new(struct identity *identity, const struct identity_wiki *wiki)
{
	struct ask *ask = calloc(1, sizeof(*ask));

	if (!ask || arena_new(&ask->arena) < 0) {
		free(ask);
		return NULL;
	}
	ask->identity = identity;
	ask->iss = arena_strdup(ask->arena, wiki->iss);
	ask->scope = arena_strdup(ask->arena, wiki->scope);
	ask->profile = arena_strdup(ask->arena, wiki->profile);
	if (ask->iss && ask->scope && ask->profile)
		return ask;
	ask_free(ask);
	return NULL;
}

struct ask *ask_new_check(struct identity *identity, const struct identity_wiki *wiki,
			  struct slice token)
{
	struct ask *ask = ask_new(identity, wiki);

	if (ask)
		ask->token = arena_strndup(ask->arena, token.at, token.length);
	if (ask && ask->token)
		return ask;
	ask_free(ask);
	return NULL;
}

/* One line, without its end. Read anew each time: it may be changed without a reload. */
static bool secret_read(const char *file, char ret_secret[WORKER_SECRET_SIZE_MAX + 1],
			struct slice *ret_slice)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, ret_secret, WORKER_SECRET_SIZE_MAX + 1);

	if (fd >= 0)
		(void)close(fd);
	while (n > 0 && (ret_secret[n - 1] == '\n' || ret_secret[n - 1] == '\r'))
		n--;
	if (n <= 0 || n > WORKER_SECRET_SIZE_MAX) {
		log_say(LOG_LEVEL_ERROR, "%s: the secret cannot be read, is empty or too long",
			file);
		return false;
	}
	*ret_slice = (struct slice){ ret_secret, (size_t)n };
	return true;
}

static void form_add(struct buffer *form, const char *name, struct slice value)
{
	buffer_printf(form, "%s%s=", form->length ? "&" : "", name);
	fetch_escape(form, value);
}

static int form_make(struct ask *ask, const struct identity_wiki *wiki,
		     const struct ipc_wiki_exchange *exchange, struct slice secret)
{
	CLEANUP(buffer_deinit) struct buffer form = BUFFER_NULL;

	form_add(&form, "grant_type", text_slice("authorization_code"));
	form_add(&form, "code", exchange->code);
	form_add(&form, "redirect_uri", exchange->redirect_uri);
	form_add(&form, "code_verifier", exchange->verifier);
	form_add(&form, "client_id", text_slice(wiki->login_client));
	form_add(&form, "client_secret", secret);
	if (buffer_finish(&form) < 0)
		return -ENOMEM;
	ask->form = arena_strdup(ask->arena, form.at);
	crypto_wipe(form.at, form.length);
	return ask->form ? 0 : -ENOMEM;
}

struct ask *ask_new_exchange(struct identity *identity, const struct identity_wiki *wiki,
			     const struct ipc_wiki_exchange *exchange)
{
	struct ask *ask = ask_new(identity, wiki);
	char secret[WORKER_SECRET_SIZE_MAX + 1];
	struct slice slice;
	bool is_good;

	if (!ask)
		return NULL;
	ask->is_exchange = true;
	ask->token_url = arena_strdup(ask->arena, wiki->access_token);
	is_good = ask->token_url && secret_read(wiki->secret_file, secret, &slice) &&
		  form_make(ask, wiki, exchange, slice) == 0;
	crypto_wipe(secret, sizeof(secret));
	if (is_good)
		return ask;
	ask_free(ask);
	return NULL;
}

static void end_away(struct ask *ask, unsigned retry_after_s)
{
	identity_answer(ask, &(struct ipc_wiki_answer){ .outcome = IPC_WIKI_AWAY,
							.retry_after_s = (uint16_t)retry_after_s });
}

static void end_refused(struct ask *ask)
{
	identity_answer(ask, &(struct ipc_wiki_answer){ .outcome = IPC_WIKI_REFUSED });
}

/* The person ------------------------------------------------------------------------------------
 */

static void person_send(struct ask *ask);

/* A renamed person's name is sealed once more, in the person's own unit. */
static void on_person(struct pg_call *call, const struct pg_answer *answer)
{
	struct ask *ask = (struct ask *)(void *)((char *)call - offsetof(struct ask, person));
	const char *unit = NULL;
	int r = answer->outcome == PG_DONE ? person_read_unit(ask->arena, answer, &unit) : -EIO;

	if (!r && unit && !ask->is_named_again && !ask->identity->is_ending) {
		ask->is_named_again = true;
		r = person_seal(ask->arena, ask->identity->worker->setup.sealer, unit,
				ask->answer.user_name, ask->params + 4);
		if (!r) {
			person_send(ask);
			return;
		}
	}
	if (r || unit)
		end_away(ask, 0);
	else
		identity_answer(ask, &ask->answer);
}

static struct pg_param bytes_param(const void *bytes, size_t length)
{
	return (struct pg_param){ .at = bytes, .length = (int)length, .is_binary = true };
}

/* Parameters of person_seen(): a hidden account has no name, and keeps the one it had. */
static int person_fill(struct ask *ask)
{
	const struct index_key *key = &ask->identity->worker->setup.index_key;
	struct slice scope = text_slice(ask->scope), name = ask->answer.user_name;
	uint8_t *indexes = arena_alloc(ask->arena, 3 * INDEX_SIZE);
	int r;

	if (!indexes)
		return -ENOMEM;
	for (size_t i = 0; i < ASK_PARAMS; i++)
		ask->params[i] = PG_NULL;
	r = index_of_id(key, text_slice(ask->iss), scope, ask->answer.id, indexes);
	ask->params[0] = bytes_param(indexes, INDEX_SIZE);
	if (!r)
		r = person_seal(ask->arena, ask->identity->worker->setup.sealer, NULL,
				name.at ? name : text_slice(""), ask->params + 4);
	if (r || !name.length)
		return r;
	r = index_of_name(key, ask->arena, scope, name, indexes + INDEX_SIZE);
	if (!r)
		r = index_of_skeleton(key, ask->arena, name, indexes + 2 * INDEX_SIZE);
	ask->params[1] = bytes_param(indexes + INDEX_SIZE, INDEX_SIZE);
	ask->params[2] = bytes_param(indexes + 2 * INDEX_SIZE, INDEX_SIZE);
	return r;
}

static void person_send(struct ask *ask)
{
	struct worker *worker = ask->identity->worker;

	ask->person = (struct pg_call){ .statement = &worker->table[STATEMENT_PERSON_SEEN],
					.params = ask->params,
					.lane = PG_LANE_BATCH,
					.lock_key = { ask->params[0].at, INDEX_SIZE },
					.deadline_ms = IDENTITY_WAIT_MS / 2,
					.done = on_person };
	if (pg_pool_submit(worker->pool, &ask->person) < 0)
		end_away(ask, 0);
}

/* A renamed person is known by the new name from here on. */
static void make_known(struct ask *ask)
{
	if (ask->identity->is_ending || person_fill(ask))
		end_away(ask, 0);
	else
		person_send(ask);
}

/* The wiki --------------------------------------------------------------------------------------
 */

/* What a call came to. A refusal is an answer too: the wiki is there. */
static int note(struct ask *ask, enum page_wiki_call call, int outcome,
		const struct fetch_reply *reply, int r)
{
	struct page_wiki *counters = &ask->identity->worker->setup.page->wiki;
	bool is_answer = !outcome && (r == 0 || r == PROFILE_E_REFUSED);

	wiki_count_end(counters, call, ask->asked_ms,
		       wiki_count_outcome(outcome, r == PROFILE_E_REFUSED, !is_answer));
	if (outcome)
		r = PROFILE_E_GARBAGE;
	if (!ask->identity->is_ending)
		identity_note(ask->identity, ask->iss, is_answer, reply->retry_after_s);
	return r;
}

static void request_send(struct ask *ask, enum page_wiki_call call,
			 const struct fetch_request *request,
			 void (*done)(struct fetch_call *call, int outcome,
				      const struct fetch_reply *reply))
{
	ask->fetch.done = done;
	if (ask->identity->client && fetch_start(ask->identity->client, request, &ask->fetch) == 0)
		ask->asked_ms = wiki_count_begin(&ask->identity->worker->setup.page->wiki, call);
	else
		end_away(ask, 0);
}

static void on_profile(struct fetch_call *call, int outcome, const struct fetch_reply *reply)
{
	struct ask *ask = ask_of_fetch(call);
	struct slice body = { reply->body.at, reply->body.length };
	int r = 0;

	if (!outcome)
		r = profile_read(ask->arena, reply->status, body, ask->scope, &ask->answer);
	r = note(ask, PAGE_WIKI_PROFILE, outcome, reply, r);
	if (r == PROFILE_E_REFUSED) {
		end_refused(ask);
		return;
	}
	if (r) {
		end_away(ask, reply->retry_after_s);
		return;
	}
	if (ask->is_exchange)
		ask->answer.token = text_slice(ask->token);
	make_known(ask);
}

static void profile_ask(struct ask *ask)
{
	const char *bearer = arena_printf(ask->arena, "Bearer %s", ask->token);
	const struct fetch_header headers[] = { { "Authorization", bearer },
						{ "Accept", "application/json" } };
	const struct fetch_request request = { .method = "GET",
					       .url = ask->profile,
					       .headers = headers,
					       .n_headers = ARRAY_SIZE(headers),
					       .body_max = PROFILE_SIZE_MAX,
					       .timeout_ms = IDENTITY_WAIT_MS };

	if (bearer)
		request_send(ask, PAGE_WIKI_PROFILE, &request, on_profile);
	else
		end_away(ask, 0);
}

static void on_token(struct fetch_call *call, int outcome, const struct fetch_reply *reply)
{
	struct ask *ask = ask_of_fetch(call);
	struct slice body = { reply->body.at, reply->body.length }, token = { NULL, 0 };
	int r = 0;

	if (!outcome)
		r = profile_read_access_token(ask->arena, reply->status, body, &token);
	r = note(ask, PAGE_WIKI_TOKEN, outcome, reply, r);
	if (r == PROFILE_E_REFUSED) {
		end_refused(ask);
	} else if (r) {
		end_away(ask, reply->retry_after_s);
	} else {
		ask->token = token.at;
		profile_ask(ask);
	}
}

static void token_ask(struct ask *ask)
{
	const struct fetch_header header = { "Accept", "application/json" };
	const struct fetch_request request = { .method = "POST",
					       .url = ask->token_url,
					       .headers = &header,
					       .n_headers = 1,
					       .body = ask->form,
					       .body_type = "application/x-www-form-urlencoded",
					       .body_max = PROFILE_SIZE_MAX,
					       .timeout_ms = IDENTITY_WAIT_MS };

	request_send(ask, PAGE_WIKI_TOKEN, &request, on_token);
}

void ask_run(struct ask *ask)
{
	if (ask->is_exchange)
		token_ask(ask);
	else
		profile_ask(ask);
}
