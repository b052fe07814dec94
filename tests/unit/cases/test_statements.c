/* The table of statements: names, texts and counts of parameters agree. */

#include "daemon/cases/actions.h"
#include "tests/unit/suite.h"

static void assert_sound(const struct pg_statement *table, size_t n)
{
	static const char prefix[] = "select * from conduct_api_1.";

	for (size_t i = 0; i < n; i++) {
		const char *sql = table[i].sql;
		char parameter[16];

		ck_assert_msg(strncmp(sql, prefix, sizeof(prefix) - 1) == 0, "%s", sql);
		sql += sizeof(prefix) - 1;
		ck_assert_msg(strncmp(sql, table[i].name, strlen(table[i].name)) == 0 &&
				      sql[strlen(table[i].name)] == '(',
			      "%s", sql);
		for (unsigned k = 1; k <= table[i].n_params; k++) {
			snprintf(parameter, sizeof(parameter), "$%u::", k);
			ck_assert_msg(strstr(sql, parameter), "%s has no %s", sql, parameter);
		}
		snprintf(parameter, sizeof(parameter), "$%u", table[i].n_params + 1);
		ck_assert_msg(!strstr(sql, parameter), "%s has %s", sql, parameter);
		for (size_t k = 0; k < i; k++)
			ck_assert_str_ne(table[k].name, table[i].name);
	}
}

START_TEST(every_statement_calls_the_function_of_its_name_with_all_its_parameters)
{
	assert_sound(statements, STATEMENT_COUNT);
	assert_sound(worker_statements, WORKER_STATEMENT_COUNT);
}
END_TEST

START_TEST(an_action_calls_the_function_of_its_name)
{
	for (size_t i = 0; i < actions_n; i++) {
		const struct pg_statement *statement = &statements[actions[i].statement];
		char name[64];

		snprintf(name, sizeof(name), "%s_%s",
			 actions[i].audience == ACTION_HANDLER ? "case" : "party", actions[i].name);
		ck_assert_str_eq(statement->name, name);
		ck_assert_uint_eq(statement->n_params, 9);
	}
}
END_TEST

SUITE("cases/statements", every_statement_calls_the_function_of_its_name_with_all_its_parameters,
      an_action_calls_the_function_of_its_name)
