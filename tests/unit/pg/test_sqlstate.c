/* daemon/pg/sqlstate: the one table from SQLSTATE to HTTP. */

#include <check.h>
#include <stdlib.h>

#include "daemon/pg/internal.h"

static const struct pg_constraint constraints[] = {
	{ "appeal_once", 409, "conduct-error-appealed" },
};

static const struct pg_pool_setup setup = {
	.constraints = constraints,
	.n_constraints = ARRAY_SIZE(constraints),
};

static const struct {
	struct failure failure;
	enum pg_outcome outcome;
	int status;
	const char *error_key;
	bool is_stale;
	bool is_reported;
} cases[] = {
	{ { "UC409", "conduct-guard-quorum", NULL, NULL },
	  PG_REFUSED,
	  409,
	  "conduct-guard-quorum",
	  false,
	  false },
	{ { "UC404", "conduct-error-not-found", NULL, NULL },
	  PG_REFUSED,
	  404,
	  "conduct-error-not-found",
	  false,
	  false },
	{ { "UC399", "x", NULL, NULL }, PG_REFUSED, 500, "conduct-error-internal", false, true },
	{ { "UC600", "x", NULL, NULL }, PG_REFUSED, 500, "conduct-error-internal", false, true },
	{ { "UC4a4", "x", NULL, NULL }, PG_REFUSED, 500, "conduct-error-internal", false, true },
	{ { "42501", "permission denied for table person", NULL, NULL },
	  PG_REFUSED,
	  404,
	  "conduct-error-not-found",
	  false,
	  false },
	{ { "55P03", "", NULL, NULL }, PG_UNAVAILABLE, 503, "conduct-error-busy", false, false },
	{ { "40001", "", NULL, NULL }, PG_UNAVAILABLE, 503, "conduct-error-busy", false, false },
	{ { "40P01", "", NULL, NULL }, PG_UNAVAILABLE, 503, "conduct-error-busy", false, false },
	{ { "57014", "", NULL, NULL }, PG_UNAVAILABLE, 503, "conduct-error-busy", false, false },
	{ { "57P01", "", NULL, NULL },
	  PG_UNAVAILABLE,
	  503,
	  "conduct-error-unavailable",
	  false,
	  false },
	{ { "53300", "", NULL, NULL },
	  PG_UNAVAILABLE,
	  503,
	  "conduct-error-unavailable",
	  false,
	  false },
	{ { "42883", "", NULL, NULL },
	  PG_UNAVAILABLE,
	  503,
	  "conduct-error-unavailable",
	  true,
	  true },
	{ { "3F000", "", NULL, NULL },
	  PG_UNAVAILABLE,
	  503,
	  "conduct-error-unavailable",
	  true,
	  true },
	{ { "0A000", "", NULL, NULL },
	  PG_UNAVAILABLE,
	  503,
	  "conduct-error-unavailable",
	  true,
	  true },
	{ { "26000", "", NULL, NULL },
	  PG_UNAVAILABLE,
	  503,
	  "conduct-error-unavailable",
	  true,
	  true },
	{ { "XX000", "cache lookup failed for function 1", NULL, NULL },
	  PG_UNAVAILABLE,
	  503,
	  "conduct-error-unavailable",
	  true,
	  true },
	{ { "XX000", "anything else", NULL, NULL },
	  PG_REFUSED,
	  500,
	  "conduct-error-internal",
	  false,
	  true },
	{ { "23505", "duplicate key", NULL, "appeal_once" },
	  PG_REFUSED,
	  409,
	  "conduct-error-appealed",
	  false,
	  false },
	{ { "23505", "duplicate key", NULL, "another" },
	  PG_REFUSED,
	  500,
	  "conduct-error-internal",
	  false,
	  true },
	{ { "22P02", "invalid input syntax", NULL, NULL },
	  PG_REFUSED,
	  500,
	  "conduct-error-internal",
	  false,
	  true },
	{ { NULL, "server closed the connection", NULL, NULL },
	  PG_UNAVAILABLE,
	  503,
	  "conduct-error-unavailable",
	  false,
	  false },
};

START_TEST(a_state_means_what_its_row_says)
{
	struct verdict verdict;

	pg_verdict_make(&setup, &cases[_i].failure, &verdict);
	ck_assert_int_eq(cases[_i].outcome, verdict.outcome);
	ck_assert_int_eq(cases[_i].status, verdict.status);
	ck_assert_str_eq(cases[_i].error_key, verdict.error_key);
	ck_assert_int_eq(cases[_i].is_stale, verdict.is_stale);
	ck_assert_int_eq(cases[_i].is_reported, verdict.is_reported);
}
END_TEST

START_TEST(the_detail_of_the_database_itself_never_leaves)
{
	struct failure failure = { "23505", "duplicate key", "Key (name)=(Example) already exists.",
				   "appeal_once" };
	struct verdict verdict;

	pg_verdict_make(&setup, &failure, &verdict);
	ck_assert_ptr_null(verdict.detail_json);
	failure = (struct failure){ "UC409", "conduct-guard-quorum", "{\"quorum\": 3}", NULL };
	pg_verdict_make(&setup, &failure, &verdict);
	ck_assert_str_eq("{\"quorum\": 3}", verdict.detail_json);
}
END_TEST

START_TEST(every_outcome_but_success_has_a_key)
{
	ck_assert_ptr_null(pg_outcome_key(PG_DONE));
	ck_assert_str_eq("conduct-error-internal", pg_outcome_key(PG_REFUSED));
	ck_assert_str_eq("conduct-error-unavailable", pg_outcome_key(PG_UNAVAILABLE));
	ck_assert_str_eq("conduct-error-unavailable", pg_outcome_key(PG_DEADLINE));
	ck_assert_str_eq("conduct-error-outcome-unknown", pg_outcome_key(PG_UNKNOWN));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pg/sqlstate");
	TCase *tcase = tcase_create("verdict");
	SRunner *runner;
	int n_failed;

	tcase_add_loop_test(tcase, a_state_means_what_its_row_says, 0, (int)ARRAY_SIZE(cases));
	tcase_add_test(tcase, the_detail_of_the_database_itself_never_leaves);
	tcase_add_test(tcase, every_outcome_but_success_has_a_key);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
