/* Checking a body in a test. */

#include "tests/unit/cases/forms.h"
#include "daemon/base/text.h"

#include <check.h>
#include <string.h>

static bool find(const void *userdata, const uint8_t name_ix[INDEX_SIZE],
		 uint8_t ret_id_ix[INDEX_SIZE])
{
	const struct form_test *test = userdata;
	uint8_t known[INDEX_SIZE];

	ck_assert_int_eq(index_of_name(&test->key, test->arena, test->names.scope,
				       text_slice("Known"), known),
			 0);
	if (memcmp(known, name_ix, INDEX_SIZE) != 0)
		return false;
	memset(ret_id_ix, 0xab, INDEX_SIZE);
	return true;
}

void form_test_init(struct form_test *test)
{
	*test = (struct form_test){ 0 };
	ck_assert_int_eq(arena_new(&test->arena), 0);
	ck_assert_int_eq(index_key_new(&test->key), 0);
	test->names = (struct names){ &test->key, text_slice("CentralAuth"), find, test };
	form_check_init(&test->check, test->arena, &test->names);
}

void form_test_deinit(struct form_test *test)
{
	value_free(test->args);
	arena_free(test->arena);
}

static void free_value(void *value)
{
	value_free(value);
}

struct value *form_test_parse(struct form_test *test, const char *json)
{
	struct value_error error = { 0 };
	struct value *value = NULL;
	int r = value_parse(text_slice(json), &value, &error);

	ck_assert_msg(r == 0, "%s: %s", json, error.message);
	ck_assert_int_eq(arena_take(test->arena, value, free_value), 0);
	return value;
}

const char *form_test_errors(struct form_test *test)
{
	const char *text = "";

	for (size_t i = 0; i < test->check.n_errors; i++)
		text = arena_printf(test->arena, "%s%s %s\n", text, test->check.errors[i].pointer,
				    test->check.errors[i].detail);
	return text;
}

const char *form_test_check(struct form_test *test, const struct form *form, const char *json)
{
	bool is_lenient = test->check.is_lenient;

	test->args = value_free(test->args);
	form_check_init(&test->check, test->arena, &test->names);
	test->check.is_lenient = is_lenient;
	ck_assert_int_eq(
		form_check_body(&test->check, form, form_test_parse(test, json), &test->args), 0);
	return form_test_errors(test);
}

const char *form_test_args(struct form_test *test)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;

	ck_assert_int_eq(value_write_canonical(test->args, &buffer), 0);
	return arena_strdup(test->arena, buffer.at);
}

const char *form_test_word(struct form_test *test, const struct value *object, const char *name)
{
	const struct value *member = value_get(object, name);
	const char *id = value_string(member);

	if (!id)
		id = value_get_string(member, "$word");
	ck_assert_msg(id, "%s stands for no word", name);
	for (size_t i = 0; i < test->check.words.n_items; i++)
		if (strcmp(test->check.words.items[i].id, id) == 0)
			return arena_strndup(test->arena, test->check.words.items[i].text.at,
					     test->check.words.items[i].text.length);
	ck_abort_msg("%s: no word %s", name, id);
}

struct policy_set *form_test_policy(void)
{
	static const char *const directories[] = { POLICY_DATA_DIR };
	CLEANUP(policy_errors_deinit) struct policy_errors errors = { 0 };
	struct policy_set *set = NULL;
	int r = policy_set_load(directories, 1, &set, &errors);

	ck_assert_msg(r == 0, "%d: %s", r, errors.n_lines ? errors.lines[0] : "");
	return set;
}
