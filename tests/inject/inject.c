/*
 * Lets the n-th call at a seam fail, for n = 1, 2, 3 … until a request is answered without reaching
 * the n-th, once alone and once with all calls behind it failing too. After each failure: the
 * process lives; the client has an answer or a closed connection; a success is in the database, and
 * of what is read so is the reading, before the first byte of it; the request sent again, with its
 * key, succeeds, and what it asked for is in the database once. Nothing is leaked, and what the
 * process holds does not grow.
 *
 *   inject CONFIG CONNINFO REPORTER-TOKEN HANDLER-TOKEN RESPONDENT STEP SEED CERTIFICATE
 */

#include "tests/inject/client.h"
#include "tests/inject/fault.h"
#include "tests/inject/request.h"
#include "tests/inject/service.h"

#include <sanitizer/lsan_interface.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	QUIET_MS = 20,       /* calls that all fail are over when nothing happens for so long, */
	PERSISTENT_MS = 150, /* or after this time */
	SKIP_AFTER_MS = 250, /* without an answer deadlines are made to pass, */
	SKIP_MS = 70000,     /* by this much, more than any of them is long */
	HANG_MS = 5000,
	PATIENCE_MS = 20000, /* for connections to come back */
	TRIES = 100,
	MISSES = 3, /* runs without a failure that end a row */
	N_MAX = 100000,
	LEAK_RUNS = 64, /* between two looks for leaks */
	GROWTH_MAX = 64 * 1024,
};

/* AddressSanitizer's; GCC brings no header for it. */
size_t __sanitizer_get_current_allocated_bytes(void);

static struct service *service;
static struct answer first, again;
static struct {
	bool is_persistent, has_skipped;
	unsigned quiet_ms, n_calls;
} faults;
static unsigned n_passed, n_failed, n_runs_all, seed;

static void complain(const char *format, ...) PRINTF(1, 2);

static void complain(const char *format, ...)
{
	va_list args;

	n_failed++;
	printf("not ok ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
}

static bool await_whole(void)
{
	for (unsigned waited = 0; !service_is_whole(service); waited += ASK_STEP_MS) {
		if (waited > PATIENCE_MS)
			return false;
		pause_ms(ASK_STEP_MS);
	}
	return true;
}

/* Failures that persist end when they have done what they can; then the client has to be served. */
static bool wait_faulty(unsigned waited_ms)
{
	unsigned n_calls = fault_count();

	faults.quiet_ms = n_calls == faults.n_calls ? faults.quiet_ms + ASK_STEP_MS : 0;
	faults.n_calls = n_calls;
	if (faults.is_persistent &&
	    (waited_ms >= PERSISTENT_MS || (fault_count_failed() && faults.quiet_ms >= QUIET_MS)))
		fault_disarm();
	if (waited_ms % SKIP_AFTER_MS == 0) {
		fault_skip_ms(SKIP_MS);
		faults.has_skipped = true;
	}
	return waited_ms < HANG_MS;
}

static bool is_success(const struct answer *answer)
{
	return answer->status >= 200 && answer->status < 300;
}

/* Sent again until the answer is definite: connections to the database may have to come back. */
static bool repeat(const struct scenario *scenario, const struct request *request)
{
	for (unsigned i = 0; i < TRIES; i++) {
		client_ask(service_target(service, scenario->is_tls), request->text, wait_faulty,
			   &again);
		if (again.status == scenario->status)
			return true;
		pause_ms(50);
	}
	return false;
}

/* Where two texts part. */
static size_t difference(const char *a, const char *b)
{
	size_t i = 0;

	while (a[i] && a[i] == b[i])
		i++;
	return i;
}

static void judge(const struct scenario *scenario, const struct request *request, const char *what)
{
	/* A failing answer may still be on its way into the database, a good one may not. */
	if (is_success(&first) && request->count && request_count(request) != 1)
		complain("%s: %d was said, and it is in the database %ld times", what, first.status,
			 request_count(request));
	/* Whole or not, it had begun. */
	if (strncmp(first.bytes, "HTTP/1.1 2", 10) == 0 && request->logged &&
	    request_count_logged(request) == 0)
		complain("%s: it was read, and the log does not say so", what);
	if (first.has_hung)
		complain("%s: no answer", what);
	/* What fails here is never the client's fault, unless its time was made to pass. */
	if (first.status && !is_success(&first) && first.status < 500 &&
	    !(first.status == 408 && faults.has_skipped))
		complain("%s: %d: %s", what, first.status, first.body);
	if (is_success(&first) && request->expected && strcmp(request->expected, first.body) != 0)
		complain("%s: another body than without faults, from \"%.60s\"", what,
			 first.body + difference(first.body, request->expected));
	if (!repeat(scenario, request)) {
		complain("%s: sent again it is %d: %s", what, again.status, again.body);
		return;
	}
	if (request->count && request_count(request) != 1)
		complain("%s: sent again it is in the database %ld times", what,
			 request_count(request));
	if (request->count && is_success(&first) && strcmp(first.body, again.body) != 0)
		complain("%s: sent again the answer is another, from \"%.60s\"", what,
			 first.body + difference(first.body, again.body));
}

/* Whether the n-th call was reached. */
static bool run_one(const struct scenario *scenario, enum fault_kind kind, unsigned n,
		    bool is_persistent, const char *what)
{
	struct request request = { 0 };
	bool has_fired;

	if (!await_whole())
		complain("%s: the connections to the database do not come back", what);
	scenario->make(&request);
	faults.is_persistent = is_persistent;
	faults.quiet_ms = 0;
	faults.has_skipped = false;
	fault_arm(kind, n, is_persistent);
	client_ask(service_target(service, scenario->is_tls), request.text, wait_faulty, &first);
	fault_disarm();
	has_fired = fault_count_failed() > 0;
	judge(scenario, &request, what);
	request_free(&request);
	n_runs_all++;
	return has_fired;
}

static size_t heap_size(const struct scenario *scenario)
{
	if (await_whole())
		(void)run_one(scenario, FAULT_NONE, 0, false, "before and after");
	return __sanitizer_get_current_allocated_bytes();
}

static void check_leaks(const char *what)
{
	static bool has_leaked;

	/* Once is enough: it would be told of again each time. */
	if (has_leaked || !__lsan_do_recoverable_leak_check())
		return;
	has_leaked = true;
	complain("%s, or up to %d runs before it: memory is leaked", what, LEAK_RUNS);
}

static const char *const seams[FAULT_KIND_COUNT] = {
	[FAULT_MEMORY] = "memory",
	[FAULT_KERNEL] = "kernel",
	[FAULT_DATABASE] = "libpq",
	[FAULT_CRYPTO] = "OpenSSL",
};

/* All n of one seam; `step` > 1 leaves some out where there are many. */
static void run_row(const struct scenario *scenario, enum fault_kind kind, bool is_persistent,
		    unsigned step)
{
	unsigned n = 1, n_missed = 0, n_runs = 0, failed = n_failed;
	size_t before = heap_size(scenario), after;
	char what[128] = "";

	while (n_missed < MISSES && n < N_MAX) {
		snprintf(what, sizeof(what), "%s, %s call %u fails%s", scenario->name, seams[kind],
			 n, is_persistent ? " and all behind it" : "");
		fprintf(stderr, "%s\n", what);
		n_missed = run_one(scenario, kind, n, is_persistent, what) ? 0 : n_missed + 1;
		n += n < 32 || n_missed ? 1 : 1 + (unsigned)rand_r(&seed) % (2 * step - 1);
		if (++n_runs % LEAK_RUNS == 0)
			check_leaks(what);
	}
	check_leaks(what);
	after = heap_size(scenario);
	if (after > before + GROWTH_MAX)
		complain("%s, %s: %zu bytes more are held after %u runs", scenario->name,
			 seams[kind], after - before, n_runs);
	n_passed += failed == n_failed;
	printf("# %s, %s calls failing %s: %u runs, the last at call %u, %+ld bytes held\n",
	       scenario->name, seams[kind], is_persistent ? "from the n-th on" : "once", n_runs, n,
	       (long)after - (long)before);
	fflush(stdout);
}

static void run_all(unsigned step)
{
	for (size_t i = 0; i < scenarios_n; i++)
		for (int kind = FAULT_MEMORY; kind < FAULT_KIND_COUNT; kind++)
			for (int persists = 0; persists < 2; persists++)
				run_row(&scenarios[i], (enum fault_kind)kind, persists, step);
}

int main(int argc, char **argv)
{
	if (argc != 9) {
		fprintf(stderr, "started by tests/inject/run only\n");
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN); /* as in the daemon */
	service = service_new(argv[1], argv[8]);
	if (!service || !await_whole()) {
		fprintf(stderr, "the service does not start\n");
		return 2;
	}
	request_set_up(&(struct request_setup){ .conninfo = argv[2],
						.reporter = argv[3],
						.handler = argv[4],
						.respondent = argv[5],
						.port = service_target(service, false)->port });
	printf("# seed %s, every %s. call\n", argv[7], argv[6]);
	seed = (unsigned)strtoul(argv[7], NULL, 10);
	run_all((unsigned)strtoul(argv[6], NULL, 10));
	request_end();
	service_free(service);
	printf("# %u runs\n%u passed, %u failed\n", n_runs_all, n_passed, n_failed);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
