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

static inline int suite_run(const char *name, const TTest *const *tests, size_t n_tests)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner;
	int n_failed;

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

/* SUITE("base/text", test_one, test_two) is the whole of main(). */
#define SUITE(name, ...)                                          \
	int main(void)                                            \
	{                                                         \
		const TTest *const tests[] = { __VA_ARGS__ };     \
		return suite_run(name, tests, ARRAY_SIZE(tests)); \
	}
