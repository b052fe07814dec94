/* The demo people file: names by central id; ambiguous or incomplete files are refused. */

#include "api/auth/people.h"

#include "tests/unit/suite.h"
#include <string.h>

static int read_people(const char *text, struct people **ret_people)
{
	const char *message = NULL;
	int r = people_new((struct slice){ text, strlen(text) }, "CentralAuth", ret_people,
			   &message);

	if (r > 0)
		ck_assert_ptr_nonnull(message);
	return r;
}

START_TEST(people_are_found_by_either_form_of_their_subject)
{
	CLEANUP(people_freep) struct people *people = NULL;

	ck_assert_int_eq(
		read_people("{\"people\":{"
			    "\"reporter\":{\"sub\":\"7\",\"user\":\"Ada\",\"token\":\"x\"},"
			    "\"ts\":{\"sub\":\"mw:CentralAuth:8\",\"user\":\"Bo\","
			    "\"home_wiki\":\"enwiki\"}}}",
			    &people),
		0);
	ck_assert_uint_eq(people_count(people), 2);
	ck_assert_str_eq(people_find(people, (struct slice){ "7", 1 })->user, "Ada");
	ck_assert_str_eq(people_find(people, (struct slice){ "8", 1 })->home_wiki, "enwiki");
	ck_assert_str_eq(people_at(people, 0)->name, "reporter");
	ck_assert_ptr_null(people_find(people, (struct slice){ "77", 2 }));
	ck_assert_ptr_null(people_at(people, 2));
}
END_TEST

#define REFUSED(name, text)                                                     \
	START_TEST(name)                                                        \
	{                                                                       \
		CLEANUP(people_freep) struct people *people = NULL;             \
		ck_assert_int_eq(read_people(text, &people), PEOPLE_E_REFUSED); \
		ck_assert_ptr_null(people);                                     \
	}                                                                       \
	END_TEST

REFUSED(a_file_that_is_no_json_is_refused, "people: {}")
REFUSED(a_file_without_people_is_refused, "{}")
REFUSED(people_as_array_are_refused, "{\"people\":[]}")
REFUSED(a_person_without_subject_is_refused, "{\"people\":{\"a\":{\"user\":\"A\"}}}")
REFUSED(a_person_without_user_is_refused, "{\"people\":{\"a\":{\"sub\":\"1\"}}}")
REFUSED(a_subject_of_another_scope_is_refused,
	"{\"people\":{\"a\":{\"sub\":\"mw:x:1\",\"user\":\"A\"}}}")
REFUSED(two_people_with_one_subject_are_refused,
	"{\"people\":{\"a\":{\"sub\":\"1\",\"user\":\"A\"},\"b\":{\"sub\":\"1\",\"user\":\"B\"}}}")
REFUSED(two_people_with_one_user_name_are_refused,
	"{\"people\":{\"a\":{\"sub\":\"1\",\"user\":\"A\"},\"b\":{\"sub\":\"2\",\"user\":\"A\"}}}")

START_TEST(a_file_that_is_not_there_is_unreadable)
{
	struct people *people;
	const char *message;

	ck_assert_int_eq(people_load("/nonexistent/people.json", "CentralAuth", &people, &message),
			 PEOPLE_E_UNREADABLE);
}
END_TEST

SUITE("auth/people", people_are_found_by_either_form_of_their_subject,
      a_file_that_is_no_json_is_refused, a_file_without_people_is_refused,
      people_as_array_are_refused, a_person_without_subject_is_refused,
      a_person_without_user_is_refused, a_subject_of_another_scope_is_refused,
      two_people_with_one_subject_are_refused, two_people_with_one_user_name_are_refused,
      a_file_that_is_not_there_is_unreadable)
