#pragma once
/*
 * One request and its answer, as handlers see them. An exchange lives until it is answered, also
 * when the client has left; everything in its arena is freed after the answer.
 */

#include "daemon/base/text.h"
#include "daemon/json/value.h"
#include "api/http/client.h"
#include "api/http/idempotency.h"
#include "api/http/router.h"

struct actor;      /* api/auth/actor.h */
struct connection; /* api/http/connection.h */

enum { EXCHANGE_ID_MAX = 64 };

struct shared; /* api/http/shared.h */

struct exchange_query {
	struct slice name;
	struct slice value;
};

/* A body or an answer that is never whole in memory; api/http/stream.c's own. */
struct exchange_stream {
	uint64_t left; /* of the body, before the answer; of the answer, after its head */
	char *room;    /* the piece that is being read */
	size_t size, n_filled;
	void (*next)(struct exchange *exchange, bool is_there);
	bool is_waiting; /* next() is owed when the client has done its part, or leaves */
};

struct exchange {
	struct arena *arena;
	void *application; /* what the server was made with: the services handlers use */

	/* The request. Everything is decoded, valid UTF-8 and borrowed from the arena. */
	enum http_method method;               /* HEAD reads as HTTP_GET */
	bool is_head;                          /* it was HEAD: the answer has no body */
	const struct route *route;             /* NULL before the router has found one */
	struct slice params[ROUTE_PARAMS_MAX]; /* NUL-terminated, in the order of the path */
	struct exchange_query query[ROUTE_QUERY_MAX];
	size_t n_query;
	struct slice headers[_HTTP_HEADER_N]; /* NUL-terminated; at is NULL when absent */
	struct slice body;                    /* the bytes as they came, padding included */
	const struct value
		*json; /* the parsed body; NULL on rows without body and ROUTE_RAW rows */
	enum idempotency_state key_state;
	struct slice key; /* without quotes, if key_state is IDEMPOTENCY_PRESENT */
	char request_id[EXCHANGE_ID_MAX + 1];
	struct client_address client;
	struct slice subject; /* names the account for its budgets; at NULL for everybody else */
	const struct actor *actor; /* set by the gate; NULL on AUDIENCE_PUBLIC rows */
	void *state;               /* the handler's own, between its callbacks */

	struct exchange_stream stream;
	struct exchange_reply *reply;
	struct connection *connection;
};

/* What refuses a request, on its way to the wire (RFC 9457 with MediaWiki's members). */
struct problem {
	int status;
	const char *key;            /* errorKey: a message of api/i18n */
	const struct value *params; /* array of texts and integers for $1, $2 …; or NULL */
	const struct value *errors; /* 422: array of {pointer, detail}; or NULL */
	const struct value *extra; /* object of further members, such as allowed_actions; or NULL */
	unsigned retry_after_s;    /* 0: no Retry-After */
};

/* Readers. */
/* True when no byte of a body leaves: HEAD, or the ETag that is set is what If-None-Match names. */
bool exchange_is_head_enough(const struct exchange *exchange);
struct slice exchange_param(const struct exchange *exchange, size_t index);
struct slice exchange_query(const struct exchange *exchange,
			    const char *name); /* at NULL: absent */

enum {
	EXCHANGE_E_ABSENT = 1, /* no If-Match, or "*": 428 */
	EXCHANGE_E_STALE,      /* not one strong tag of a revision: 412 */
};
int exchange_read_if_match(const struct exchange *exchange, int64_t *ret_revision);

/* ?limit=1..100 (50 when absent); false: the 400 has been sent. */
bool exchange_read_limit(struct exchange *exchange, unsigned *ret_limit);
/* True when the key is there; else the 400 has been sent. For ROUTE_KEY_LATE rows. */
bool exchange_require_key(struct exchange *exchange);
/* For AUDIENCE_LATE rows: fills exchange->actor and goes on with next(), or answers 401 or 403.
 * next() may run before this returns. */
void exchange_authenticate(struct exchange *exchange, enum audience audience,
			   void (*next)(struct exchange *exchange));

/*
 * For ROUTE_STREAM rows. `room` is filled with the next `size` bytes of the body, of which there
 * are so many left; then next(exchange, true) runs. False: the client has gone or takes too long,
 * nothing more will come, and the exchange is answered all the same. next() may run before this
 * returns. What is answered before the body has come ends the connection.
 */
uint64_t exchange_body_left(const struct exchange *exchange);
void exchange_take(struct exchange *exchange, char *room, size_t size,
		   void (*next)(struct exchange *exchange, bool is_there));

/* Headers of the answer, before one of the reply functions. */
void exchange_set_header(struct exchange *exchange, const char *name, const char *value);
void exchange_set_etag(struct exchange *exchange, const char *tag);      /* without quotes */
void exchange_set_revision(struct exchange *exchange, int64_t revision); /* the ETag of a case */
void exchange_set_public(struct exchange *exchange, unsigned max_age_s); /* else no-store */
/* Content-Security-Policy of a page, in place of the API's own; must outlive the exchange. */
void exchange_set_page_policy(struct exchange *exchange, const char *policy);
void exchange_set_next(struct exchange *exchange, const char *cursor); /* Link, rel="next" */

/* Answers. Exactly one is given; bytes and values are copied before these return, and the exchange
 * may be gone after. A 200 to GET whose ETag matches If-None-Match leaves as 304. */
void exchange_reply_json(struct exchange *exchange, int status, const struct value *value);
void exchange_reply_bytes(struct exchange *exchange, int status, const char *type,
			  struct slice bytes);
/* The same bytes for many, with their ETag; counted, not copied. */
void exchange_reply_shared(struct exchange *exchange, const char *type, struct shared *shared);
void exchange_reply_empty(struct exchange *exchange, int status);
void exchange_reply_problem(struct exchange *exchange, const struct problem *problem);
void exchange_refuse(struct exchange *exchange, int status, const char *key);
/* A negative return travelled up to the handler: 503 when memory is short, else 500; logged. */
void exchange_fail(struct exchange *exchange, int error);

/*
 * An answer of `length` bytes that is sent in pieces: want(exchange, true) asks for the next one,
 * which exchange_send() gives, at once or later; with the last one the exchange is gone. False:
 * nobody reads any more, and exchange_end() is owed. exchange_end() also cuts off an answer that
 * cannot go on. Where only the head is wanted (HEAD, If-None-Match) want() never runs, and the
 * exchange is gone when this returns.
 */
void exchange_begin_stream(struct exchange *exchange, int status, const char *type, uint64_t length,
			   void (*want)(struct exchange *exchange, bool is_wanted));
void exchange_send(struct exchange *exchange, struct slice bytes);
void exchange_end(struct exchange *exchange);
