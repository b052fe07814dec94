/* daemon/json/value.c: readers forgive absence, builders own what they take. */

#include "tests/unit/suite.h"

#include "daemon/json/value.h"

#include <math.h>

START_TEST(readers_take_nothing_and_the_wrong_type)
{
	struct value *array = value_new_array();
	struct slice key;
	struct value *member;
	void *at = NULL;

	ck_assert_ptr_null(value_get(NULL, "a"));
	ck_assert_ptr_null(value_get(array, "a"));
	ck_assert_ptr_null(value_at(NULL, 0));
	ck_assert_ptr_null(value_at(array, 0));
	ck_assert_uint_eq(value_count(NULL), 0);
	ck_assert_ptr_null(value_text(NULL).at);
	ck_assert_ptr_null(value_text(array).at);
	ck_assert_ptr_null(value_string(array));
	ck_assert_ptr_null(value_get_string(NULL, "a"));
	ck_assert_int_eq(value_integer(NULL, 7), 7);
	ck_assert_int_eq(value_integer(array, 7), 7);
	ck_assert_double_eq(value_number(array, 0.5), 0.5);
	ck_assert(!value_is_true(NULL));
	ck_assert_int_eq(value_type(NULL), VALUE_NULL);
	ck_assert(!value_is(NULL, VALUE_NULL));
	ck_assert(!value_each(array, &at, &key, &member));
	ck_assert(!value_equals(NULL, array));
	ck_assert_ptr_null(value_free(NULL));
	value_free(array);
}
END_TEST

START_TEST(a_real_is_no_integer)
{
	CLEANUP(value_freep) struct value *real = value_new_real(3.0);
	CLEANUP(value_freep) struct value *integer = value_new_integer(3);

	ck_assert_int_eq(value_integer(real, -1), -1);
	ck_assert_double_eq(value_number(real, 0), 3.0);
	ck_assert_double_eq(value_number(integer, 0), 3.0);
	ck_assert(!value_equals(real, integer));
}
END_TEST

START_TEST(what_json_has_no_word_for_is_not_built)
{
	ck_assert_ptr_null(value_new_real(INFINITY));
	ck_assert_ptr_null(value_new_real(NAN));
	ck_assert_ptr_null(value_new_text(SLICE("\xff")));
	ck_assert_ptr_null(value_new_text(SLICE("a\0b")));
	ck_assert_ptr_null(value_new_string("\xed\xa0\x80"));
}
END_TEST

START_TEST(objects_are_built_read_and_stepped_through_in_order)
{
	CLEANUP(value_freep) struct value *object = value_new_object();
	const char *const names[] = { "z", "text", "string", "none", "yes", "number", "list" };
	struct value *list = value_new_array(), *member;
	struct slice key;
	void *at = NULL;
	size_t n = 0;

	ck_assert_int_eq(value_set_null(object, "z"), 0);
	ck_assert_int_eq(value_set_text(object, "text", SLICE("t")), 0);
	ck_assert_int_eq(value_set_string(object, "string", "s"), 0);
	ck_assert_int_eq(value_set_string(object, "none", NULL), 0);
	ck_assert_int_eq(value_set_boolean(object, "yes", true), 0);
	ck_assert_int_eq(value_set_integer(object, "number", INT64_MIN), 0);
	ck_assert_int_eq(value_append_take(list, value_new_integer(1)), 0);
	ck_assert_int_eq(value_append_take(list, value_new_boolean(false)), 0);
	ck_assert_int_eq(value_replace_take(list, 0, value_new_string("one")), 0);
	ck_assert_int_eq(value_set_take(object, "list", list), 0);
	while (value_each(object, &at, &key, &member)) {
		ck_assert_slice_eq(key, names[n]);
		ck_assert_ptr_eq(member, value_get(object, names[n]));
		n++;
	}
	ck_assert_uint_eq(n, ARRAY_SIZE(names));
	ck_assert(value_is(value_get(object, "none"), VALUE_NULL));
	ck_assert_str_eq(value_string(value_at(value_get(object, "list"), 0)), "one");
	ck_assert_int_eq(value_remove(object, "yes"), 0);
	ck_assert_int_eq(value_remove(object, "yes"), 0);
	ck_assert_ptr_null(value_get(object, "yes"));
	ck_assert_int_eq(value_set_integer(object, "number", 5), 0);
	ck_assert_int_eq(value_integer(value_get(object, "number"), 0), 5);
	ck_assert_uint_eq(value_count(object), 6);
}
END_TEST

START_TEST(a_child_is_owned_even_when_it_is_refused)
{
	CLEANUP(value_freep) struct value *object = value_new_object();
	CLEANUP(value_freep) struct value *array = value_new_array();

	ck_assert_int_eq(value_set_take(array, "a", value_new_integer(1)), -EINVAL);
	ck_assert_int_eq(value_set_take(NULL, "a", value_new_integer(1)), -EINVAL);
	ck_assert_int_eq(value_set_take(object, "\xff", value_new_integer(1)), -EINVAL);
	ck_assert_int_eq(value_append_take(object, value_new_integer(1)), -EINVAL);
	ck_assert_int_eq(value_replace_take(array, 0, value_new_integer(1)), -EINVAL);
	ck_assert_int_eq(value_remove(array, "a"), -EINVAL);
	ck_assert_int_eq(value_set_take(object, "a", NULL), -ENOMEM);
	ck_assert_int_eq(value_append_take(array, NULL), -ENOMEM);
	ck_assert_int_eq(value_replace_take(array, 0, NULL), -ENOMEM);
	ck_assert_uint_eq(value_count(object) + value_count(array), 0);
}
END_TEST

START_TEST(a_copy_is_deep)
{
	struct value *object = value_new_object(), *copy;

	ck_assert_int_eq(value_set_take(object, "a", value_new_array()), 0);
	copy = value_copy(object);
	ck_assert(value_equals(object, copy));
	ck_assert_int_eq(value_append_take(value_get(object, "a"), value_new_null()), 0);
	ck_assert(!value_equals(object, copy));
	value_free(object);
	ck_assert_uint_eq(value_count(value_get(copy, "a")), 0);
	value_free(copy);
}
END_TEST

SUITE("json/value", readers_take_nothing_and_the_wrong_type, a_real_is_no_integer,
      what_json_has_no_word_for_is_not_built, objects_are_built_read_and_stepped_through_in_order,
      a_child_is_owned_even_when_it_is_refused, a_copy_is_deep)
