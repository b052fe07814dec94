/*
 * Finds the row of a path. The table is small and read in order, so a literal row stands before a
 * row with a parameter in the same place; a row that an earlier one hides is refused at start.
 */

#include "api/http/router.h"

#include <stdlib.h>
#include <string.h>

struct row {
	const struct route *route;
	size_t n_literal; /* bytes before the first parameter */
	bool is_literal;  /* there is none */
};

struct router {
	size_t n_rows;
	struct row rows[];
};

#define TAIL "…}"

static bool is_tail(const char *open, const char *close)
{
	size_t n = strlen(TAIL);

	return (size_t)(close - open) >= n && memcmp(close + 1 - n, TAIL, n) == 0;
}

/* `pattern` is a checked row path, so each '{' has its '}'. */
static bool match_path(const char *pattern, struct slice path, struct route_match *ret_match)
{
	const char *at = path.at, *end = path.at + path.length;

	ret_match->n_params = 0;
	while (*pattern) {
		const char *close, *stop;

		if (*pattern != '{') {
			if (at == end || *at++ != *pattern++)
				return false;
			continue;
		}
		close = strchr(pattern, '}');
		stop = is_tail(pattern, close) ? NULL : memchr(at, '/', (size_t)(end - at));
		if (!stop)
			stop = end;
		if (stop == at)
			return false;
		ret_match->params[ret_match->n_params++] = (struct slice){ at,
									   (size_t)(stop - at) };
		at = stop;
		pattern = close + 1;
	}
	return at == end;
}

static bool is_sound_route(const struct route *route)
{
	size_t n_params = 0;

	if (!route->path || route->path[0] != '/' || !route->handle || !route->method ||
	    route->method == HTTP_HEAD || route->method == HTTP_OPTIONS)
		return false;
	for (const char *at = strchr(route->path, '{'); at; at = strchr(at, '{')) {
		const char *close = strchr(at, '}');

		if (!close || at[-1] != '/' || ++n_params > ROUTE_PARAMS_MAX)
			return false;
		if (close[1] != '\0' && (close[1] != '/' || is_tail(at, close)))
			return false;
		at = close;
	}
	return true;
}

/**
 * router_new() - check a route table and make it searchable
 *
 * Return: 0, -ENOMEM, or -EINVAL for a malformed or hidden row.
 */
int router_new(const struct route *routes, size_t n_routes, struct router **ret_router)
{
	struct route_match match;
	struct router *router;

	for (size_t i = 0; i < n_routes; i++) {
		struct slice path;

		if (!is_sound_route(&routes[i]))
			return -EINVAL;
		path = (struct slice){ routes[i].path, strlen(routes[i].path) };
		for (size_t j = 0; j < i; j++)
			if (routes[j].method == routes[i].method &&
			    match_path(routes[j].path, path, &match))
				return -EINVAL;
	}
	router = malloc(sizeof(*router) + n_routes * sizeof(router->rows[0]));
	if (!router)
		return -ENOMEM;
	router->n_rows = n_routes;
	for (size_t i = 0; i < n_routes; i++) {
		size_t n = strcspn(routes[i].path, "{");

		router->rows[i] = (struct row){ &routes[i], n, !routes[i].path[n] };
	}
	*ret_router = router;
	return 0;
}

/* Takes NULL; returns NULL. */
struct router *router_free(struct router *router)
{
	free(router);
	return NULL;
}

/* Most rows are told apart by their length and one byte. */
static bool may_match(const struct row *row, struct slice path)
{
	size_t n = row->n_literal;

	return (row->is_literal ? path.length == n : path.length > n) &&
	       path.at[n - 1] == row->route->path[n - 1];
}

/**
 * router_find() - the row for a method and a path
 * @ret_match: route NULL and allowed 0: no such path; route NULL and allowed set: other methods.
 *             OPTIONS never has a row; `allowed` is what it answers.
 */
void router_find(const struct router *router, enum http_method method, struct slice path,
		 struct route_match *ret_match)
{
	struct route_match found = { 0 };
	unsigned allowed = 0, cors = 0;

	if (method == HTTP_HEAD)
		method = HTTP_GET;
	for (size_t i = 0; i < router->n_rows; i++) {
		const struct row *row = &router->rows[i];
		struct route_match match = { 0 };

		if (!may_match(row, path) || !match_path(row->route->path, path, &match))
			continue;
		allowed |= row->route->method;
		if (row->route->flags & ROUTE_CORS)
			cors |= row->route->method;
		if (row->route->method != method || found.route)
			continue;
		found = match;
		found.route = row->route;
	}
	if (allowed & HTTP_GET)
		allowed |= HTTP_HEAD;
	if (cors & HTTP_GET)
		cors |= HTTP_HEAD;
	if (allowed)
		allowed |= HTTP_OPTIONS;
	found.allowed = allowed;
	found.cors = cors;
	*ret_match = found;
}
