/* Every set in bad/ is refused, with exactly the lines its case expects. */

#include "tests/unit/suite.h"

#include <dirent.h>

#include "tests/unit/policy/sets.h"

enum { CASES_MIN = 100 };

static bool case_holds(const char *name)
{
	struct set_folder folder;
	struct policy_set *set = NULL;
	char path[512], *text, *complaints;
	bool holds;

	snprintf(path, sizeof(path), "%s/bad/%s", TEST_DIR, name);
	text = read_text(path);
	set_folder_init(&folder, text);
	complaints = set_folder_load(&folder, &set);
	holds = !set && strcmp(complaints, folder.expected) == 0 && folder.expected[0];
	if (!holds)
		fprintf(stderr, "%s\nexpected:\n%sfound:\n%s", name, folder.expected, complaints);
	policy_set_unref(set);
	free(complaints);
	free(text);
	set_folder_deinit(&folder);
	return holds;
}

START_TEST(every_bad_set_is_refused_with_its_exact_lines)
{
	DIR *folder = opendir(TEST_DIR "/bad");
	size_t n_cases = 0, n_failed = 0;
	struct dirent *entry;

	ck_assert_ptr_nonnull(folder);
	while ((entry = readdir(folder))) {
		if (!strstr(entry->d_name, ".case"))
			continue;
		n_cases++;
		n_failed += !case_holds(entry->d_name);
	}
	closedir(folder);
	ck_assert_uint_ge(n_cases, CASES_MIN);
	ck_assert_uint_eq(n_failed, 0);
}
END_TEST

START_TEST(a_refused_set_leaves_the_callers_pointer_alone)
{
	const char *const directories[] = { TEST_DIR "/bad" };
	struct policy_set *set = NULL;
	struct policy_errors errors = { 0 };

	ck_assert_int_eq(policy_set_load(directories, 1, &set, &errors), POLICY_E_REFUSED);
	ck_assert_ptr_null(set);
	ck_assert_uint_gt(errors.n_lines, CASES_MIN);
	policy_errors_deinit(&errors);
	ck_assert_uint_eq(errors.n_lines, 0);
}
END_TEST

START_TEST(a_directory_that_is_not_there_is_refused)
{
	const char *const directories[] = { "/nonexistent/policy" };
	struct policy_errors errors = { 0 };
	struct policy_set *set = NULL;

	ck_assert_int_eq(policy_set_load(directories, 1, &set, &errors), POLICY_E_REFUSED);
	ck_assert_uint_eq(errors.n_lines, 1);
	ck_assert_str_eq(errors.lines[0], "/nonexistent/policy: No such file or directory");
	policy_errors_deinit(&errors);
}
END_TEST

SUITE("policy/bad", every_bad_set_is_refused_with_its_exact_lines,
      a_refused_set_leaves_the_callers_pointer_alone, a_directory_that_is_not_there_is_refused)
