/* daemon/worker/metrics: the shared page as Prometheus text. */

#include "daemon/fetch/fetch.h"
#include "daemon/worker/internal.h"
#include "daemon/worker/metrics.h"
#include "tests/unit/suite.h"

static struct page *page;

static void write_all(struct buffer *buffer)
{
	const struct pg_pool_state pool = { .n_ready = 2, .n_queued = 3, .n_in_flight = 4 };

	static const char *const addresses[] = { "[::]:443", "192.0.2.1:8443" };

	metrics_write(&(struct metrics){ .page = page,
					 .pool = &pool,
					 .jobs = job_kinds,
					 .n_jobs = job_n_kinds,
					 .tls_addresses = addresses,
					 .n_tls_addresses = ARRAY_SIZE(addresses),
					 .is_leader = true },
		      buffer);
	ck_assert_int_eq(0, buffer_finish(buffer));
}

START_TEST(counters_of_all_web_processes_are_summed)
{
	CLEANUP(buffer_deinit) struct buffer text = BUFFER_NULL;

	ck_assert_int_eq(0, page_new(&page));
	atomic_store(&page->web[0].n_requests[2], 5);
	atomic_store(&page->web[PAGE_WEB_LIMIT - 1].n_requests[2], 7);
	atomic_store(&page->web[1].n_requests[4], 1);
	atomic_store(&page->web[0].n_database_ready, 9);
	atomic_store(&page->web[0].n_words_damaged, 6);
	atomic_store(&page->n_restarts[PAGE_VAULT], 2);
	atomic_store(&page->jobs[0].n_runs, 11);
	atomic_store(&page->audit.n_pending, 13);
	atomic_store(&page->audit.pending_ms, 1);
	atomic_store(&page->tls[0].expiry_s, 1900000000);
	atomic_store(&page->tls[1].client_ca_expiry_s, 1800000000);
	write_all(&text);
	ck_assert_ptr_nonnull(
		strstr(text.at, "\nconductd_http_requests_total{status=\"2xx\"} 12\n"));
	ck_assert_ptr_nonnull(
		strstr(text.at, "\nconductd_http_requests_total{status=\"4xx\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(text.at, "\nconductd_words_damaged_total 6\n"));
	ck_assert_ptr_nonnull(
		strstr(text.at, "\nconductd_database_connections_ready{process=\"web\"} 9\n"));
	ck_assert_ptr_nonnull(
		strstr(text.at, "\nconductd_database_calls_queued{process=\"worker\"} 3\n"));
	ck_assert_ptr_nonnull(
		strstr(text.at, "\nconductd_process_restarts_total{process=\"vault\"} 2\n"));
	ck_assert_ptr_nonnull(strstr(text.at, "\nconductd_job_runs_total{job=\"policy\"} 11\n"));
	ck_assert_ptr_nonnull(strstr(text.at, "\nconductd_leader 1\n"));
	ck_assert_ptr_nonnull(strstr(text.at, "\nconductd_audit_in_order 0\n"));
	ck_assert_ptr_nonnull(strstr(text.at, "\nconductd_audit_pending 13\n"));
	/* Since 1970, and none at all. */
	ck_assert_ptr_null(strstr(text.at, "\nconductd_audit_pending_age_seconds 0\n"));
	ck_assert_ptr_nonnull(strstr(text.at, "\nconductd_audit_checkpoint_age_seconds 0\n"));
	ck_assert_ptr_nonnull(strstr(text.at,
				     "\nconductd_tls_certificate_expiry_timestamp_seconds{listen="
				     "\"[::]:443\"} 1900000000\n"));
	ck_assert_ptr_nonnull(strstr(text.at,
				     "\nconductd_tls_client_ca_expiry_timestamp_seconds{listen="
				     "\"192.0.2.1:8443\"} 1800000000\n"));
	ck_assert_ptr_null(strstr(text.at, "client_ca_expiry_timestamp_seconds{listen=\"[::]"));
	page = page_free(page);
}
END_TEST

START_TEST(what_wikis_are_asked_is_counted_by_call_and_outcome)
{
	CLEANUP(buffer_deinit) struct buffer text = BUFFER_NULL;
	struct page_wiki *wiki;
	int64_t begun_ms;

	ck_assert_int_eq(0, page_new(&page));
	wiki = &page->wiki;
	begun_ms = wiki_count_begin(wiki, PAGE_WIKI_NAMES);
	(void)wiki_count_begin(wiki, PAGE_WIKI_PROFILE);
	ck_assert_uint_eq(1, wiki->n_in_flight[PAGE_WIKI_NAMES]);
	wiki_count_end(wiki, PAGE_WIKI_NAMES, begun_ms - 1200, wiki_count_outcome(0, false, false));
	wiki_count_end(wiki, PAGE_WIKI_NAMES, begun_ms - 60000,
		       wiki_count_outcome(FETCH_E_LATE, false, true));
	atomic_store(&wiki->n_in_flight[PAGE_WIKI_NAMES], 0);
	page->n_swept[PAGE_SWEPT_KEYS] = 7;
	write_all(&text);
	ck_assert_ptr_nonnull(strstr(text.at, "\nconductd_wiki_requests_total{call=\"names\","
					      "outcome=\"answered\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(text.at, "outcome=\"late\"} 1\n"));
	ck_assert_ptr_nonnull(
		strstr(text.at, "\nconductd_wiki_requests_in_flight{call=\"profile\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(text.at, "{call=\"names\",le=\"1.000\"} 0\n"));
	ck_assert_ptr_nonnull(strstr(text.at, "{call=\"names\",le=\"2.500\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(text.at, "{call=\"names\",le=\"+Inf\"} 2\n"));
	ck_assert_ptr_nonnull(
		strstr(text.at, "\nconductd_wiki_request_seconds_sum{call=\"names\"} 61."));
	ck_assert_ptr_nonnull(strstr(text.at, "\nconductd_swept_total{what=\"keys\"} 7\n"));
	page = page_free(page);
}
END_TEST

START_TEST(what_comes_back_has_one_outcome)
{
	ck_assert_int_eq(PAGE_WIKI_ANSWERED, wiki_count_outcome(0, false, false));
	ck_assert_int_eq(PAGE_WIKI_REFUSED, wiki_count_outcome(0, true, false));
	ck_assert_int_eq(PAGE_WIKI_UNUSABLE, wiki_count_outcome(0, false, true));
	ck_assert_int_eq(PAGE_WIKI_UNUSABLE, wiki_count_outcome(FETCH_E_TOO_LONG, false, true));
	ck_assert_int_eq(PAGE_WIKI_LATE, wiki_count_outcome(FETCH_E_LATE, false, true));
	ck_assert_int_eq(PAGE_WIKI_UNREACHABLE,
			 wiki_count_outcome(FETCH_E_UNREACHABLE, false, true));
}
END_TEST

/* Every sample has a HELP and a TYPE line before it, and nothing else stands there. */
START_TEST(every_line_is_prometheus_text)
{
	CLEANUP(buffer_deinit) struct buffer text = BUFFER_NULL;
	char name[128] = "";
	char *rest = NULL;
	unsigned n_samples = 0;

	ck_assert_int_eq(0, page_new(&page));
	write_all(&text);
	for (char *line = strtok_r(text.at, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (sscanf(line, "# TYPE %127s", name) == 1)
			continue;
		if (strncmp(line, "# HELP ", 7) == 0)
			continue;
		ck_assert_msg(strncmp(line, name, strlen(name)) == 0, "%s after %s", line, name);
		ck_assert_msg(strspn(strrchr(line, ' ') + 1, "0123456789.") ==
				      strlen(strrchr(line, ' ') + 1),
			      "%s", line);
		n_samples++;
	}
	ck_assert_uint_ge(n_samples, 25);
	page = page_free(page);
}
END_TEST

START_TEST(a_job_has_one_row_and_a_place_in_the_page)
{
	ck_assert_uint_le(job_n_kinds, PAGE_JOB_LIMIT);
	for (size_t i = 0; i < job_n_kinds; i++) {
		ck_assert_ptr_nonnull(job_kinds[i].start);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(job_kinds[i].name, job_kinds[j].name);
	}
}
END_TEST

SUITE("worker/metrics", counters_of_all_web_processes_are_summed,
      what_wikis_are_asked_is_counted_by_call_and_outcome, what_comes_back_has_one_outcome,
      every_line_is_prometheus_text, a_job_has_one_row_and_a_place_in_the_page)
