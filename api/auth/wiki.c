/*
 * The web process's side of asking a wiki. Equal questions travel together, an answer is kept as
 * long as its kind allows, and whatever goes wrong on the way is WIKI_AWAY: nobody is let in, or
 * turned into a stranger, because a wiki is down. The cache is of fixed size; who falls out of it
 * is asked about again.
 */

#include "api/auth/wiki.h"
#include "daemon/base/buffer.h"
#include "daemon/ipc/wiki.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	KEY_SIZE = CRYPTO_SHA256_SIZE,
	CACHE_SETS = 1024, /* a power of two */
	CACHE_WAYS = 4,
	FLIGHT_LIMIT = 512, /* questions under way; more are WIKI_AWAY at once */
};

struct entry {
	uint8_t key[KEY_SIZE];
	int64_t asked_ms; /* 0: an empty place */
	bool is_live;
	bool is_blocked;
	bool is_temporary;
	char id[IPC_WIKI_ID_LIMIT + 1];
	char *user_name; /* NULL: hidden */
};

struct flight {
	struct ipc_request request;
	struct wiki *wiki;
	struct flight *next;
	uint8_t key[KEY_SIZE];
	bool is_exchange;
	bool is_urgent;
	int64_t asked_ms;
	struct wiki_call *calls;
};

struct wiki {
	struct ipc_channel *const *worker;
	int64_t (*now_ms)(void);
	struct flight *flights;
	size_t n_flights;
	struct entry entries[CACHE_SETS][CACHE_WAYS];
};

static int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* `worker` points to the channel of the moment and is borrowed. 0 or -ENOMEM. */
int wiki_new(struct ipc_channel *const *worker, int64_t (*now_ms)(void), struct wiki **ret_wiki)
{
	struct wiki *wiki = calloc(1, sizeof(*wiki));

	if (!wiki)
		return -ENOMEM;
	wiki->worker = worker;
	wiki->now_ms = now_ms ? now_ms : monotonic_ms;
	*ret_wiki = wiki;
	return 0;
}

struct wiki *wiki_free(struct wiki *wiki)
{
	for (size_t i = 0; wiki && i < CACHE_SETS; i++)
		for (size_t j = 0; j < CACHE_WAYS; j++)
			free(wiki->entries[i][j].user_name);
	free(wiki);
	return NULL;
}

static void call_away(struct wiki_call *call)
{
	call->retry_after_s = WIKI_RETRY_S;
	call->done(call, WIKI_AWAY, NULL, (struct slice){ NULL, 0 });
}

/* Cache ------------------------------------------------------------------------------------------
 */

static struct entry *cache_set(struct wiki *wiki, const uint8_t *key)
{
	return wiki->entries[(key[0] | (unsigned)key[1] << 8) & (CACHE_SETS - 1)];
}

/* The place of a key, or NULL. */
static struct entry *cache_find(struct wiki *wiki, const uint8_t *key)
{
	struct entry *set = cache_set(wiki, key);

	for (size_t i = 0; i < CACHE_WAYS; i++)
		if (set[i].asked_ms && memcmp(set[i].key, key, KEY_SIZE) == 0)
			return &set[i];
	return NULL;
}

static bool is_fresh(const struct wiki *wiki, const struct entry *entry, bool is_privileged)
{
	int64_t limit_s = !entry->is_live ? WIKI_NEGATIVE_S
			  : is_privileged ? WIKI_PRIVILEGED_S
					  : WIKI_POSITIVE_S;

	return wiki->now_ms() - entry->asked_ms < limit_s * 1000;
}

/* The place to write to: the key's own, or the oldest of its set. */
static struct entry *cache_place(struct wiki *wiki, const uint8_t *key)
{
	struct entry *set = cache_set(wiki, key);
	struct entry *place = cache_find(wiki, key);

	for (size_t i = 0; !place && i < CACHE_WAYS; i++)
		if (!set[i].asked_ms)
			place = &set[i];
	if (place)
		return place;
	place = set;
	for (size_t i = 1; i < CACHE_WAYS; i++)
		if (set[i].asked_ms < place->asked_ms)
			place = &set[i];
	return place;
}

/* What cannot be kept is asked again: memory alone is no reason to refuse anybody. */
static void cache_keep(struct wiki *wiki, const struct flight *flight,
		       const struct ipc_wiki_answer *answer)
{
	struct entry *entry = cache_place(wiki, flight->key);

	free(entry->user_name);
	*entry = (struct entry){ 0 };
	if (answer->user_name.length) {
		entry->user_name = strndup(answer->user_name.at, answer->user_name.length);
		if (!entry->user_name)
			return;
	}
	memcpy(entry->key, flight->key, KEY_SIZE);
	memcpy(entry->id, answer->id.at, answer->id.length);
	entry->is_live = answer->outcome == IPC_WIKI_LIVE;
	entry->is_blocked = answer->is_blocked;
	entry->is_temporary = answer->is_temporary;
	entry->asked_ms = flight->asked_ms;
}

static void call_from_entry(struct wiki_call *call, const struct entry *entry)
{
	const char *name = entry->user_name ? entry->user_name : "";
	const struct wiki_identity identity = { .id = { entry->id, strlen(entry->id) },
						.user_name = { name, strlen(name) },
						.is_blocked = entry->is_blocked,
						.is_temporary = entry->is_temporary };

	call->done(call, entry->is_live ? WIKI_LIVE : WIKI_REFUSED,
		   entry->is_live ? &identity : NULL, (struct slice){ NULL, 0 });
}

/* Flights ----------------------------------------------------------------------------------------
 */

static void flight_unlink(struct flight *flight)
{
	struct flight **at = &flight->wiki->flights;

	while (*at != flight)
		at = &(*at)->next;
	*at = flight->next;
	flight->wiki->n_flights--;
}

static void flight_end(struct flight *flight, const struct ipc_wiki_answer *answer)
{
	static const enum wiki_outcome outcomes[IPC_WIKI_OUTCOME_COUNT] = {
		[IPC_WIKI_LIVE] = WIKI_LIVE,
		[IPC_WIKI_REFUSED] = WIKI_REFUSED,
		[IPC_WIKI_AWAY] = WIKI_AWAY,
	};
	const struct wiki_identity identity = { .id = answer->id,
						.user_name = answer->user_name,
						.is_blocked = answer->is_blocked,
						.is_temporary = answer->is_temporary };
	bool is_live = answer->outcome == IPC_WIKI_LIVE;

	while (flight->calls) {
		struct wiki_call *call = flight->calls;

		flight->calls = call->next;
		call->retry_after_s = answer->retry_after_s ? answer->retry_after_s : WIKI_RETRY_S;
		call->done(call, outcomes[answer->outcome], is_live ? &identity : NULL,
			   answer->token);
	}
	free(flight);
}

static void on_answer(struct ipc_request *request, enum ipc_outcome outcome,
		      const struct ipc_message *message)
{
	struct flight *flight = (struct flight *)(void *)((char *)request -
							  offsetof(struct flight, request));
	struct ipc_wiki_answer answer = { .outcome = IPC_WIKI_AWAY };

	flight_unlink(flight);
	if (outcome == IPC_ANSWERED && message->type == IPC_TYPE_WIKI_ANSWER)
		(void)ipc_wiki_read_answer(message->payload, &answer);
	if (answer.outcome != IPC_WIKI_AWAY && !flight->is_exchange)
		cache_keep(flight->wiki, flight, &answer);
	flight_end(flight, &answer);
}

static struct flight *flight_find(struct wiki *wiki, const uint8_t *key, bool is_urgent)
{
	for (struct flight *at = wiki->flights; at; at = at->next)
		if (!at->is_exchange && at->is_urgent == is_urgent &&
		    memcmp(at->key, key, KEY_SIZE) == 0)
			return at;
	return NULL;
}

/* Sends the question; the call is answered later, or here when nobody can be asked. */
static void flight_start(struct wiki *wiki, const struct flight *plan, uint16_t type,
			 const struct buffer *payload, struct wiki_call *call)
{
	struct ipc_channel *worker = *wiki->worker;
	struct flight *flight = NULL;

	if (worker && wiki->n_flights < FLIGHT_LIMIT && !payload->has_failed)
		flight = malloc(sizeof(*flight));
	if (!flight) {
		call_away(call);
		return;
	}
	*flight = *plan;
	flight->wiki = wiki;
	flight->asked_ms = wiki->now_ms();
	flight->request.done = on_answer;
	if (ipc_channel_request(worker, &flight->request, type,
				(struct slice){ payload->at, payload->length },
				plan->is_urgent ? WIKI_URGENT_MS : WIKI_DEADLINE_MS)) {
		free(flight);
		call_away(call);
		return;
	}
	call->next = NULL;
	flight->calls = call;
	flight->next = wiki->flights;
	wiki->flights = flight;
	wiki->n_flights++;
}

/**
 * wiki_check() - whether a token is still good, and whose it is
 * @jti: of the token; with the token itself it is what equal questions are known by, so that an
 *	unsigned copy of somebody's jti is never answered from their place in the cache
 * @is_privileged: the answer may be WIKI_PRIVILEGED_S old, not WIKI_POSITIVE_S
 *
 * call->done() runs exactly once, maybe before this returns.
 */
void wiki_check(struct wiki *wiki, const struct issuer *issuer, struct slice jti,
		struct slice token, bool is_privileged, struct wiki_call *call)
{
	CLEANUP(buffer_deinit) struct buffer payload = BUFFER_NULL;
	const struct ipc_wiki_check check = { { issuer->iss, strlen(issuer->iss) }, token };
	const struct slice parts[] = {
		{ issuer->iss, strlen(issuer->iss) + 1 }, jti, { "", 1 }, token
	};
	struct flight plan = { .is_urgent = call->is_urgent };
	const struct entry *entry;
	struct flight *flight;

	if (!wiki || crypto_sha256_parts(parts, ARRAY_SIZE(parts), plan.key)) {
		call_away(call);
		return;
	}
	entry = cache_find(wiki, plan.key);
	if (entry && is_fresh(wiki, entry, is_privileged)) {
		call_from_entry(call, entry);
		return;
	}
	flight = flight_find(wiki, plan.key, call->is_urgent);
	if (flight) {
		call->next = flight->calls;
		flight->calls = call;
		return;
	}
	ipc_wiki_write_check(&payload, &check);
	flight_start(wiki, &plan, IPC_TYPE_WIKI_CHECK, &payload, call);
}

/* As wiki_check(), with what the login page was called back with. Nothing of it is kept. */
void wiki_exchange(struct wiki *wiki, const struct issuer *issuer, struct slice code,
		   struct slice verifier, struct slice redirect_uri, struct wiki_call *call)
{
	CLEANUP(buffer_deinit) struct buffer payload = BUFFER_NULL;
	const struct ipc_wiki_exchange exchange = {
		{ issuer->iss, strlen(issuer->iss) }, code, verifier, redirect_uri
	};

	ipc_wiki_write_exchange(&payload, &exchange);
	flight_start(wiki, &(struct flight){ .is_exchange = true }, IPC_TYPE_WIKI_EXCHANGE,
		     &payload, call);
}
