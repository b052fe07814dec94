#pragma once
/* The main function of a suite: runs a list of test functions and prints Check's count. */

#include "daemon/base/error.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLICE(literal) ((struct slice){ .at = (literal), .length = sizeof(literal) - 1 })

static inline struct slice slice_of(const char *text)
{
	return (struct slice){ .at = text, .length = strlen(text) };
}

#define ck_assert_slice_eq(actual, expected)                                                   \
	do {                                                                                   \
		struct slice slice_ = (actual);                                                \
		const char *text_ = (expected);                                                \
		ck_assert_msg(slice_.length == strlen(text_) &&                                \
				      memcmp(slice_.at, text_, slice_.length) == 0,            \
			      "\"%.*s\" is not \"%s\"", (int)slice_.length, slice_.at, text_); \
	} while (0)

/* What runs around the tests: around each of them, or once around all. NULL: nothing. */
struct suite_fixture {
	SFun each_setup;
	SFun each_teardown;
	SFun once_setup;
	SFun once_teardown;
};

static inline int suite_run(const char *name, struct suite_fixture fixture,
			    const TTest *const *tests, size_t n_tests)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner;
	int n_failed;

	tcase_add_unchecked_fixture(tcase, fixture.once_setup, fixture.once_teardown);
	tcase_add_checked_fixture(tcase, fixture.each_setup, fixture.each_teardown);
	for (size_t i = 0; i < n_tests; i++)
		tcase_add_test(tcase, tests[i]);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define SUITE_WITH(name, fixture, ...)                                     \
	int main(void)                                                     \
	{                                                                  \
		const TTest *const tests[] = { __VA_ARGS__ };              \
		return suite_run(name, fixture, tests, ARRAY_SIZE(tests)); \
	}

/* SUITE("base/text", test_one, test_two) is the whole of main(). */
#define SUITE(name, ...) SUITE_WITH(name, (struct suite_fixture){ 0 }, __VA_ARGS__)
/* The same with something made before and put away after each test, or once for all of them. */
#define SUITE_EACH(name, setup, teardown, ...)                                                     \
	SUITE_WITH(name,                                                                           \
		   ((struct suite_fixture){ .each_setup = (setup), .each_teardown = (teardown) }), \
		   __VA_ARGS__)
#define SUITE_ONCE(name, setup, teardown, ...)                                                     \
	SUITE_WITH(name,                                                                           \
		   ((struct suite_fixture){ .once_setup = (setup), .once_teardown = (teardown) }), \
		   __VA_ARGS__)
