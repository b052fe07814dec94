/* Placeholders of banana strings. */

#include "tests/unit/suite.h"

#include "policy/message.h"

static void expect(const char *text, const char *placeholders)
{
	struct policy_message message;
	const char *complaint = NULL;
	char found[256];

	ck_assert_msg(policy_message_read(text, &message, &complaint) == 0, "\"%s\": %s", text,
		      complaint);
	policy_message_print(&message, found, sizeof(found));
	ck_assert_str_eq(found, placeholders);
}

static void refuse(const char *text)
{
	struct policy_message message;
	const char *complaint = NULL;

	ck_assert_int_eq(policy_message_read(text, &message, &complaint), POLICY_E_MESSAGE);
	ck_assert_ptr_nonnull(complaint);
}

START_TEST(placeholders_are_found_wherever_they_stand)
{
	expect("nothing", "none");
	expect("$1", "$1");
	expect("$2 before $1 and $2", "$1, $2");
	expect("{{PLURAL:$1|one|$1 many}}", "$1, PLURAL:$1");
	expect("{{GENDER:$2|he|she|they}} and {{PLURAL:$1|{{GENDER:$2|his|her}}|many}}",
	       "PLURAL:$1, GENDER:$2");
	expect("$9", "$9");
}
END_TEST

START_TEST(what_only_looks_like_a_placeholder_is_text)
{
	expect("$ 1 costs $0 and $10 and $", "none");
	expect("{one} }", "none");
}
END_TEST

START_TEST(braces_that_do_not_fit_are_refused)
{
	refuse("{{PLURAL:$1|one");
	refuse("one}}");
	refuse("{{Template}}");
	refuse("{{PLURAL:1|one|many}}");
	refuse("{{PLURAL:$1}}");
	refuse("{{GENDER:$10|he}}");
	refuse("{{plural:$1|one}}");
	refuse("{{");
}
END_TEST

START_TEST(equal_means_the_same_places_not_the_same_order)
{
	struct policy_message a, b, c;
	const char *complaint;

	ck_assert_int_eq(policy_message_read("$1 $2", &a, &complaint), 0);
	ck_assert_int_eq(policy_message_read("$2 $1 $1", &b, &complaint), 0);
	ck_assert_int_eq(policy_message_read("$1 {{GENDER:$2|x}}", &c, &complaint), 0);
	ck_assert(policy_message_equals(&a, &b));
	ck_assert(!policy_message_equals(&a, &c));
}
END_TEST

SUITE("policy/message", placeholders_are_found_wherever_they_stand,
      what_only_looks_like_a_placeholder_is_text, braces_that_do_not_fit_are_refused,
      equal_means_the_same_places_not_the_same_order)
