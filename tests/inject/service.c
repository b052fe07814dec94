/*
 * What daemon/app/web.c puts together, without parent and channels: the request path as it is, in
 * one thread, whose calls are the ones that fail.
 */

#include "tests/inject/service.h"

#include "api/auth/actor.h"
#include "api/handlers/handlers.h"
#include "api/handlers/routes.h"
#include "api/http/server.h"
#include "daemon/app/issuers.h"
#include "daemon/app/vault_load.h"
#include "daemon/cases/statements.h"
#include "daemon/crypto/tls.h"
#include "daemon/keys/key_file.h"
#include "tests/inject/fault.h"
#include "tests/inject/vault.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

struct service {
	struct event_base *base;
	struct config *config;
	struct issuers *issuers;
	struct index_key key;
	struct sealer sealer;
	struct ipc_channel *vault; /* NULL: it broke, and is opened again */
	struct vault_thread *vault_thread;
	struct pg_pool *pool;
	struct actor_gate gate;
	struct handlers handlers;
	struct server *server;
	struct event *tick;
	pthread_t thread;
	bool has_thread;
	struct tls *tls;
	struct client_target targets[2]; /* plain, TLS */
	atomic_bool is_whole, is_ending;
};

static void on_policy_loaded(void *context, int outcome)
{
	if (outcome != 0)
		fprintf(stderr, "the policy is not there: %d\n", outcome);
}

static void on_vault_message(struct ipc_channel *channel, struct ipc_message *message,
			     void *userdata)
{
}

static void on_vault_closed(struct ipc_channel *channel, const char *why, void *userdata)
{
	struct service *service = userdata;

	service->vault = ipc_channel_free(channel);
}

/* As the parent does when a channel broke: another one, to a vault that reads its keys anew. */
static void open_vault(struct service *service)
{
	struct ipc_setup setup = { .base = service->base,
				   .on_message = on_vault_message,
				   .on_closed = on_vault_closed,
				   .userdata = service };
	int fds[2];

	service->vault_thread = vault_thread_free(service->vault_thread);
	if (ipc_pair_open(fds) < 0)
		return;
	setup.fd = fds[0];
	service->vault_thread = vault_thread_new(service->config, fds[1]);
	if (ipc_channel_new(&setup, &service->vault) < 0)
		service->vault = NULL;
}

static void on_drained(void *context)
{
	struct service *service = context;

	event_base_loopbreak(service->base);
}

/* Often: what the other thread asks for, and what it is told. */
static void on_tick(int fd, short what, void *userdata)
{
	struct service *service = userdata;
	struct pg_pool_state state;

	if (!service->vault)
		open_vault(service);
	pg_pool_get_state(service->pool, &state);
	atomic_store(&service->is_whole, state.n_ready == state.n_connections &&
						 service->handlers.policy && service->vault);
	if (!service->handlers.policy && !service->handlers.load && state.n_ready)
		(void)handlers_load_policy(&service->handlers, on_policy_loaded, service);
	if (!atomic_load(&service->is_ending))
		return;
	atomic_store(&service->is_ending, false);
	server_drain(service->server, 0, on_drained, service);
}

static void *run(void *argument)
{
	struct service *service = argument;

	fault_watch_thread();
	event_base_dispatch(service->base);
	return NULL;
}

static int make_pool(struct service *service)
{
	struct pg_pool_setup setup = {
		.base = service->base,
		.conninfo = service->config->database_web,
		.application_name = "conductd-inject",
		.statements = statements,
		.n_statements = STATEMENT_COUNT,
	};

	for (size_t i = 0; i < PG_LANE_COUNT; i++)
		setup.n_connections[i] = 1;
	return pg_pool_new(&setup, &service->pool);
}

static int listen_at(struct service *service, struct client_target *target, struct tls *tls)
{
	struct sockaddr_in name = { 0 };
	socklen_t length = sizeof(name);
	int fd = -1, r = server_open_listener("127.0.0.1", 0, false, &fd);

	if (r)
		return r;
	if (getsockname(fd, (struct sockaddr *)&name, &length) < 0)
		return -errno;
	*target = (struct client_target){ .port = ntohs(name.sin_port), .is_tls = tls };
	return server_listen_take(service->server, fd, tls);
}

static int serve(struct service *service)
{
	struct server_config config = {
		.routes = routes,
		.n_routes = routes_n,
		.gate = { actor_authenticate, &service->gate },
		.application = &service->handlers,
	};
	int r;

	service->gate = (struct actor_gate){ .issuers = *issuers_table(service->issuers),
					     .index_key = &service->key };
	r = handlers_init(&service->handlers, service->pool, &service->key, &service->sealer,
			  issuers_table(service->issuers));
	if (r == 0)
		r = server_new(service->base, &config, &service->server);
	for (unsigned i = 0; r == 0 && i < ARRAY_SIZE(service->targets); i++)
		r = listen_at(service, &service->targets[i], i == 0 ? NULL : service->tls);
	return r;
}

static int service_fill(struct service *service, const char *config_file,
			const char *certificate_file)
{
	const struct tls_setup tls = { .certificate_file = certificate_file,
				       .key_file = certificate_file,
				       .client_ca_file = "" };
	const struct timeval interval = { .tv_usec = 5000 };
	struct config_error error = { .text = "" };
	struct public_keys keys;
	char text[512] = "";
	int r = config_load(config_file, &service->config, &error);

	if (r == 0)
		r = key_file_load_index(service->config->index_key_file, &service->key);
	if (r == 0)
		r = vault_load_public(service->config->vault_public_file, &keys);
	if (r == 0)
		sealer_init(&service->sealer, &keys.intake, &service->vault);
	if (r == 0)
		r = issuers_new(service->config, &service->issuers, text, sizeof(text));
	if (r == 0)
		r = tls_new(&tls, &service->tls, text, sizeof(text));
	if (r) {
		fprintf(stderr, "%s: %d %s%s\n", config_file, r, error.text, text);
		return r;
	}
	service->base = event_base_new();
	r = service->base ? make_pool(service) : -ENOMEM;
	if (r == 0)
		r = serve(service);
	if (r == 0)
		service->tick = event_new(service->base, -1, EV_PERSIST, on_tick, service);
	return r || !service->tick ? -ENOMEM : event_add(service->tick, &interval);
}

struct service *service_new(const char *config_file, const char *certificate_file)
{
	struct service *service = calloc(1, sizeof(*service));

	if (service && service_fill(service, config_file, certificate_file) == 0 &&
	    pthread_create(&service->thread, NULL, run, service) == 0) {
		service->has_thread = true;
		return service;
	}
	service_free(service);
	return NULL;
}

void service_free(struct service *service)
{
	if (!service)
		return;
	atomic_store(&service->is_ending, true);
	if (service->has_thread)
		(void)pthread_join(service->thread, NULL);
	service->vault = ipc_channel_free(service->vault);
	vault_thread_free(service->vault_thread);
	server_free(service->server);
	handlers_deinit(&service->handlers);
	pg_pool_free(service->pool);
	if (service->tick)
		event_free(service->tick);
	if (service->base)
		event_base_free(service->base);
	issuers_free(service->issuers);
	tls_free(service->tls);
	config_free(service->config);
	free(service);
}

const struct client_target *service_target(const struct service *service, bool is_tls)
{
	return &service->targets[is_tls];
}

bool service_is_whole(const struct service *service)
{
	return atomic_load(&service->is_whole);
}
