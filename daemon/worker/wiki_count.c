/*
 * What wikis are asked and how it ends, counted on the shared page. Nothing here tells one account
 * from another, nor one wiki.
 */

#include <time.h>

#include "daemon/fetch/fetch.h"
#include "daemon/worker/internal.h"

/* Upper ends of the buckets of conductd_wiki_request_seconds; the last has none. */
const unsigned wiki_bucket_ms[PAGE_WIKI_BUCKETS] = { 50, 100, 250, 500, 1000, 2500, 5000, 0 };

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A request leaves; the time is for wiki_count_end(). */
int64_t wiki_count_begin(struct page_wiki *wiki, enum page_wiki_call call)
{
	atomic_fetch_add(&wiki->n_in_flight[call], 1);
	return now_ms();
}

/* What came back: the outcome of the call, and then of its reader. */
enum page_wiki_outcome wiki_count_outcome(int fetched, bool is_refused, bool is_unusable)
{
	if (fetched == FETCH_E_LATE)
		return PAGE_WIKI_LATE;
	if (fetched == FETCH_E_TOO_LONG)
		return PAGE_WIKI_UNUSABLE;
	if (fetched)
		return PAGE_WIKI_UNREACHABLE;
	return is_unusable  ? PAGE_WIKI_UNUSABLE
	       : is_refused ? PAGE_WIKI_REFUSED
			    : PAGE_WIKI_ANSWERED;
}

void wiki_count_end(struct page_wiki *wiki, enum page_wiki_call call, int64_t begun_ms,
		    enum page_wiki_outcome outcome)
{
	int64_t took_ms = now_ms() - begun_ms;
	size_t bucket = 0;

	while (wiki_bucket_ms[bucket] && took_ms > (int64_t)wiki_bucket_ms[bucket])
		bucket++;
	atomic_fetch_sub(&wiki->n_in_flight[call], 1);
	atomic_fetch_add(&wiki->n_calls[call][outcome], 1);
	atomic_fetch_add(&wiki->n_took[call][bucket], 1);
	atomic_fetch_add(&wiki->took_ms[call], (uint64_t)took_ms);
}
