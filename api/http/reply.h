#pragma once
/* Inside api/http: the answer under construction, and the way from an exchange to its connection.
 */

#include "api/http/exchange.h"
#include "daemon/ipc/page.h"

enum { REPLY_TAG_MAX = 80, REPLY_PADDING = 4096, REPLY_SLOT_US = 10000, REPLY_IDS = 64 };

struct cors;   /* api/http/cors.h */
struct limits; /* api/http/limits.h */

/* Random bytes for the names of requests, drawn for many at once. */
struct exchange_ids {
	uint8_t bytes[REPLY_IDS][TEXT_UUID_SIZE];
	size_t n_left;
};

/* Who is asking? Filled in by the program: the answer lies on a higher floor. */
struct exchange_gate {
	/* Sets exchange->actor and calls next(), or answers 401 or 403. NULL: everybody is nobody.
	 */
	void (*authenticate)(void *context, struct exchange *exchange, enum audience audience,
			     void (*next)(struct exchange *exchange));
	void *context;
	/* What names the account that was authenticated; at NULL for others. */
	struct slice (*subject)(const struct exchange *exchange);
	/* Too much waits already: whoever can is asked to come back; may be NULL. */
	bool (*is_overloaded)(void *context);
	page_counter *n_overloaded;
	struct exchange_ids *ids;    /* NULL: each is drawn alone */
	const struct limits *limits; /* NULL: none */
	const struct cors *cors;     /* NULL: no page of another origin reads anything */
};

struct exchange_reply {
	void (*deliver)(struct exchange *exchange); /* the answer is complete; once */
	const struct exchange_gate *gate;
	void (*next)(struct exchange *exchange); /* after the gate */
	enum audience audience;
	uint64_t counted_key; /* of a report, in the table of budgets */
	bool has_counted;
	int status;       /* 0: not answered */
	const char *type; /* NULL: no body */
	struct buffer body;
	bool is_stream; /* the body comes later, of this length: */
	uint64_t length;
	struct shared *shared;   /* counted; NULL: `body` is meant */
	struct buffer headers;   /* whole lines */
	char tag[REPLY_TAG_MAX]; /* with quotes; "" for none */
	const char *page_policy; /* NULL: the one of answers that nobody renders */
	unsigned max_age_s;
	const char *origin; /* echoed to the page that asks, or NULL */
	bool varies_by_origin;
	bool is_public;
	bool is_reserve; /* its connection is one of those kept for emergencies */
	bool is_slotted; /* leaves on the 10 ms grid */
	bool has_failed; /* memory ran out while it was built */
};

int exchange_new(const struct exchange_gate *gate, void *application,
		 void (*deliver)(struct exchange *exchange), struct exchange **ret_exchange);
struct exchange *exchange_free(struct exchange *exchange);
void exchange_take_id(struct exchange *exchange, struct slice id);

/* Before the body: everything the head alone tells. `pending` is set when it refuses. */
struct exchange_refusal {
	int status; /* 0: not refused */
	const char *key;
};
/* 0 or negative. The exchange keeps copies of what it needs of `request`. */
int exchange_admit_head(struct exchange *exchange, const struct http_request *request,
			const struct router *router, struct exchange_refusal *ret_refusal);
/* After the body has come: parses it, asks the gate, calls the handler. */
void exchange_admit_body(struct exchange *exchange);
/* False: a public row that is counted was refused. */
bool exchange_admit_public(struct exchange *exchange);
