/* daemon/yaml/yaml.c: readers forgive absence; a scalar has a type only if it is written plainly.
 */

#include "tests/unit/suite.h"

#include "daemon/yaml/yaml.h"

static struct yaml_document *parse(const char *text)
{
	struct yaml_document *document = NULL;

	ck_assert_int_eq(yaml_document_new(slice_of(text), &document, NULL), 0);
	return document;
}

START_TEST(readers_take_nothing_and_the_wrong_kind)
{
	CLEANUP(yaml_document_freep)
	struct yaml_document *document = parse("m: {a: 1}\ns: [1]\nt: x\n");
	const struct yaml_node *root = yaml_document_root(document);
	bool boolean = true;
	int64_t integer = 5;

	ck_assert_ptr_null(yaml_get(NULL, "a"));
	ck_assert_ptr_null(yaml_get(root, "absent"));
	ck_assert_ptr_null(yaml_get(yaml_get(root, "s"), "a"));
	ck_assert_ptr_null(yaml_at(NULL, 0));
	ck_assert_ptr_null(yaml_at(yaml_get(root, "m"), 0));
	ck_assert_ptr_null(yaml_at(yaml_get(root, "s"), 1));
	ck_assert_ptr_null(yaml_string(NULL));
	ck_assert_ptr_null(yaml_string(root));
	ck_assert_str_eq(yaml_string(yaml_get(root, "t")), "x");
	ck_assert(yaml_equals(yaml_get(root, "t"), "x"));
	ck_assert(!yaml_equals(yaml_get(root, "t"), "xy"));
	ck_assert(!yaml_equals(root, "x"));
	ck_assert(!yaml_equals(NULL, ""));
	ck_assert(!yaml_is_null(NULL));
	ck_assert(!yaml_is_null(root));
	ck_assert_int_eq(yaml_read_boolean(NULL, &boolean), YAML_E_MALFORMED);
	ck_assert_int_eq(yaml_read_integer(NULL, &integer), YAML_E_MALFORMED);
	ck_assert_int_eq(yaml_read_integer(root, &integer), YAML_E_MALFORMED);
	ck_assert(boolean && integer == 5);
	ck_assert_ptr_null(yaml_document_free(NULL));
}
END_TEST

START_TEST(only_plain_scalars_are_null)
{
	CLEANUP(yaml_document_freep)
	struct yaml_document *document = parse(
		"- ~\n- null\n-\n- ''\n- 'null'\n- Null\n- x\n- []\n");
	static const bool expected[] = { true, true, true, false, false, false, false, false };

	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		ck_assert_msg(yaml_is_null(yaml_at(yaml_document_root(document), i)) == expected[i],
			      "item %zu", i);
}
END_TEST

START_TEST(only_plain_true_and_false_are_booleans)
{
	CLEANUP(yaml_document_freep)
	struct yaml_document *document = parse(
		"- true\n- false\n- yes\n- no\n- on\n- True\n- 'true'\n- 1\n- ''\n-\n");
	const struct yaml_node *root = yaml_document_root(document);
	bool boolean = false;

	ck_assert_int_eq(yaml_read_boolean(yaml_at(root, 0), &boolean), 0);
	ck_assert(boolean);
	ck_assert_int_eq(yaml_read_boolean(yaml_at(root, 1), &boolean), 0);
	ck_assert(!boolean);
	for (size_t i = 2; i < root->n_items; i++)
		ck_assert_msg(yaml_read_boolean(yaml_at(root, i), &boolean) == YAML_E_MALFORMED,
			      "item %zu", i);
}
END_TEST

START_TEST(integers_are_plain_decimal_within_64_bits)
{
	static const struct {
		const char *text;
		int64_t integer;
	} good[] = {
		{ "0", 0 },
		{ "7", 7 },
		{ "-12", -12 },
		{ "9223372036854775807", INT64_MAX },
		{ "-9223372036854775808", INT64_MIN },
	};
	static const char *const bad[] = {
		"'1'",
		"01",
		"-0",
		"--1",
		"+1",
		"1.0",
		"1e3",
		"0x10",
		"1_000",
		"1 2",
		"abc",
		"9223372036854775808",
		"-9223372036854775809",
		"99999999999999999999999",
		"[1]",
		"~",
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		CLEANUP(yaml_document_freep) struct yaml_document *document = parse(good[i].text);
		int64_t integer = 42;

		ck_assert_msg(yaml_read_integer(yaml_document_root(document), &integer) == 0, "%s",
			      good[i].text);
		ck_assert_int_eq(integer, good[i].integer);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char text[64];
		CLEANUP(yaml_document_freep) struct yaml_document *document = NULL;
		int64_t integer = 42;

		snprintf(text, sizeof(text), "a: %s", bad[i]);
		document = parse(text);
		ck_assert_msg(yaml_read_integer(yaml_get(yaml_document_root(document), "a"),
						&integer) == YAML_E_MALFORMED,
			      "%s", bad[i]);
		ck_assert_int_eq(integer, 42);
	}
}
END_TEST

SUITE("yaml/yaml", readers_take_nothing_and_the_wrong_kind, only_plain_scalars_are_null,
      only_plain_true_and_false_are_booleans, integers_are_plain_decimal_within_64_bits)
