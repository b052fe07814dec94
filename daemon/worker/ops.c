/*
 * The ops port: whether the process lives (/healthz), whether the daemon can serve (/readyz, each
 * check by name), its counters (/metrics, Prometheus text format 0.0.4) and what it is (/_info).
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/json/value.h"
#include "daemon/worker/audit.h"
#include "daemon/worker/metrics.h"
#include "daemon/worker/rotation.h"
#include "sql/text.h"

enum { READY_DEADLINE_MS = 3000, VAULT_CHECK_MS = 1000 };

/* One /readyz under way; lives in the exchange's arena. Two database calls and a ping. */
struct ready {
	struct exchange *exchange;
	struct worker *worker;
	struct pg_call readiness;
	struct pg_call applied;
	struct ipc_request ping;
	unsigned n_open;
	struct value *checks;
	bool is_ready;
};

static void handle_health(struct exchange *exchange)
{
	static const char body[] = "{\"status\":\"ok\"}";

	exchange_reply_bytes(exchange, 200, "application/json; charset=utf-8",
			     (struct slice){ body, sizeof(body) - 1 });
}

static void check_add(struct ready *ready, const char *name, bool is_ok, const char *detail)
{
	struct value *check = value_new_object();

	ready->is_ready = ready->is_ready && is_ok && check;
	if (!check)
		return;
	if (value_set_string(check, "name", name) < 0 ||
	    value_set_boolean(check, "ok", is_ok) < 0 ||
	    (!is_ok && value_set_string(check, "detail", detail) < 0) ||
	    value_append_take(ready->checks, check) < 0)
		ready->is_ready = false;
}

/* Web processes that have policy and database, and so take reports whatever else is not in order.
 */
static uint64_t count_serving(const struct ready *ready)
{
	const struct page *page = ready->worker->setup.page;
	uint64_t n_serving = 0;

	for (size_t i = 0; i < PAGE_WEB_LIMIT; i++)
		n_serving += atomic_load(&page->web[i].is_serving);
	return n_serving;
}

/* Takes ready->checks. */
static void ready_answer(struct ready *ready)
{
	struct value *body = value_new_object();

	if (!body ||
	    value_set_string(body, "status", ready->is_ready ? "ready" : "not ready") < 0 ||
	    value_set_boolean(body, "takes_reports", count_serving(ready) > 0) < 0 ||
	    value_set_take(body, "checks", ready->checks) < 0)
		exchange_fail(ready->exchange, -ENOMEM);
	else
		exchange_reply_json(ready->exchange, ready->is_ready ? 200 : 503, body);
	value_free(body);
}

static void ready_leave(struct ready *ready)
{
	if (--ready->n_open == 0)
		ready_answer(ready);
}

static void check_triggers(struct ready *ready, const struct value *body)
{
	const struct value *triggers = value_get(body, "triggers_off");
	char detail[256];

	(void)snprintf(detail, sizeof(detail),
		       "%zu triggers do not fire always, the first is %s: "
		       "run `conductctl migrate --bootstrap`",
		       value_count(triggers),
		       value_string(value_at(triggers, 0)) ? value_string(value_at(triggers, 0))
							   : "unknown");
	check_add(ready, "triggers", value_is(triggers, VALUE_ARRAY) && value_count(triggers) == 0,
		  detail);
}

static void check_index_key(struct ready *ready, struct slice mark)
{
	const struct worker_setup *setup = &ready->worker->setup;

	check_add(ready, "index_key",
		  index_key_is_marked(&setup->index_key, setup->sealer->deployment, mark),
		  "the index key is not that of the database, under which nobody would be "
		  "recognised: copy index_key_file from another host or a backup, and restart");
}

/* libpq's words name host and cause, as the log does; this port is for the operator. */
static void check_database_failed(struct ready *ready)
{
	struct pg_pool_state pool;

	pg_pool_get_state(ready->worker->pool, &pool);
	/* What is sealed with the keys of another deployment would never be opened again. */
	check_add(ready, pool.is_stranger ? "deployment" : "database", false,
		  *pool.trouble ? pool.trouble : "does not answer, or refuses this program");
}

static void on_readiness(struct pg_call *call, const struct pg_answer *answer)
{
	struct ready *ready = (struct ready *)(void *)((char *)call -
						       offsetof(struct ready, readiness));
	CLEANUP(value_freep) struct value *body = NULL;
	struct value_error error;
	int64_t shift;

	if (answer->outcome != PG_DONE ||
	    value_parse(pg_answer_cell(answer, 0, 1), &body, &error)) {
		check_database_failed(ready);
		ready_leave(ready);
		return;
	}
	check_add(ready, "database", true, NULL);
	check_add(ready, "policy", value_is(value_get(body, "policy_revision"), VALUE_INTEGER),
		  "no policy set is published");
	check_add(ready, "deployment", true, NULL);
	check_index_key(ready, value_text(value_get(body, "index_mark")));
	check_triggers(ready, body);
	shift = value_integer(value_get(body, "clock_shift_seconds"), 1);
	check_add(ready, "clock", shift == 0 || ready->worker->setup.terms.is_demo,
		  "the database's clock is shifted, which only a demo may do");
	ready_leave(ready);
}

static bool has_script(const struct pg_answer *answer, const struct sql_text *script)
{
	for (int row = 0; row < answer->n_rows; row++)
		if (strcmp(pg_answer_cell(answer, row, 0).at, script->name) == 0)
			return strcmp(pg_answer_cell(answer, row, 1).at, script->sha256) == 0;
	return false;
}

static void on_applied(struct pg_call *call, const struct pg_answer *answer)
{
	struct ready *ready = (struct ready *)(void *)((char *)call -
						       offsetof(struct ready, applied));
	char detail[256] = "the database does not say which migrations it has";
	bool is_current = answer->outcome == PG_DONE;
	size_t n;
	const struct sql_text *scripts = sql_texts(SQL_MIGRATIONS, &n);

	for (size_t i = 0; is_current && i < n; i++) {
		is_current = has_script(answer, &scripts[i]);
		(void)snprintf(detail, sizeof(detail),
			       "%s is not applied as it is here: run `conductctl "
			       "migrate`",
			       scripts[i].name);
	}
	check_add(ready, "migrations", is_current, detail);
	ready_leave(ready);
}

static void on_ping(struct ipc_request *request, enum ipc_outcome outcome,
		    const struct ipc_message *message)
{
	struct ready *ready = (struct ready *)(void *)((char *)request -
						       offsetof(struct ready, ping));

	check_add(ready, "vault", outcome == IPC_ANSWERED && message->type == IPC_TYPE_PONG,
		  "does not answer");
	ready_leave(ready);
}

static void ready_ask_vault(struct ready *ready)
{
	struct ipc_channel *vault = *ready->worker->setup.vault;

	ready->ping.done = on_ping;
	if (vault && ipc_channel_request(vault, &ready->ping, IPC_TYPE_PING, (struct slice){ 0 },
					 VAULT_CHECK_MS) == 0)
		return;
	check_add(ready, "vault", false, "there is no channel to it");
	ready_leave(ready);
}

static void ready_ask_database(struct ready *ready, struct pg_call *call, unsigned statement,
			       void (*done)(struct pg_call *, const struct pg_answer *))
{
	*call = (struct pg_call){ .statement = &ready->worker->table[statement],
				  .lane = PG_LANE_READ,
				  .deadline_ms = READY_DEADLINE_MS,
				  .done = done };
	if (pg_pool_submit(ready->worker->pool, call) < 0) {
		check_add(ready, "database", false, "cannot be asked");
		ready_leave(ready);
	}
}

static void check_web(struct ready *ready)
{
	struct page *page = ready->worker->setup.page;
	uint64_t n_running = atomic_load(&page->n_running[PAGE_WEB]);
	uint64_t n_serving = count_serving(ready);
	char detail[96];

	(void)snprintf(detail, sizeof(detail),
		       "%llu of %llu web processes have policy and database",
		       (unsigned long long)n_serving, (unsigned long long)n_running);
	check_add(ready, "web", n_running > 0 && n_serving >= n_running, detail);
}

static void handle_ready(struct exchange *exchange)
{
	struct worker *worker = exchange->application;
	struct ready *ready = arena_alloc(exchange->arena, sizeof(*ready));

	if (!ready) {
		exchange_fail(exchange, -ENOMEM);
		return;
	}
	*ready = (struct ready){ .exchange = exchange,
				 .worker = worker,
				 .n_open = 4,
				 .checks = value_new_array(),
				 .is_ready = true };
	if (!ready->checks) {
		exchange_fail(exchange, -ENOMEM);
		return;
	}
	check_web(ready);
	check_add(ready, "keys", *worker->rotation->trouble == '\0', worker->rotation->trouble);
	check_add(ready, "log", audit_outcome(worker) == 0, audit_explain(audit_outcome(worker)));
	ready_ask_database(ready, &ready->readiness, STATEMENT_READINESS, on_readiness);
	ready_ask_database(ready, &ready->applied, WORKER_APPLIED, on_applied);
	ready_ask_vault(ready);
	ready_leave(ready); /* the one that kept it open while the others were asked */
}

static void handle_metrics(struct exchange *exchange)
{
	struct worker *worker = exchange->application;
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	struct pg_pool_state pool;
	int r;

	pg_pool_get_state(worker->pool, &pool);
	metrics_write(
		&(struct metrics){
			.page = worker->setup.page,
			.pool = &pool,
			.jobs = job_kinds,
			.n_jobs = job_n_kinds,
			.tls_addresses = worker->setup.terms.tls_addresses,
			.n_tls_addresses = worker->setup.terms.n_tls_addresses,
			.is_leader = worker->session != 0,
			.is_log_in_order = audit_outcome(worker) == 0,
		},
		&buffer);
	r = buffer_finish(&buffer);
	if (r < 0)
		exchange_fail(exchange, r);
	else
		exchange_reply_bytes(exchange, 200, "text/plain; version=0.0.4; charset=utf-8",
				     (struct slice){ buffer.at, buffer.length });
}

static void handle_info(struct exchange *exchange)
{
	struct worker *worker = exchange->application;
	CLEANUP(value_freep) struct value *body = value_new_object();
	const struct policy_set *policy = worker->policy;

	if (!body || value_set_string(body, "name", "conductd") < 0 ||
	    value_set_string(body, "version", worker->setup.version) < 0 ||
	    value_set_integer(body, "contract", SQL_CONTRACT) < 0 ||
	    value_set_string(body, "policy_version", policy ? policy_set_version(policy) : NULL) <
		    0 ||
	    (policy &&
	     value_set_integer(body, "policy_revision", policy_set_revision(policy)) < 0) ||
	    value_set_boolean(body, "leads", worker->session != 0) < 0)
		exchange_fail(exchange, -ENOMEM);
	else
		exchange_reply_json(exchange, 200, body);
}

static const struct route routes[] = {
	{ HTTP_GET, "/healthz", AUDIENCE_PUBLIC, 0, 0, handle_health, { NULL } },
	{ HTTP_GET, "/readyz", AUDIENCE_PUBLIC, 0, 0, handle_ready, { NULL } },
	{ HTTP_GET, "/metrics", AUDIENCE_PUBLIC, 0, 0, handle_metrics, { NULL } },
	{ HTTP_GET, "/_info", AUDIENCE_PUBLIC, 0, 0, handle_info, { NULL } },
};

/* Makes the server of the port, which nobody listens on yet. */
int ops_new(struct worker *worker)
{
	const struct server_config config = { .routes = routes,
					      .n_routes = ARRAY_SIZE(routes),
					      .application = worker,
					      .hosts = worker->setup.terms.ops_host_names,
					      .n_hosts = worker->setup.terms.n_ops_host_names,
					      .knows_own_address = true,
					      .connections_max = 64 };

	return server_new(worker->setup.base, &config, &worker->ops);
}

int worker_open_ops_take(struct worker *worker, int fd)
{
	return server_listen_take(worker->ops, fd, NULL);
}

static void on_drained(void *context)
{
}

/* Answers what was asked there, and takes nothing new. */
void worker_close_ops(struct worker *worker)
{
	server_drain(worker->ops, 0, on_drained, NULL);
}
