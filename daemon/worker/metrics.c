/*
 * Prometheus text format 0.0.4. Labels are names of processes, jobs, status classes and the
 * daemon's own addresses: nothing that came from outside, and nothing that tells of one case or
 * person.
 */

#include <time.h>

#include "daemon/worker/internal.h"
#include "daemon/worker/metrics.h"
#include "daemon/worker/snapshot.h"

static const char *const process_names[PAGE_PROCESS_COUNT] = {
	[PAGE_PARENT] = "parent",
	[PAGE_WEB] = "web",
	[PAGE_WORKER] = "worker",
	[PAGE_VAULT] = "vault",
};

static void head(struct buffer *buffer, const char *name, const char *type, const char *help)
{
	buffer_printf(buffer, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void line(struct buffer *buffer, const char *name, const char *label, const char *value,
		 uint64_t number)
{
	if (label)
		buffer_printf(buffer, "%s{%s=\"%s\"} %llu\n", name, label, value,
			      (unsigned long long)number);
	else
		buffer_printf(buffer, "%s %llu\n", name, (unsigned long long)number);
}

static void write_processes(const struct page *page, struct buffer *buffer)
{
	struct timespec now;
	uint64_t now_s;

	clock_gettime(CLOCK_REALTIME, &now);
	now_s = (uint64_t)now.tv_sec;
	head(buffer, "conductd_uptime_seconds", "gauge", "Since the parent started.");
	line(buffer, "conductd_uptime_seconds", NULL, NULL,
	     now_s - atomic_load(&page->started_ms) / 1000);
	head(buffer, "conductd_processes", "gauge", "Processes that run.");
	for (size_t i = 0; i < PAGE_PROCESS_COUNT; i++)
		line(buffer, "conductd_processes", "process", process_names[i],
		     atomic_load(&page->n_running[i]));
	head(buffer, "conductd_process_restarts_total", "counter", "Processes started again.");
	for (size_t i = 0; i < PAGE_PROCESS_COUNT; i++)
		line(buffer, "conductd_process_restarts_total", "process", process_names[i],
		     atomic_load(&page->n_restarts[i]));
	head(buffer, "conductd_reloads_total", "counter", "Reloads by result.");
	line(buffer, "conductd_reloads_total", "result", "taken", atomic_load(&page->n_reloads));
	line(buffer, "conductd_reloads_total", "result", "refused",
	     atomic_load(&page->n_reloads_refused));
}

static uint64_t sum(const struct page *page, size_t offset)
{
	uint64_t total = 0;

	for (size_t i = 0; i < PAGE_WEB_LIMIT; i++)
		total += atomic_load(
			(const page_counter *)(const void *)((const char *)&page->web[i] + offset));
	return total;
}

#define SUM(page, member) sum(page, offsetof(struct page_web, member))

static void write_web(const struct page *page, struct buffer *buffer)
{
	static const char *const classes[PAGE_STATUS_CLASSES] = { "none", "1xx", "2xx",
								  "3xx",  "4xx", "5xx" };

	head(buffer, "conductd_http_requests_total", "counter", "Answered requests by status.");
	for (size_t i = 1; i < PAGE_STATUS_CLASSES; i++)
		line(buffer, "conductd_http_requests_total", "status", classes[i],
		     sum(page, offsetof(struct page_web, n_requests) + i * sizeof(page_counter)));
	head(buffer, "conductd_http_connections", "gauge", "Open connections of web processes.");
	line(buffer, "conductd_http_connections", NULL, NULL, SUM(page, n_connections));
}

static void write_limits(const struct page *page, struct buffer *buffer)
{
	/* In the order of enum limit (api/http/limits.h). */
	static const char *const names[PAGE_LIMITS] = { "reports-account", "reports-network",
							"reads",           "acts",
							"receipts",        "auth" };

	head(buffer, "conductd_http_limited_total", "counter",
	     "Requests refused with 429, by what was used up.");
	for (size_t i = 0; i < PAGE_LIMITS; i++)
		line(buffer, "conductd_http_limited_total", "limit", names[i],
		     sum(page, offsetof(struct page_web, n_limited) + i * sizeof(page_counter)));
	head(buffer, "conductd_http_overloaded_total", "counter",
	     "Requests refused with 503 because too much waits.");
	line(buffer, "conductd_http_overloaded_total", NULL, NULL, SUM(page, n_overloaded));
	head(buffer, "conductd_http_evicted_total", "counter",
	     "Waiting connections closed to make room for others.");
	line(buffer, "conductd_http_evicted_total", NULL, NULL, SUM(page, n_evicted));
	head(buffer, "conductd_http_crowded_total", "counter",
	     "Connections closed because their network had too many.");
	line(buffer, "conductd_http_crowded_total", NULL, NULL, SUM(page, n_crowded));
	head(buffer, "conductd_http_late_total", "counter",
	     "Requests whose answer took longer than any may take.");
	line(buffer, "conductd_http_late_total", NULL, NULL, SUM(page, n_late));
}

static void write_words(const struct page *page, struct buffer *buffer)
{
	head(buffer, "conductd_words_damaged_total", "counter",
	     "Sealed words that did not open with their keys.");
	line(buffer, "conductd_words_damaged_total", NULL, NULL, SUM(page, n_words_damaged));
}

static void write_pool(const struct page *page, const struct pg_pool_state *pool,
		       struct buffer *buffer)
{
	head(buffer, "conductd_database_connections_ready", "gauge", "Connections in order.");
	line(buffer, "conductd_database_connections_ready", "process", "web",
	     SUM(page, n_database_ready));
	line(buffer, "conductd_database_connections_ready", "process", "worker", pool->n_ready);
	head(buffer, "conductd_database_calls_queued", "gauge", "Calls that wait.");
	line(buffer, "conductd_database_calls_queued", "process", "web",
	     SUM(page, n_database_queued));
	line(buffer, "conductd_database_calls_queued", "process", "worker", pool->n_queued);
	head(buffer, "conductd_database_calls_in_flight", "gauge", "Calls that were sent.");
	line(buffer, "conductd_database_calls_in_flight", "process", "web",
	     SUM(page, n_database_in_flight));
	line(buffer, "conductd_database_calls_in_flight", "process", "worker", pool->n_in_flight);
}

static const char *const wiki_calls[PAGE_WIKI_CALLS] = { "profile", "token", "names", "revision" };
static const char *const wiki_outcomes[PAGE_WIKI_OUTCOMES] = { "answered", "refused", "unusable",
							       "late", "unreachable" };

static void write_wiki_times(const struct page_wiki *wiki, struct buffer *buffer)
{
	static const char name[] = "conductd_wiki_request_seconds";

	head(buffer, name, "histogram", "How long a wiki took, by what it was asked.");
	for (size_t i = 0; i < PAGE_WIKI_CALLS; i++) {
		uint64_t n = 0, took_ms = atomic_load(&wiki->took_ms[i]);

		for (size_t j = 0; j < PAGE_WIKI_BUCKETS; j++) {
			n += atomic_load(&wiki->n_took[i][j]);
			buffer_printf(buffer, "%s_bucket{call=\"%s\",le=\"", name, wiki_calls[i]);
			if (wiki_bucket_ms[j])
				buffer_printf(buffer, "%u.%03u", wiki_bucket_ms[j] / 1000,
					      wiki_bucket_ms[j] % 1000);
			else
				buffer_append_text(buffer, "+Inf");
			buffer_printf(buffer, "\"} %llu\n", (unsigned long long)n);
		}
		buffer_printf(buffer, "%s_sum{call=\"%s\"} %llu.%03llu\n", name, wiki_calls[i],
			      (unsigned long long)took_ms / 1000,
			      (unsigned long long)took_ms % 1000);
		buffer_printf(buffer, "%s_count{call=\"%s\"} %llu\n", name, wiki_calls[i],
			      (unsigned long long)n);
	}
}

static void write_wiki(const struct page_wiki *wiki, struct buffer *buffer)
{
	static const char name[] = "conductd_wiki_requests_total";

	head(buffer, name, "counter", "Requests to wikis by what was asked, and what came back.");
	for (size_t i = 0; i < PAGE_WIKI_CALLS; i++)
		for (size_t j = 0; j < PAGE_WIKI_OUTCOMES; j++)
			buffer_printf(buffer, "%s{call=\"%s\",outcome=\"%s\"} %llu\n", name,
				      wiki_calls[i], wiki_outcomes[j],
				      (unsigned long long)atomic_load(&wiki->n_calls[i][j]));
	head(buffer, "conductd_wiki_requests_in_flight", "gauge", "Requests that wikis are at.");
	for (size_t i = 0; i < PAGE_WIKI_CALLS; i++)
		line(buffer, "conductd_wiki_requests_in_flight", "call", wiki_calls[i],
		     atomic_load(&wiki->n_in_flight[i]));
	write_wiki_times(wiki, buffer);
	head(buffer, "conductd_wiki_joined_total", "counter",
	     "Questions about accounts that travelled with an equal one.");
	line(buffer, "conductd_wiki_joined_total", NULL, NULL, atomic_load(&wiki->n_joined));
	head(buffer, "conductd_wiki_left_alone_total", "counter",
	     "Questions about accounts not asked, because their wiki does not answer.");
	line(buffer, "conductd_wiki_left_alone_total", NULL, NULL,
	     atomic_load(&wiki->n_left_alone));
}

static void write_swept(const struct page *page, struct buffer *buffer)
{
	static const char *const names[PAGE_SWEPT_COUNT] = { "sessions", "keys", "receipts" };

	head(buffer, "conductd_swept_total", "counter", "Rows forgotten after their end.");
	for (size_t i = 0; i < PAGE_SWEPT_COUNT; i++)
		line(buffer, "conductd_swept_total", "what", names[i],
		     atomic_load(&page->n_swept[i]));
}

static void write_snapshots(const struct page *page, struct buffer *buffer)
{
	head(buffer, "conductd_snapshots_total", "counter",
	     "Reported revisions by how fetching them ended.");
	for (size_t i = 0; i < PAGE_SNAPSHOTS; i++)
		line(buffer, "conductd_snapshots_total", "state", snapshot_states[i],
		     atomic_load(&page->n_snapshots[i]));
}

static void write_erased(const struct page *page, struct buffer *buffer)
{
	static const char *const names[PAGE_ERASED_COUNT] = { "party", "text", "skeleton",
							      "failed" };

	head(buffer, "conductd_erasures_total", "counter",
	     "What was erased: a party's words, the text of a case, its skeleton.");
	for (size_t i = 0; i < PAGE_ERASED_COUNT; i++)
		line(buffer, "conductd_erasures_total", "what", names[i],
		     atomic_load(&page->n_erased[i]));
	head(buffer, "conductd_erasure_requests_overdue_total", "counter",
	     "Requests for erasure that got no answer by their limit.");
	line(buffer, "conductd_erasure_requests_overdue_total", NULL, NULL,
	     atomic_load(&page->n_erasures_overdue));
}

static void write_jobs(const struct metrics *metrics, struct buffer *buffer)
{
	const struct job_kind *kinds = metrics->jobs;
	const struct page *page = metrics->page;
	size_t n_kinds = metrics->n_jobs;

	head(buffer, "conductd_leader", "gauge", "1 where the jobs of the cluster run.");
	line(buffer, "conductd_leader", NULL, NULL, metrics->is_leader);
	head(buffer, "conductd_job_runs_total", "counter", "Runs of a job.");
	for (size_t i = 0; i < n_kinds; i++)
		line(buffer, "conductd_job_runs_total", "job", kinds[i].name,
		     atomic_load(&page->jobs[i].n_runs));
	head(buffer, "conductd_job_failures_total", "counter", "Runs of a job that failed.");
	for (size_t i = 0; i < n_kinds; i++)
		line(buffer, "conductd_job_failures_total", "job", kinds[i].name,
		     atomic_load(&page->jobs[i].n_failures));
	head(buffer, "conductd_job_last_run_seconds", "gauge", "Unix time of a job's last run.");
	for (size_t i = 0; i < n_kinds; i++)
		line(buffer, "conductd_job_last_run_seconds", "job", kinds[i].name,
		     atomic_load(&page->jobs[i].last_run_ms) / 1000);
}

static void write_vault(const struct page *page, struct buffer *buffer)
{
	head(buffer, "conductd_vault_units_total", "counter",
	     "Keys of units asked for, by result.");
	line(buffer, "conductd_vault_units_total", "result", "opened",
	     atomic_load(&page->vault.n_opened));
	line(buffer, "conductd_vault_units_total", "result", "broken",
	     atomic_load(&page->vault.n_broken));
	head(buffer, "conductd_vault_refused_total", "counter",
	     "Requests refused because a quota of cases is used up.");
	line(buffer, "conductd_vault_refused_total", "quota", "person",
	     atomic_load(&page->vault.n_refused_person));
	line(buffer, "conductd_vault_refused_total", "quota", "host",
	     atomic_load(&page->vault.n_refused_host));
	head(buffer, "conductd_vault_signatures_total", "counter", "Checkpoints signed.");
	line(buffer, "conductd_vault_signatures_total", NULL, NULL,
	     atomic_load(&page->vault.n_signed));
	head(buffer, "conductd_vault_alarms_total", "counter", "Alarms of a used-up quota sent.");
	line(buffer, "conductd_vault_alarms_total", NULL, NULL, atomic_load(&page->vault.n_alarms));
	head(buffer, "conductd_rotation_units_total", "counter",
	     "Keys of units sealed again to the active key.");
	line(buffer, "conductd_rotation_units_total", NULL, NULL,
	     atomic_load(&page->vault.n_rewrapped));
	head(buffer, "conductd_rotation_stuck", "gauge",
	     "Keys of units that stay with an older key, because they do not open.");
	line(buffer, "conductd_rotation_stuck", NULL, NULL, atomic_load(&page->vault.n_stuck));
}

/* Seconds since then; it goes on growing when nobody looks any more. */
static void write_age(struct buffer *buffer, const char *name, const char *help, uint64_t since_ms)
{
	struct timespec now;
	uint64_t now_ms;

	clock_gettime(CLOCK_REALTIME, &now);
	now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	head(buffer, name, "gauge", help);
	line(buffer, name, NULL, NULL,
	     since_ms && now_ms > since_ms ? (now_ms - since_ms) / 1000 : 0);
}

static void write_log(const struct metrics *metrics, struct buffer *buffer)
{
	const struct page_audit *audit = &metrics->page->audit;

	head(buffer, "conductd_audit_in_order", "gauge",
	     "1 where the log goes on from what this host has seen of it.");
	line(buffer, "conductd_audit_in_order", NULL, NULL, metrics->is_log_in_order);
	head(buffer, "conductd_audit_failures_total", "counter",
	     "Times that the log was found not to be in order.");
	line(buffer, "conductd_audit_failures_total", NULL, NULL, atomic_load(&audit->n_failures));
	head(buffer, "conductd_audit_entries", "gauge", "Entries of the log.");
	line(buffer, "conductd_audit_entries", NULL, NULL, atomic_load(&audit->n_entries));
	head(buffer, "conductd_audit_pending", "gauge",
	     "Entries that have no number yet; no more than 10000 are counted.");
	line(buffer, "conductd_audit_pending", NULL, NULL, atomic_load(&audit->n_pending));
	write_age(buffer, "conductd_audit_pending_age_seconds",
		  "Age of the oldest entry without a number; 0: there is none.",
		  atomic_load(&audit->pending_ms));
	write_age(buffer, "conductd_audit_checkpoint_age_seconds",
		  "Age of the newest signed head; 0: there is none.", atomic_load(&audit->head_ms));
}

static void write_tls(const struct metrics *metrics, struct buffer *buffer)
{
	static const char server[] = "conductd_tls_certificate_expiry_timestamp_seconds";
	static const char client[] = "conductd_tls_client_ca_expiry_timestamp_seconds";
	const struct page_tls *tls = metrics->page->tls;

	head(buffer, server, "gauge", "Unix time at which a certificate or its chain expires.");
	for (size_t i = 0; i < metrics->n_tls_addresses; i++)
		line(buffer, server, "listen", metrics->tls_addresses[i],
		     atomic_load(&tls[i].expiry_s));
	head(buffer, client, "gauge", "Unix time from which no client certificate is believed.");
	for (size_t i = 0; i < metrics->n_tls_addresses; i++)
		if (atomic_load(&tls[i].client_ca_expiry_s))
			line(buffer, client, "listen", metrics->tls_addresses[i],
			     atomic_load(&tls[i].client_ca_expiry_s));
}

/* A failed append shows in buffer_finish(). */
void metrics_write(const struct metrics *metrics, struct buffer *buffer)
{
	write_processes(metrics->page, buffer);
	write_web(metrics->page, buffer);
	write_limits(metrics->page, buffer);
	write_words(metrics->page, buffer);
	write_tls(metrics, buffer);
	write_pool(metrics->page, metrics->pool, buffer);
	write_jobs(metrics, buffer);
	write_vault(metrics->page, buffer);
	write_log(metrics, buffer);
	write_wiki(&metrics->page->wiki, buffer);
	write_swept(metrics->page, buffer);
	write_snapshots(metrics->page, buffer);
	write_erased(metrics->page, buffer);
}
