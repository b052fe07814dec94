#pragma once
/*
 * The wall around libcurl: HTTP requests with their whole answers. fetch_once() blocks and is
 * conductctl's; a client runs many on an event loop, to the origins it was made with and no others.
 */

#include "daemon/base/buffer.h"

struct event_base;
struct fetch_client;

enum {
	FETCH_E_UNREACHABLE = 1, /* no answer; reply->error says why */
	FETCH_E_LATE,            /* not all of it within timeout_ms */
	FETCH_E_TOO_LONG,        /* a body above body_max */
	FETCH_E_FORBIDDEN,       /* an address of another origin; nothing was sent */
	FETCH_E_FULL,            /* FETCH_CALL_LIMIT are under way */
};

enum { FETCH_BODY_MAX = 4 * 1024 * 1024, FETCH_CALL_LIMIT = 256 };

struct fetch_header {
	const char *name;
	const char *value;
};

struct fetch_request {
	const char *method;
	const char *url;
	const struct fetch_header *headers;
	size_t n_headers;
	const char *body;      /* NULL: none */
	const char *body_type; /* NULL: application/json */
	size_t body_max;       /* of the answer; 0: FETCH_BODY_MAX */
	long timeout_ms;       /* from the start to the last byte */
};

struct fetch_reply {
	long status;
	struct buffer body;
	unsigned retry_after_s; /* 0: not said */
	char error[256];
};

void fetch_reply_deinit(struct fetch_reply *reply); /* for CLEANUP() */
int fetch_once(const struct fetch_request *request, struct fetch_reply *reply);

/* Lives in the caller's struct until done() has been called, exactly once, never before
 * fetch_start() returns. */
struct fetch_call {
	/* 0 or FETCH_E_…; the reply is gone after. */
	void (*done)(struct fetch_call *call, int outcome, const struct fetch_reply *reply);

	/* The client's own. */
	struct fetch_reply reply;
	struct fetch_transfer *transfer;
	struct fetch_call *next;
};

struct fetch_client_setup {
	struct event_base *base;
	const char *user_agent;
	const char *const *urls; /* their origins are those that may be asked; borrowed for _new */
	size_t n_urls;
};

int fetch_client_new(const struct fetch_client_setup *setup, struct fetch_client **ret_client);
/* Calls under way end with FETCH_E_UNREACHABLE. Not from within done(). Returns NULL. */
struct fetch_client *fetch_client_free(struct fetch_client *client);
bool fetch_client_equals(const struct fetch_client *a, const struct fetch_client *b);
bool fetch_client_is_idle(const struct fetch_client *client);
/* 0: done() runs later. FETCH_E_FORBIDDEN, FETCH_E_FULL or negative: it never does. */
int fetch_start(struct fetch_client *client, const struct fetch_request *request,
		struct fetch_call *call);

/* The length of scheme, host and port of an address of https, or of http on loopback. */
enum { FETCH_ORIGIN_E_REFUSED = 1 };
int fetch_origin_read(const char *url, size_t *ret_length);
/* Appends `text` as one value of a form or query: RFC 3986 unreserved as it is, the rest %XX. */
void fetch_escape(struct buffer *buffer, struct slice text);
