/* Shapes: each type's faults, all of them at once, with pointers into the body. */

#include "api/http/reply.h"
#include "api/http/shape.h"

#include <check.h>
#include <string.h>

static const char *const colours[] = { "red", "green", NULL };
static const struct shape child[] = {
	{ .member = "name", .type = SHAPE_TEXT, .flags = SHAPE_REQUIRED, .max = 5 },
	{ 0 },
};
static const struct shape item = { .type = SHAPE_OBJECT, .members = child };
static const struct shape members[] = {
	{ .member = "id", .type = SHAPE_UUID },
	{ .member = "at", .type = SHAPE_TIMESTAMP },
	{ .member = "word", .type = SHAPE_TOKEN, .max = 4 },
	{ .member = "text", .type = SHAPE_TEXT, .flags = SHAPE_NULLABLE, .max = 4 },
	{ .member = "note", .type = SHAPE_TEXT, .flags = SHAPE_EMPTY, .max = 4 },
	{ .member = "colour", .type = SHAPE_ENUM, .words = colours },
	{ .member = "count", .type = SHAPE_INTEGER, .min = 1, .max = 3 },
	{ .member = "sure", .type = SHAPE_BOOLEAN },
	{ .member = "child", .type = SHAPE_OBJECT, .members = child },
	{ .member = "list", .type = SHAPE_ARRAY, .min = 1, .max = 2, .item = &item },
	{ .member = "any", .type = SHAPE_ANY },
	{ 0 },
};

static void deliver(struct exchange *exchange)
{
}

/* The pointers of all faults, joined by spaces; "" for none. */
static const char *faults_of(const char *body)
{
	static char joined[4096];
	static const struct exchange_gate gate;
	struct exchange *exchange;
	struct value *value, *problem;
	const struct value *errors;

	joined[0] = '\0';
	ck_assert_int_eq(exchange_new(&gate, NULL, deliver, &exchange), 0);
	ck_assert_int_eq(value_parse((struct slice){ body, strlen(body) }, &value, NULL), 0);
	exchange->json = value;
	if (!shape_accept(exchange, members)) {
		struct slice bytes = { exchange->reply->body.at, exchange->reply->body.length };

		ck_assert_int_eq(exchange->reply->status, 422);
		ck_assert_int_eq(value_parse(bytes, &problem, NULL), 0);
		errors = value_get(problem, "errors");
		ck_assert_uint_gt(value_count(errors), 0);
		for (size_t i = 0; i < value_count(errors); i++) {
			strcat(joined, i ? " " : "");
			strcat(joined, value_get_string(value_at(errors, i), "pointer"));
			if (!*value_get_string(value_at(errors, i), "pointer"))
				strcat(joined, "(whole)");
			ck_assert_ptr_nonnull(value_get_string(value_at(errors, i), "detail"));
		}
		value_free(problem);
	} else {
		ck_assert_int_eq(exchange->reply->status, 0);
	}
	value_free(value);
	exchange_free(exchange);
	return joined;
}

#define FAULT(name, pointers, body)                          \
	START_TEST(name)                                     \
	{                                                    \
		ck_assert_str_eq(faults_of(body), pointers); \
	}                                                    \
	END_TEST

FAULT(an_empty_object_without_required_members_is_sound, "", "{}")
FAULT(sound_members_are_sound, "",
      "{\"id\":\"6b1d7b1e-4a53-4b57-9d2c-2f0f3a7f3c11\",\"at\":\"2026-11-20T10:00:00Z\",\"word\":\"abcd\","
      "\"text\":null,\"note\":\"\",\"colour\":\"green\",\"count\":3,\"sure\":false,"
      "\"child\":{\"name\":\"x\"},\"list\":[{\"name\":\"y\"}],\"any\":[1,{}]}")
FAULT(every_type_has_its_fault, "/id /at /word /text /note /colour /count /sure /child /list",
      "{\"id\":1,\"at\":1,\"word\":1,\"text\":1,\"note\":1,\"colour\":1,\"count\":\"1\",\"sure\":1,"
      "\"child\":1,\"list\":1}")
FAULT(near_misses_are_faults, "/id /at /word /text /colour /count /list",
      "{\"id\":\"6B1D7B1E-4A53-4B57-9D2C-2F0F3A7F3C11\",\"at\":\"2026-11-20\",\"word\":\"ab d\","
      "\"text\":\"abcde\",\"colour\":\"blue\",\"count\":4,\"list\":[]}")
FAULT(blank_text_is_a_fault, "/text", "{\"text\":\" \\n\\t\"}")
FAULT(limits_count_code_points, "", "{\"text\":\"\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\"}")
FAULT(null_is_a_fault_where_it_is_not_allowed, "/colour", "{\"colour\":null}")
FAULT(pointers_reach_into_children, "/child/name /child/x /list/1/name",
      "{\"child\":{\"name\":\"toolong\",\"x\":1},\"list\":[{\"name\":\"a\"},{}]}")
FAULT(a_long_array_is_a_fault, "/list",
      "{\"list\":[{\"name\":\"a\"},{\"name\":\"a\"},{\"name\":\"a\"}]}")
FAULT(unknown_members_are_faults, "/state /reporter_id", "{\"state\":1,\"reporter_id\":2}")
FAULT(slash_and_tilde_are_escaped, "/a~1b~0c", "{\"a/b~c\":1}")
START_TEST(an_array_as_body_is_one_fault_of_the_whole)
{
	ck_assert_str_eq(faults_of("[]"), "(whole)");
}
END_TEST

START_TEST(long_unknown_names_are_cut_at_whole_characters)
{
	char body[400] = "{\"", expected[80] = "/x";

	strcat(body, "x");
	for (int i = 0; i < 60; i++)
		strcat(body, "\xc3\xa4");
	strcat(body, "\":1}");
	for (int i = 0; i < 31; i++)
		strcat(expected, "\xc3\xa4");
	ck_assert_str_eq(faults_of(body), expected);
}
END_TEST

START_TEST(a_text_is_read_in_normal_form)
{
	static const char body[] = "{\"text\":\"a\xcc\x88\",\"none\":null,\"number\":1}";
	struct arena *arena;
	struct value *value;
	struct slice text;

	ck_assert_int_eq(arena_new(&arena), 0);
	ck_assert_int_eq(value_parse((struct slice){ body, strlen(body) }, &value, NULL), 0);
	ck_assert_int_eq(shape_read_text(arena, value, "text", 1, &text), 0);
	ck_assert(text.length == 2 && memcmp(text.at, "\xc3\xa4", 2) == 0);
	ck_assert_int_eq(shape_read_text(arena, value, "none", 1, &text), 0);
	ck_assert_ptr_null(text.at);
	ck_assert_int_eq(shape_read_text(arena, value, "absent", 1, &text), 0);
	ck_assert_ptr_null(text.at);
	ck_assert_int_eq(shape_read_text(arena, value, "number", 1, &text), SHAPE_E_INVALID);
	ck_assert_int_eq(shape_read_text(arena, value, "text", 0, &text), SHAPE_E_INVALID);
	value_free(value);
	arena_free(arena);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http/shape");
	TCase *tcase = tcase_create("shape");
	SRunner *runner;
	int n_failed;

	tcase_add_test(tcase, an_empty_object_without_required_members_is_sound);
	tcase_add_test(tcase, sound_members_are_sound);
	tcase_add_test(tcase, every_type_has_its_fault);
	tcase_add_test(tcase, near_misses_are_faults);
	tcase_add_test(tcase, blank_text_is_a_fault);
	tcase_add_test(tcase, limits_count_code_points);
	tcase_add_test(tcase, null_is_a_fault_where_it_is_not_allowed);
	tcase_add_test(tcase, pointers_reach_into_children);
	tcase_add_test(tcase, a_long_array_is_a_fault);
	tcase_add_test(tcase, unknown_members_are_faults);
	tcase_add_test(tcase, slash_and_tilde_are_escaped);
	tcase_add_test(tcase, an_array_as_body_is_one_fault_of_the_whole);
	tcase_add_test(tcase, long_unknown_names_are_cut_at_whole_characters);
	tcase_add_test(tcase, a_text_is_read_in_normal_form);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? 1 : 0;
}
