#pragma once
/* Checking a body in a test: from JSON text to arguments and errors as text. */

#include "daemon/cases/form.h"
#include "policy/set.h"

struct form_test {
	struct arena *arena;
	struct index_key key;
	struct names names;
	struct form_check check;
	struct value *args; /* NULL until checked */
};

void form_test_init(struct form_test *test);
void form_test_deinit(struct form_test *test);
struct value *form_test_parse(struct form_test *test, const char *json);
/* Checks; the errors as "pointer detail\n" lines, in the arena; "" when there are none. */
const char *form_test_check(struct form_test *test, const struct form *form, const char *json);
const char *form_test_errors(struct form_test *test);
const char *form_test_args(struct form_test *test); /* canonical JSON */
/* The text of the word whose id stands under `name` in `object`. */
const char *form_test_word(struct form_test *test, const struct value *object, const char *name);
struct policy_set *form_test_policy(void); /* the shipped set */
