#pragma once
/* The page that all processes share: counters, written by one process each and read by all, and
 * the table of budgets. */

#include <stdatomic.h>

#include "daemon/base/error.h"
#include "daemon/ipc/budget.h"

enum {
	PAGE_WEB_LIMIT = 256,
	PAGE_JOB_LIMIT = 16,
	PAGE_STATUS_CLASSES = 6,
	PAGE_LIMITS = 6,
	PAGE_TLS_LIMIT = 8
};

enum page_process { PAGE_PARENT, PAGE_WEB, PAGE_WORKER, PAGE_VAULT, PAGE_PROCESS_COUNT };

#define page_counter _Atomic uint64_t

struct page_web {
	page_counter n_requests[PAGE_STATUS_CLASSES]; /* by hundreds of the status; 0: none */
	page_counter is_serving; /* 1: policy in memory, every lane of the database connected */
	page_counter n_connections;
	page_counter n_limited[PAGE_LIMITS]; /* 429, by enum limit of api/http */
	page_counter n_overloaded;           /* 503 because too much waits */
	page_counter n_evicted;              /* waiting connections that made room */
	page_counter n_crowded;              /* connections of a network that had too many */
	page_counter n_late;                 /* requests whose answer took too long */
	page_counter n_database_ready;
	page_counter n_database_queued;
	page_counter n_words_damaged; /* did not open with their keys */
	page_counter n_database_in_flight;
};

/* Of an address that speaks TLS: when what is in use expires, in seconds since 1970. */
struct page_tls {
	page_counter expiry_s;
	page_counter client_ca_expiry_s; /* 0: clients need no certificate */
};

/* What wikis are asked, and what comes of it. */
enum page_wiki_call {
	PAGE_WIKI_PROFILE,
	PAGE_WIKI_TOKEN,
	PAGE_WIKI_NAMES,
	PAGE_WIKI_REVISION,
	PAGE_WIKI_CALLS
};
enum page_wiki_outcome {
	PAGE_WIKI_ANSWERED,
	PAGE_WIKI_REFUSED,     /* the wiki says no, which is an answer */
	PAGE_WIKI_UNUSABLE,    /* nothing to believe: an error, too many requests, garbage */
	PAGE_WIKI_LATE,        /* not within its time */
	PAGE_WIKI_UNREACHABLE, /* no answer at all */
	PAGE_WIKI_OUTCOMES,
};
enum { PAGE_WIKI_BUCKETS = 8 };

/* Written by the worker alone. */
struct page_wiki {
	page_counter n_calls[PAGE_WIKI_CALLS][PAGE_WIKI_OUTCOMES];
	page_counter n_in_flight[PAGE_WIKI_CALLS];
	page_counter n_took[PAGE_WIKI_CALLS][PAGE_WIKI_BUCKETS];
	page_counter took_ms[PAGE_WIKI_CALLS];
	page_counter n_joined;     /* questions answered with another's answer */
	page_counter n_left_alone; /* questions not asked, because the wiki is left alone */
};

/* How snapshots of revisions ended, as conduct.snapshot has it. */
enum { PAGE_SNAPSHOTS = 6 };

enum page_swept {
	PAGE_SWEPT_SESSIONS,
	PAGE_SWEPT_KEYS,
	PAGE_SWEPT_RECEIPTS, /* that said that they are erased */
	PAGE_SWEPT_COUNT,
};

/* What was erased; last, what could not be and is tried again. */
enum page_erased {
	PAGE_ERASED_PARTY,
	PAGE_ERASED_TEXT,
	PAGE_ERASED_SKELETON,
	PAGE_ERASED_FAILED,
	PAGE_ERASED_COUNT,
};

struct page_job {
	page_counter n_runs;
	page_counter n_failures;
	page_counter last_run_ms; /* since 1970 */
};

struct page_vault {
	page_counter n_opened; /* keys of units */
	page_counter n_broken; /* that no key of the vault opens */
	page_counter n_refused_person;
	page_counter n_refused_host;
	page_counter n_signed;
	page_counter n_rewrapped; /* keys of units sealed again to another key */
	/* Written by the worker. */
	page_counter n_alarmed; /* refusals that an alarm was raised about */
	page_counter n_alarms;
	page_counter n_stuck; /* keys of units that the last rotation could not open */
};

/* Of the log, as this host's worker last saw it. */
struct page_audit {
	page_counter n_entries;
	page_counter n_pending;
	page_counter pending_ms; /* since 1970, the oldest that is pending; 0: none */
	page_counter head_ms;    /* the newest checkpoint; 0: none */
	page_counter n_failures; /* times that it was found not to be in order */
};

struct page {
	page_counter started_ms; /* since 1970 */
	page_counter n_running[PAGE_PROCESS_COUNT];
	page_counter n_restarts[PAGE_PROCESS_COUNT];
	page_counter n_reloads;
	page_counter n_reloads_refused;
	struct page_web web[PAGE_WEB_LIMIT]; /* by the process's number; survives its restart */
	struct page_job jobs[PAGE_JOB_LIMIT];
	struct page_vault vault;
	struct page_audit audit;
	struct page_tls tls[PAGE_TLS_LIMIT]; /* by the configuration's row; web processes agree */
	struct page_wiki wiki;
	page_counter n_swept[PAGE_SWEPT_COUNT];
	page_counter n_snapshots[PAGE_SNAPSHOTS]; /* by snapshot_states */
	page_counter n_erased[PAGE_ERASED_COUNT];
	page_counter n_erasures_overdue; /* requests that got no answer by their limit */
	struct budget_table *budgets;    /* at one address in the parent and its forks */
	int budgets_fd;                  /* the parent's */
};

int page_new(struct page **ret_page);
int page_take_budgets(struct page *page, int fd);
void page_forget_web(struct page_web *web);
struct page *page_free(struct page *page);
