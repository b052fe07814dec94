#pragma once
/* How much one account or network may ask for (RFC 9110 section 15.6.4, RFC 6585). */

#include "api/http/exchange.h"
#include "daemon/ipc/page.h"

/* Beside each: who is counted, over what time. */
enum limit {
	LIMIT_REPORTS_ACCOUNT, /* an account, a day (UTC) */
	LIMIT_REPORTS_NETWORK, /* a network, an hour */
	LIMIT_READS,           /* an account, else a network, a minute; the same below */
	LIMIT_ACTS,
	LIMIT_RECEIPTS, /* receipts that were not found; a network */
	LIMIT_AUTH,     /* credentials that did not hold, logins and logouts; a network */
	LIMIT_COUNT,
};

_Static_assert((int)LIMIT_COUNT == (int)PAGE_LIMITS, "each budget has a counter");

struct limits {
	struct budget_table *table; /* NULL: nothing is limited */
	uint32_t most[LIMIT_COUNT]; /* 0: not limited */
	uint32_t shared_factor;     /* so many times as much for a shared network */
	struct client_ranges shared;
	page_counter *n_refused; /* LIMIT_COUNT of them, or NULL */
	int64_t (*now_s)(void);  /* since 1970; NULL: the system's clock */
};

/* False: it is used up, and 429 has been sent. */
bool limits_take(struct exchange *exchange, enum limit limit);
/* The same without using anything. */
bool limits_have(struct exchange *exchange, enum limit limit);
/* Something was used up by how the request ended. */
void limits_note(struct exchange *exchange, enum limit limit);

/* A report of this account or network; `scope` is that of its Idempotency-Key: it counts once. */
bool limits_take_report(struct exchange *exchange, struct slice scope);
/* The report was refused after all: it does not count. */
void limits_return_report(struct exchange *exchange);
