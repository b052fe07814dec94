#pragma once
/*
 * The route table: a row carries its whole contract, and the checks it names are made before its
 * handler runs. 405 is told from 404.
 */

#include "api/http/parser.h"

struct exchange;

enum {
	ROUTE_PARAMS_MAX = 4,
	ROUTE_QUERY_MAX = 16,
	ROUTE_BODY_DEFAULT = 64 * 1024,
};

/* Who may call. The gate (api/auth) answers 401 and 403 before the handler runs. */
enum audience {
	AUDIENCE_PUBLIC,    /* credentials are not even read */
	AUDIENCE_REPORTER,  /* anonymous, a receipt, an account of any client scope */
	AUDIENCE_PARTY,     /* a receipt, or an account (client scope full) */
	AUDIENCE_ACCOUNT,   /* an account (client scope full) */
	AUDIENCE_EMERGENCY, /* everybody: a credential that does not hold is dropped and noted */
	AUDIENCE_LATE,      /* the handler calls exchange_authenticate() itself */
};

enum route_flags {
	ROUTE_KEY = 1 << 0,      /* Idempotency-Key: absent or malformed is 400 */
	ROUTE_KEY_LATE = 1 << 1, /* Idempotency-Key is read; the handler decides what it needs */
	ROUTE_SLOT = 1 << 2,     /* its 404s leave on the 10 ms grid, always the same bytes */
	ROUTE_PADDED = 1 << 3,   /* JSON answers are padded with spaces to steps of 4 KiB */
	ROUTE_UUIDS =
		1 << 4, /* parameters named …id are UUIDs; a malformed one becomes the nil UUID */
	ROUTE_RAW = 1 << 5,     /* the body is not JSON; the handler reads x->body */
	ROUTE_COUNTED = 1 << 7, /* public, and yet within its network's budget */
	ROUTE_CORS = 1 << 6,    /* pages of allowed origins may call it and read the answer */
	/* A right of office is used: the account was asked about a minute ago at most, and is
	 * neither blocked nor temporary. */
	ROUTE_OFFICE = 1 << 8,
	/* Body or answer are held by nobody: the handler runs after the head and takes or sends
	 * them piece by piece (exchange_take(), exchange_begin_stream()). With ROUTE_RAW. */
	ROUTE_STREAM = 1 << 9,
};

struct route {
	enum http_method method; /* a GET row answers HEAD as well */
	const char
		*path; /* "/v1/cases/{id}/actions/{action}"; a last "{id…}" takes the whole tail */
	enum audience audience;
	uint32_t body_max; /* bytes; 0: no body is taken */
	unsigned flags;
	void (*handle)(struct exchange *exchange);
	const char *query[ROUTE_QUERY_MAX]; /* parameter names; any other is 400 */
};

struct route_match {
	const struct route *route;             /* NULL: 404, or 405 if allowed is not 0 */
	unsigned allowed;                      /* bits of enum http_method that the path knows */
	unsigned cors;                         /* those of them that have ROUTE_CORS */
	struct slice params[ROUTE_PARAMS_MAX]; /* still encoded, in the order of the path */
	size_t n_params;
};

struct router;

/* `routes` are borrowed for the router's life. -EINVAL: a row that could never be reached, a
 * malformed path, or too many parameters. */
int router_new(const struct route *routes, size_t n_routes, struct router **ret_router);
struct router *router_free(struct router *router);
void router_find(const struct router *router, enum http_method method, struct slice path,
		 struct route_match *ret_match);
