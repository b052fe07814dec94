/*
 * The web process: its database pool, and generations of everything a request sees (issuers, host
 * names, handlers, server). A reload makes a new generation on the same listeners and lets the old
 * one drain, so that no request ever sees two configurations and none is lost.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "api/auth/actor.h"
#include "api/auth/wiki.h"
#include "api/handlers/handlers.h"
#include "api/handlers/routes.h"
#include "api/http/server.h"
#include "daemon/app/certificates.h"
#include "daemon/app/front.h"
#include "daemon/app/issuers.h"
#include "daemon/app/process.h"
#include "daemon/app/vault_load.h"
#include "daemon/base/log.h"
#include "daemon/cases/statements.h"
#include "daemon/keys/key_file.h"

enum {
	WEB_TICK_MS = 1000,      /* counters to the page; the policy, while there is none */
	WEB_POLICY_TICKS = 15,   /* another host's worker may have published */
	WEB_HAND_OVER_MS = 5000, /* for one more request of an idle connection, then it is closed */
};

struct generation {
	struct generation *next;
	struct web *web;
	struct issuers *issuers;
	struct certificates *certificates;
	/* Of this generation's own arena. */
	struct config_texts hosts;
	struct config_texts origins;
	struct client_ranges proxies;
	const char *own_origin;
	struct arena *arena;
	bool has_cors_wikis;
	struct limits limits;
	unsigned queue_max;
	unsigned connections_max;
	unsigned network_max;
	size_t buffers_max;
	struct actor_gate gate;
	struct handlers handlers;
	struct server *server;
	bool is_drained;
	bool is_loading;
};

struct web {
	struct child *child;
	struct pg_pool *pool;
	struct wiki *wiki; /* outlives generations, so that a reload forgets nothing */
	struct index_key key;
	struct sealer sealer;     /* outlives generations, as do calls that it answers */
	struct generation *first; /* the one in use; behind it those that drain */
	struct event *tick;
	struct event *flush; /* the log, when what has come is done */
	struct event *sweep; /* frees drained generations, outside of their callbacks */
	unsigned n_ticks;
	struct pg_call versions;
	bool is_asking;
	bool must_check; /* what is published could not be read: at the next tick, not the nth */
	bool is_draining;
};

static void on_report(void *userdata, enum pg_event event, const char *text)
{
	static const char *const messages[] = {
		[PG_EVENT_CONNECTED] = "database: connected",
		[PG_EVENT_LOST] = "database: connection lost",
		[PG_EVENT_REFUSED] = "database: the server gets no call",
		[PG_EVENT_UNPREPARED] = "database: a statement could not be prepared",
		[PG_EVENT_ERROR] = "database: a call failed",
	};
	const struct log_field field = { "error.message", text, 0 };
	enum log_level level = event == PG_EVENT_CONNECTED ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR;

	log_event(level, messages[event], &field, 1);
}

static struct generation *generation_free(struct generation *generation)
{
	if (!generation)
		return NULL;
	server_free(generation->server);
	certificates_free(generation->certificates);
	handlers_deinit(&generation->handlers);
	issuers_free(generation->issuers);
	arena_free(generation->arena);
	free(generation);
	return NULL;
}

static unsigned count_database(const struct config *config)
{
	unsigned n = 0;

	for (size_t i = 0; i < PG_LANE_COUNT; i++)
		n += (unsigned)config->connections[i];
	return n;
}

/* What requests of this generation need of the configuration. */
static int generation_copy(struct generation *generation, const struct config *config)
{
	const struct child *child = generation->web->child;
	int r = arena_new(&generation->arena);

	if (r == 0)
		r = front_copy_hosts(generation->arena, config, &generation->hosts);
	if (r == 0)
		r = front_copy_texts(generation->arena, &config->cors_origins,
				     &generation->origins);
	if (r == 0)
		r = front_read_ranges(generation->arena, &config->trusted_proxies,
				      &generation->proxies);
	if (r == 0)
		r = front_read_limits(generation->arena, config, child->page, child->number,
				      &generation->limits);
	if (r == 0) {
		generation->own_origin = arena_strdup(generation->arena, config->public_url);
		r = generation->own_origin ? 0 : -ENOMEM;
	}
	generation->has_cors_wikis = config->has_cors_wikis;
	generation->queue_max = (unsigned)config->queue_max;
	generation->connections_max = front_fit_connections((unsigned)config->connections_max,
							    count_database(config));
	generation->network_max = (unsigned)config->network_connections;
	generation->buffers_max = (size_t)config->buffers_mib << 20;
	return r;
}

static int generation_listen(struct generation *generation)
{
	const struct listeners *listeners = generation->web->child->listeners;

	for (size_t i = 0; i < listeners->n; i++) {
		const struct listener *listener = &listeners->at[i];
		struct tls *tls = listener->kind == LISTENER_TLS
					  ? certificates_at(generation->certificates, listener->row)
					  : NULL;
		/* The next generation needs the listener too, so each has a copy. */
		int fd = fcntl(listener->fd, F_DUPFD_CLOEXEC, 3);
		int r = fd < 0 ? -errno : server_listen_take(generation->server, fd, tls);

		if (r < 0)
			return r;
	}
	return 0;
}

/* `application` is the generation's handlers, which lie inside of it. */
static void on_answered(void *application, int status)
{
	const struct generation *generation =
		(const struct generation *)((const char *)application -
					    offsetof(struct generation, handlers));
	const struct child *child = generation->web->child;
	unsigned class = status >= 100 && status < 600 ? (unsigned)status / 100 : 0;

	atomic_fetch_add(&child->page->web[child->number - 1].n_requests[class], 1);
}

/* Too many calls wait for the database: one more would only wait longer. */
static bool is_overloaded(void *context)
{
	const struct actor_gate *gate = context;
	const struct generation *generation =
		(const struct generation *)((const char *)gate - offsetof(struct generation, gate));
	struct pg_pool_state state;

	pg_pool_get_state(generation->web->pool, &state);
	return state.n_queued >= generation->queue_max;
}

static int generation_serve(struct generation *generation)
{
	struct web *web = generation->web;
	const struct issuer_table *table = issuers_table(generation->issuers);
	struct server_config config = {
		.routes = routes,
		.n_routes = routes_n,
		.gate = {
			.authenticate = actor_authenticate,
			.context = &generation->gate,
			.subject = actor_subject,
			.is_overloaded = is_overloaded,
			.limits = &generation->limits,
		},
		.counters = &web->child->page->web[web->child->number - 1],
		.connections_max = generation->connections_max,
		.network_max = generation->network_max,
		.buffers_max = generation->buffers_max,
		.application = &generation->handlers,
		.answered = on_answered,
		.hosts = (const char *const *)generation->hosts.at,
		.n_hosts = generation->hosts.n,
		.trusted_proxies = generation->proxies,
		.cors_origins = (const char *const *)generation->origins.at,
		.n_cors_origins = generation->origins.n,
		.is_wiki_origin = generation->has_cors_wikis ? handlers_know_origin : NULL,
	};
	int r;

	generation->gate = (struct actor_gate){
		.issuers = *table,
		.index_key = &web->key,
		.wiki = web->wiki,
		.pool = web->pool,
		.own_origin = generation->own_origin,
	};
	r = handlers_init(&generation->handlers, web->pool, &web->key, &web->sealer, table);
	generation->handlers.gate = &generation->gate;
	if (r == 0)
		r = server_new(web->child->base, &config, &generation->server);
	return r < 0 || web->child->is_late ? r : generation_listen(generation);
}

/* Serves from the moment it is made. Logs what is wrong with the files that it needs. */
static int generation_new(struct web *web, const struct config *config,
			  struct generation **ret_generation)
{
	struct generation *generation = calloc(1, sizeof(*generation));
	char text[512] = "";
	int r;

	if (!generation)
		return -ENOMEM;
	generation->web = web;
	r = issuers_new(config, &generation->issuers, text, sizeof(text));
	if (r > 0)
		log_say(LOG_LEVEL_ERROR, "issuers: %s", text);
	if (r == 0) {
		r = certificates_new(config, &web->child->tickets, &generation->certificates, text,
				     sizeof(text));
		if (r > 0)
			log_say(LOG_LEVEL_ERROR, "tls: %s", text);
	}
	if (r == 0)
		r = generation_copy(generation, config);
	if (r == 0)
		r = generation_serve(generation);
	if (r) {
		generation_free(generation);
		return r;
	}
	certificates_note(generation->certificates, web->child->page);
	*ret_generation = generation;
	return 0;
}

static void on_sweep(int fd, short what, void *userdata)
{
	struct web *web = userdata;
	struct generation **at = &web->first;

	while (*at) {
		struct generation *generation = *at;

		if (!generation->is_drained || generation->is_loading) {
			at = &generation->next;
			continue;
		}
		*at = generation->next;
		generation_free(generation);
	}
	if (!web->first && web->is_draining)
		event_base_loopbreak(web->child->base);
}

static void on_drained(void *context)
{
	struct generation *generation = context;

	generation->is_drained = true;
	event_active(generation->web->sweep, EV_TIMEOUT, 0);
}

static void generation_drain(struct generation *generation, unsigned idle_ms)
{
	generation->handlers.is_closing = true;
	server_drain(generation->server, idle_ms, on_drained, generation);
}

/* Another daemon served alone until here. */
static void listen_late(struct web *web)
{
	web->child->is_late = false;
	if (generation_listen(web->first) < 0) {
		log_say(LOG_LEVEL_ERROR, "cannot listen");
		event_base_loopbreak(web->child->base);
		return;
	}
	child_ready(web->child);
}

static void page_write(struct web *web)
{
	struct page_web *page = &web->child->page->web[web->child->number - 1];
	struct pg_pool_state state;
	size_t n_connections = 0;

	for (struct generation *at = web->first; at; at = at->next)
		n_connections += server_n_connections(at->server);
	pg_pool_get_state(web->pool, &state);
	atomic_store(&page->n_connections, n_connections);
	atomic_store(&page->n_database_ready, state.n_ready);
	atomic_store(&page->n_database_queued, state.n_queued);
	/* A counter of the whole daemon's life outlasts the processes. */
	atomic_fetch_add(&page->n_words_damaged, web->sealer.n_damaged);
	web->sealer.n_damaged = 0;
	atomic_store(&page->n_database_in_flight, state.n_in_flight);
	atomic_store(&page->is_serving, state.n_lanes_ready == state.n_lanes && web->first &&
						web->first->handlers.policy);
	if (web->child->is_late && atomic_load(&page->is_serving))
		listen_late(web);
}

static void on_policy_loaded(void *context, int outcome)
{
	struct generation *generation = context;
	struct web *web = generation->web;

	generation->is_loading = false;
	if (generation->is_drained)
		event_active(web->sweep, EV_TIMEOUT, 0);
	web->must_check = web->must_check || outcome < 0 || outcome == HANDLERS_E_UNAVAILABLE;
	if (outcome == HANDLERS_E_UNREADABLE)
		log_say(LOG_LEVEL_ERROR, "policy: this program cannot read the published set");
	else if (outcome == HANDLERS_E_INDEX_KEY)
		log_say(LOG_LEVEL_ERROR, "nothing is served: %s",
			key_file_explain(KEY_FILE_E_DIFFERS));
	else if (outcome == 0)
		log_say(LOG_LEVEL_INFO, "policy: revision %lld is in use",
			(long long)policy_set_revision(generation->handlers.policy));
	page_write(web);
}

static void policy_load(struct web *web)
{
	struct generation *generation = web->first;

	if (!generation || generation->is_drained || web->is_draining)
		return;
	if (handlers_load_policy(&generation->handlers, on_policy_loaded, generation) >= 0)
		generation->is_loading = true;
	else
		web->must_check = true;
}

/* The newest version stands first; its text is only fetched when it is another one. */
static void on_versions(struct pg_call *call, const struct pg_answer *answer)
{
	struct web *web = (struct web *)(void *)((char *)call - offsetof(struct web, versions));
	CLEANUP(value_freep) struct value *body = NULL;
	struct value_error error;
	const char *version;

	web->is_asking = false;
	web->must_check = answer->outcome != PG_DONE;
	if (answer->outcome != PG_DONE || !web->first || !web->first->handlers.policy ||
	    value_parse(pg_answer_cell(answer, 0, 1), &body, &error))
		return;
	version = value_get_string(value_at(value_get(body, "items"), 0), "version");
	if (version && strcmp(version, policy_set_version(web->first->handlers.policy)) != 0)
		policy_load(web);
}

static void policy_check(struct web *web)
{
	web->versions = (struct pg_call){ .statement = &statements[STATEMENT_POLICY_VERSIONS],
					  .lane = PG_LANE_READ,
					  .done = on_versions };
	if (!web->is_asking)
		web->is_asking = pg_pool_submit(web->pool, &web->versions) == 0;
}

static void on_tick(int fd, short what, void *userdata)
{
	struct web *web = userdata;

	page_write(web);
	if (web->is_draining || !web->first)
		return;
	web->n_ticks++;
	if (!web->first->handlers.policy && !web->first->handlers.load)
		policy_load(web);
	else if (web->first->handlers.policy &&
		 (web->must_check || web->n_ticks % WEB_POLICY_TICKS == 0))
		policy_check(web);
}

static void on_policy(struct child *child)
{
	policy_load(child->state);
}

static void drain(struct web *web, unsigned idle_ms)
{
	if (web->is_draining)
		return;
	web->is_draining = true;
	listeners_close(web->child->listeners);
	for (struct generation *at = web->first; at; at = at->next)
		generation_drain(at, idle_ms);
}

static void on_drain(struct child *child)
{
	drain(child->state, 0);
}

/* A client that sends request after request is told of the end in an answer, and loses none. */
static void on_hand_over(struct child *child)
{
	drain(child->state, WEB_HAND_OVER_MS);
}

/* A new intake key; what is wrong with the file is logged. */
static int sealer_renew(struct web *web)
{
	struct public_keys keys;
	int r = vault_load_public_or_log(web->child->config->vault_public_file, &keys);

	return r ? r : vault_load_renew_or_log(&web->sealer, &keys);
}

static void on_reload(struct child *child)
{
	struct web *web = child->state;
	struct generation *generation = NULL;
	struct generation *old = web->first;

	if (web->is_draining)
		return;
	if (child_reload_config(child) || sealer_renew(web) ||
	    generation_new(web, child->config, &generation)) {
		child_reloaded(child, false);
		return;
	}
	if (old->handlers.policy)
		handlers_swap_policy_take(&generation->handlers,
					  policy_set_ref(old->handlers.policy));
	generation->next = old;
	web->first = generation;
	/* Of a set that somebody else has published nobody tells. */
	web->must_check = true;
	/* What the old one is loading comes too late for the new one. */
	if (old->is_loading)
		policy_load(web);
	/* A request that is on its way to an idle connection would be lost with it. */
	generation_drain(old, WEB_HAND_OVER_MS);
	child_reloaded(child, true);
}

static int pool_make(struct web *web)
{
	const struct config *config = web->child->config;
	struct pg_pool_setup setup = {
		.base = web->child->base,
		.conninfo = config->database_web,
		.application_name = "conductd web",
		.statements = statements,
		.n_statements = STATEMENT_COUNT,
		.report = on_report,
	};

	int r = sealer_identity_of_index(&web->sealer, &web->key, &setup.identity);

	for (size_t i = 0; i < PG_LANE_COUNT; i++)
		setup.n_connections[i] = (unsigned)config->connections[i];
	return r ? r : pg_pool_new(&setup, &web->pool);
}

static void on_flush(int fd, short what, void *userdata)
{
	log_flush();
}

/* Comes behind what the loop has found to do already. */
static void wake_flush(void *context)
{
	event_active(context, EV_TIMEOUT, 0);
}

/* The files of keys; what is wrong with one is logged. */
static int keys_load(struct web *web)
{
	const struct config *config = web->child->config;
	struct public_keys keys;
	int r = key_file_load_index(config->index_key_file, &web->key);

	if (r) {
		log_say(LOG_LEVEL_ERROR, "%s: %s", config->index_key_file, key_file_explain(r));
		return r;
	}
	r = vault_load_public_or_log(config->vault_public_file, &keys);
	if (r == 0)
		sealer_init(&web->sealer, &keys.intake, &web->child->vault);
	return r;
}

static int web_start(struct web *web)
{
	struct child *child = web->child;
	const struct timeval interval = { .tv_usec = (WEB_TICK_MS % 1000) * 1000,
					  .tv_sec = WEB_TICK_MS / 1000 };
	int r = keys_load(web);

	if (r)
		return r;
	r = pool_make(web);
	if (r == 0)
		r = wiki_new(&child->worker, NULL, &web->wiki);
	if (r < 0)
		return r;
	web->tick = event_new(child->base, -1, EV_PERSIST, on_tick, web);
	web->sweep = evtimer_new(child->base, on_sweep, web);
	web->flush = evtimer_new(child->base, on_flush, web);
	if (!web->tick || !web->sweep || !web->flush || event_add(web->tick, &interval) < 0)
		return -ENOMEM;
	log_hold(wake_flush, web->flush);
	r = generation_new(web, child->config, &web->first);
	if (r == 0)
		policy_load(web);
	return r;
}

int web_run(struct child *child)
{
	struct web web = { .child = child };
	struct page_web *page = &child->page->web[child->number - 1];
	struct generation *generation;
	int r;

	child->state = &web;
	child->on_drain = on_drain;
	child->on_hand_over = on_hand_over;
	child->on_reload = on_reload;
	child->on_policy = on_policy;
	r = web_start(&web);
	if (r < 0)
		log_say(LOG_LEVEL_ERROR, "cannot start: %s", strerror(-r));
	if (r == 0) {
		if (!child->is_late)
			child_ready(child);
		event_base_dispatch(child->base);
	}
	log_hold(NULL, NULL);
	/* Worker, pool and vault first: what is still under way is answered while its generation is
	 * there. */
	web.is_draining = true;
	child->worker = ipc_channel_free(child->worker);
	web.pool = pg_pool_free(web.pool);
	child->vault = ipc_channel_free(child->vault);
	while ((generation = web.first)) {
		web.first = generation->next;
		generation_free(generation);
	}
	wiki_free(web.wiki);
	page_forget_web(page);
	if (web.tick)
		event_free(web.tick);
	if (web.flush)
		event_free(web.flush);
	if (web.sweep)
		event_free(web.sweep);
	index_key_deinit(&web.key);
	sealer_deinit(&web.sealer);
	return r ? PROCESS_EXIT_FAILED : EXIT_SUCCESS;
}
