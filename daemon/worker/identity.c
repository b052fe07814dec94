/*
 * Questions of web processes about wiki accounts. Equal ones go to the wiki once; a good answer
 * makes the person known, under the name of the day, before anybody hears of it; a wiki that fails
 * several times in a row, or says that it has enough, is left alone for a while. Every question is
 * answered, by IPC_WIKI_AWAY if nothing better is known.
 */

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/log.h"
#include "daemon/worker/ask.h"
#include "daemon/worker/internal.h"

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Where to ask -----------------------------------------------------------------------------------
 */

static struct identity_wiki *find_wiki(struct identity *identity, struct slice iss)
{
	for (size_t i = 0; i < identity->n_wikis; i++)
		if (strlen(identity->wikis[i].iss) == iss.length &&
		    memcmp(identity->wikis[i].iss, iss.at, iss.length) == 0)
			return &identity->wikis[i];
	return NULL;
}

/* Seconds until the wiki is asked again, rounded up; 0: now. */
static unsigned away_s(const struct identity_wiki *wiki)
{
	int64_t left = wiki->away_until_ms - now_ms();

	return left > 0 ? (unsigned)((left + 999) / 1000) : 0;
}

static bool is_left_alone(const struct identity *identity, const struct identity_wiki *wiki)
{
	if (away_s(wiki) == 0)
		return false;
	atomic_fetch_add(&identity->worker->setup.page->wiki.n_left_alone, 1);
	return true;
}

/* The one place where a wiki's standing changes; found by name, because a reload makes new rows. */
void identity_note(struct identity *identity, const char *iss, bool is_answer,
		   unsigned retry_after_s)
{
	struct identity_wiki *wiki = find_wiki(identity, (struct slice){ iss, strlen(iss) });
	int64_t pause_ms = (int64_t)retry_after_s * 1000;

	if (!wiki)
		return;
	if (is_answer) {
		wiki->n_failures = 0;
		return;
	}
	if (wiki->n_failures < 16)
		wiki->n_failures++;
	if (!pause_ms && wiki->n_failures >= IDENTITY_AWAY_AFTER)
		pause_ms = (int64_t)IDENTITY_AWAY_MS << (wiki->n_failures - IDENTITY_AWAY_AFTER);
	if (pause_ms > IDENTITY_AWAY_MAX_MS)
		pause_ms = IDENTITY_AWAY_MAX_MS;
	if (pause_ms && away_s(wiki) == 0) {
		const struct log_field field = { "conductd.issuer", wiki->name, 0 };

		log_event(LOG_LEVEL_WARN, "a wiki does not answer and is left alone for a while",
			  &field, 1);
	}
	if (pause_ms)
		wiki->away_until_ms = now_ms() + pause_ms;
}

/* Peers ------------------------------------------------------------------------------------------
 */

static void reply(struct ipc_channel *channel, const struct ipc_message *message,
		  const struct ipc_wiki_answer *answer)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;

	ipc_wiki_write_answer(&buffer, answer);
	if (buffer_finish(&buffer) == 0)
		(void)ipc_channel_reply(channel, message, IPC_TYPE_WIKI_ANSWER,
					(struct slice){ buffer.at, buffer.length });
}

static void reply_away(struct ipc_channel *channel, const struct ipc_message *message,
		       unsigned retry_after_s)
{
	reply(channel, message,
	      &(struct ipc_wiki_answer){ .outcome = IPC_WIKI_AWAY,
					 .retry_after_s = (uint16_t)retry_after_s });
}

/* Answers everybody who waits and ends the question. */
void identity_answer(struct ask *ask, const struct ipc_wiki_answer *answer)
{
	struct ask **at = &ask->identity->asks;

	while (*at != ask)
		at = &(*at)->next;
	*at = ask->next;
	ask->identity->n_asks--;
	for (size_t i = 0; i < ask->n_waiting; i++) {
		const struct ipc_message message = { .id = ask->waiting[i].id };

		if (ask->waiting[i].channel)
			reply(ask->waiting[i].channel, &message, answer);
	}
	if (ask->identity->retired)
		event_active(ask->identity->sweep, EV_TIMEOUT, 0);
	ask_free(ask);
}

static bool ask_join(struct ask *ask, struct ipc_channel *channel,
		     const struct ipc_message *message)
{
	struct waiting *more;

	more = realloc(ask->waiting, (ask->n_waiting + 1) * sizeof(*more));
	if (!more)
		return false;
	ask->waiting = more;
	more[ask->n_waiting++] = (struct waiting){ channel, message->id };
	return true;
}

static struct ask *find_check(struct identity *identity, const uint8_t *key)
{
	for (struct ask *at = identity->asks; at; at = at->next)
		if (!at->is_exchange && memcmp(at->key, key, sizeof(at->key)) == 0)
			return at;
	return NULL;
}

/* Takes the question in, or answers it at once. `ask` is consumed. */
static void ask_start(struct identity *identity, struct ask *ask, struct ipc_channel *channel,
		      const struct ipc_message *message)
{
	if (!ask || !ask_join(ask, channel, message)) {
		ask_free(ask);
		reply_away(channel, message, 0);
		return;
	}
	ask->next = identity->asks;
	identity->asks = ask;
	identity->n_asks++;
	ask_run(ask);
}

static void take_check(struct identity *identity, struct ipc_channel *channel,
		       const struct ipc_message *message, const struct ipc_wiki_check *check)
{
	struct identity_wiki *wiki = find_wiki(identity, check->iss);
	const struct slice parts[] = { check->iss, { "", 1 }, check->token };
	uint8_t key[CRYPTO_SHA256_SIZE];
	struct ask *ask;

	if (!wiki || is_left_alone(identity, wiki) ||
	    crypto_sha256_parts(parts, ARRAY_SIZE(parts), key)) {
		reply_away(channel, message, wiki ? away_s(wiki) : 0);
		return;
	}
	ask = find_check(identity, key);
	if (ask) {
		atomic_fetch_add(&identity->worker->setup.page->wiki.n_joined, 1);
		if (!ask_join(ask, channel, message))
			reply_away(channel, message, 0);
		return;
	}
	ask = identity->n_asks < IDENTITY_ASK_LIMIT ? ask_new_check(identity, wiki, check->token)
						    : NULL;
	if (ask)
		memcpy(ask->key, key, sizeof(key));
	ask_start(identity, ask, channel, message);
}

static void take_exchange(struct identity *identity, struct ipc_channel *channel,
			  const struct ipc_message *message,
			  const struct ipc_wiki_exchange *exchange)
{
	struct identity_wiki *wiki = find_wiki(identity, exchange->iss);

	if (!wiki || is_left_alone(identity, wiki) || !wiki->login_client ||
	    identity->n_asks >= IDENTITY_ASK_LIMIT) {
		reply_away(channel, message, wiki ? away_s(wiki) : 0);
		return;
	}
	ask_start(identity, ask_new_exchange(identity, wiki, exchange), channel, message);
}

static void on_message(struct ipc_channel *channel, struct ipc_message *message, void *userdata)
{
	struct identity *identity = userdata;
	struct ipc_wiki_check check;
	struct ipc_wiki_exchange exchange;

	if (message->descriptor >= 0)
		(void)close(message->descriptor);
	if (message->type == IPC_TYPE_WIKI_CHECK &&
	    ipc_wiki_read_check(message->payload, &check) == 0)
		take_check(identity, channel, message, &check);
	else if (message->type == IPC_TYPE_WIKI_EXCHANGE &&
		 ipc_wiki_read_exchange(message->payload, &exchange) == 0)
		take_exchange(identity, channel, message, &exchange);
	else if (message->type == IPC_TYPE_PING)
		(void)ipc_channel_reply(channel, message, IPC_TYPE_PONG, message->payload);
	else
		reply_away(channel, message, 0);
}

static void on_closed(struct ipc_channel *channel, const char *why, void *userdata)
{
	struct identity *identity = userdata;

	for (struct ask *ask = identity->asks; ask; ask = ask->next)
		for (size_t i = 0; i < ask->n_waiting; i++)
			if (ask->waiting[i].channel == channel)
				ask->waiting[i].channel = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(identity->peers); i++)
		if (identity->peers[i] == channel)
			identity->peers[i] = ipc_channel_free(channel);
}

void identity_add_peer(struct identity *identity, int fd)
{
	const struct ipc_setup setup = { .base = identity->worker->setup.base,
					 .fd = fd,
					 .on_message = on_message,
					 .on_closed = on_closed,
					 .userdata = identity };

	for (size_t i = 0; i < ARRAY_SIZE(identity->peers); i++) {
		if (identity->peers[i])
			continue;
		if (ipc_channel_new(&setup, &identity->peers[i]) < 0)
			log_say(LOG_LEVEL_ERROR, "a channel could not be opened");
		return;
	}
	(void)close(fd);
	log_say(LOG_LEVEL_ERROR, "more channels than web processes");
}

/* Terms ------------------------------------------------------------------------------------------
 */

/* Clients of former terms go when their last call has ended. */
static void on_sweep(int fd, short what, void *userdata)
{
	struct identity *identity = userdata;

	if (identity->retired && fetch_client_is_idle(identity->retired))
		identity->retired = fetch_client_free(identity->retired);
}

int identity_client_new(const struct worker *worker, const char *const *urls, size_t n_urls,
			struct fetch_client **ret_client)
{
	char user_agent[512];
	const struct fetch_client_setup setup = {
		.base = worker->setup.base, .user_agent = user_agent, .urls = urls, .n_urls = n_urls
	};

	(void)snprintf(user_agent, sizeof(user_agent), "conductd/%s (%s)", worker->setup.version,
		       worker->setup.terms.contact);
	return fetch_client_new(&setup, ret_client);
}

static int client_make(const struct identity *identity, struct fetch_client **ret_client)
{
	const struct worker_terms *terms = &identity->worker->setup.terms;
	const char *urls[3 * IDENTITY_WIKI_LIMIT];
	size_t n_urls = 0;

	for (size_t i = 0; i < terms->n_wikis; i++) {
		const struct worker_wiki *wiki = &terms->wikis[i];

		urls[n_urls++] = wiki->profile;
		if (*wiki->access_token)
			urls[n_urls++] = wiki->access_token;
		if (*wiki->api)
			urls[n_urls++] = wiki->api;
	}
	return identity_client_new(identity->worker, urls, n_urls, ret_client);
}

/* Calls go on over a reload. Of two that change who is asked, the second cuts short those from
 * before the first. */
static void client_change_take(struct identity *identity, struct fetch_client *client)
{
	if (client && identity->client && fetch_client_equals(client, identity->client)) {
		fetch_client_free(client);
		return;
	}
	fetch_client_free(identity->retired);
	identity->retired = identity->client;
	identity->client = client;
}

void identity_reload(struct identity *identity)
{
	const struct worker_terms *terms = &identity->worker->setup.terms;
	struct fetch_client *client = NULL;
	int r = terms->n_wikis ? client_make(identity, &client) : 0;

	client_change_take(identity, client);
	identity->n_wikis = 0;
	if (r < 0)
		log_say(LOG_LEVEL_ERROR, "no wiki can be asked: %s", strerror(-r));
	for (size_t i = 0; r == 0 && i < terms->n_wikis; i++)
		identity->wikis[identity->n_wikis++] = (struct identity_wiki){
			.name = terms->wikis[i].name,
			.iss = terms->wikis[i].iss,
			.scope = terms->wikis[i].scope,
			.profile = terms->wikis[i].profile,
			.access_token = terms->wikis[i].access_token,
			.login_client = terms->wikis[i].login_client,
			.secret_file = terms->wikis[i].secret_file,
		};
	event_active(identity->sweep, EV_TIMEOUT, 0);
}

struct fetch_client *identity_client(const struct identity *identity)
{
	return identity->client;
}

int identity_new(struct worker *worker, struct identity **ret_identity)
{
	struct identity *identity = calloc(1, sizeof(*identity));

	if (!identity)
		return -ENOMEM;
	identity->worker = worker;
	for (size_t i = 0; i < PAGE_WIKI_CALLS; i++) /* of a worker that has died */
		atomic_store(&worker->setup.page->wiki.n_in_flight[i], 0);
	identity->sweep = evtimer_new(worker->setup.base, on_sweep, identity);
	if (!identity->sweep) {
		free(identity);
		return -ENOMEM;
	}
	identity_reload(identity);
	*ret_identity = identity;
	return 0;
}

/* The pool must be gone before, which ends every question that waits for it. Returns NULL. */
struct identity *identity_free(struct identity *identity)
{
	if (!identity)
		return NULL;
	identity->is_ending = true;
	for (size_t i = 0; i < ARRAY_SIZE(identity->peers); i++)
		if (identity->peers[i])
			on_closed(identity->peers[i], NULL, identity);
	fetch_client_free(identity->retired);
	fetch_client_free(identity->client);
	if (identity->sweep)
		event_free(identity->sweep);
	free(identity);
	return NULL;
}
