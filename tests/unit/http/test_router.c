/* The route table: rows, parameters, tails, 404 and 405, and tables that are refused. */

#include "api/http/router.h"

#include "tests/unit/suite.h"
#include <string.h>

static void handle(struct exchange *exchange)
{
}

#define ROW(method, path)                                    \
	{                                                    \
		method, path, AUDIENCE_PUBLIC, 0, 0, handle, \
		{                                            \
			NULL                                 \
		}                                            \
	}

static const struct route routes[] = {
	ROW(HTTP_GET, "/v1/policy"),         ROW(HTTP_GET, "/v1/policy/rules/{id…}"),
	ROW(HTTP_GET, "/v1/cases/{id}"),     ROW(HTTP_POST, "/v1/cases/{id}/actions/{action}"),
	ROW(HTTP_GET, "/v1/bodies/mine"),    ROW(HTTP_GET, "/v1/bodies/{id}"),
	ROW(HTTP_DELETE, "/v1/bodies/{id}"),
};

static struct route_match find(enum http_method method, const char *path)
{
	struct route_match match;
	struct router *router;

	ck_assert_int_eq(router_new(routes, ARRAY_SIZE(routes), &router), 0);
	router_find(router, method, (struct slice){ path, strlen(path) }, &match);
	router_free(router);
	return match;
}

START_TEST(a_row_is_found_with_its_parameters)
{
	struct route_match match = find(HTTP_POST, "/v1/cases/17/actions/claim");

	ck_assert_ptr_eq(match.route, &routes[3]);
	ck_assert_uint_eq(match.n_params, 2);
	ck_assert(match.params[0].length == 2 && memcmp(match.params[0].at, "17", 2) == 0);
	ck_assert(match.params[1].length == 5 && memcmp(match.params[1].at, "claim", 5) == 0);
}
END_TEST

START_TEST(a_tail_takes_slashes_and_is_not_empty)
{
	struct route_match match = find(HTTP_GET, "/v1/policy/rules/ucoc/3.1/doxing");

	ck_assert_ptr_eq(match.route, &routes[1]);
	ck_assert_uint_eq(match.params[0].length, strlen("ucoc/3.1/doxing"));
	ck_assert_ptr_null(find(HTTP_GET, "/v1/policy/rules/").route);
}
END_TEST

START_TEST(near_misses_are_not_found)
{
	static const char *const paths[] = {
		"/",          "/v1",        "/v1/policy/",  "/v1/polic",     "/v1/policyx",
		"/V1/policy", "/v1/cases/", "/v1/cases/1/", "/v1/cases/1/x", "/v1/%63ases/1"
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct route_match match = find(HTTP_GET, paths[i]);

		ck_assert_ptr_null(match.route);
		ck_assert_uint_eq(match.allowed, 0);
	}
}
END_TEST

START_TEST(another_method_tells_what_is_allowed)
{
	struct route_match match = find(HTTP_POST, "/v1/bodies/x");

	ck_assert_ptr_null(match.route);
	ck_assert_uint_eq(match.allowed, HTTP_GET | HTTP_HEAD | HTTP_DELETE | HTTP_OPTIONS);
}
END_TEST

START_TEST(head_is_get_and_a_literal_stands_before_a_parameter)
{
	ck_assert_ptr_eq(find(HTTP_HEAD, "/v1/bodies/mine").route, &routes[4]);
	ck_assert_ptr_eq(find(HTTP_GET, "/v1/bodies/yours").route, &routes[5]);
}
END_TEST

#define HIDDEN(name, ...)                                                               \
	START_TEST(name)                                                                \
	{                                                                               \
		static const struct route rows[] = { __VA_ARGS__ };                     \
		struct router *router = NULL;                                           \
		ck_assert_int_eq(router_new(rows, ARRAY_SIZE(rows), &router), -EINVAL); \
		ck_assert_ptr_null(router);                                             \
	}                                                                               \
	END_TEST

HIDDEN(a_row_behind_its_own_parameter_is_refused, ROW(HTTP_GET, "/a/{id}"), ROW(HTTP_GET, "/a/b"))
HIDDEN(a_row_that_stands_twice_is_refused, ROW(HTTP_GET, "/a"), ROW(HTTP_GET, "/a"))
HIDDEN(a_row_of_head_is_refused, ROW(HTTP_HEAD, "/a"))
HIDDEN(a_row_of_options_is_refused, ROW(HTTP_OPTIONS, "/a"))
HIDDEN(a_relative_row_is_refused, ROW(HTTP_GET, "a"))
HIDDEN(an_open_brace_is_refused, ROW(HTTP_GET, "/a/{id"))
HIDDEN(a_brace_inside_a_segment_is_refused, ROW(HTTP_GET, "/a/x{id}"))
HIDDEN(text_behind_a_brace_is_refused, ROW(HTTP_GET, "/a/{id}.json"))
HIDDEN(a_tail_in_the_middle_is_refused, ROW(HTTP_GET, "/a/{id…}/b"))
HIDDEN(five_parameters_are_refused, ROW(HTTP_GET, "/{a}/{b}/{c}/{d}/{e}"))

SUITE("http/router", a_row_is_found_with_its_parameters, a_tail_takes_slashes_and_is_not_empty,
      near_misses_are_not_found, another_method_tells_what_is_allowed,
      head_is_get_and_a_literal_stands_before_a_parameter,
      a_row_behind_its_own_parameter_is_refused, a_row_that_stands_twice_is_refused,
      a_row_of_head_is_refused, a_row_of_options_is_refused, a_relative_row_is_refused,
      an_open_brace_is_refused, a_brace_inside_a_segment_is_refused, text_behind_a_brace_is_refused,
      a_tail_in_the_middle_is_refused, five_parameters_are_refused)
