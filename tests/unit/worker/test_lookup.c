/* daemon/worker/lookup: the form that is sent, and which answers are believed. */

#include "daemon/worker/lookup.h"
#include "tests/unit/suite.h"

static struct arena *arena;

static int look(const char *body, const char *provider, struct lookup_name *names, size_t n_names)
{
	arena_free(arena);
	ck_assert_int_eq(arena_new(&arena), 0);
	return lookup_read(arena, slice_of(body), provider, names, n_names);
}

START_TEST(names_are_separated_by_what_no_name_holds)
{
	CLEANUP(buffer_deinit) struct buffer form = BUFFER_NULL;
	const struct lookup_name names[] = { { .folded = SLICE("A|B&c=d") },
					     { .folded = SLICE("") },
					     { .folded = SLICE("Zo\xc3\xab 1") } };

	lookup_write_form(&form, names, ARRAY_SIZE(names));
	ck_assert_int_eq(buffer_finish(&form), 0);
	ck_assert_str_eq(form.at, "action=query&format=json&formatversion=2&list=users"
				  "&usprop=centralids&ususers=%1FA%7CB%26c%3Dd%1FZo%C3%AB%201");
}
END_TEST

#define USER(name, more) "{\"query\":{\"users\":[{\"name\":\"" name "\"" more "}]}}"

static const struct {
	const char *body;
	const char *provider;
	int outcome;
	const char *id;
} answers[] = {
	{ USER("Ada", ",\"centralids\":{\"CentralAuth\":42,\"local\":7}"), "CentralAuth", 0, "42" },
	{ USER("ada", ",\"centralids\":{\"CentralAuth\":42}"), "CentralAuth", 0, "42" },
	{ USER("Ada", ",\"centralids\":{\"CentralAuth\":42,\"local\":7}"), "local", 0, "7" },
	{ USER("Ada", ",\"missing\":true"), "CentralAuth", 0, "" },
	{ USER("Ada", ",\"invalid\":true"), "CentralAuth", 0, "" },
	{ USER("Ada", ",\"centralids\":{\"CentralAuth\":0}"), "CentralAuth", 0, "" },
	{ USER("Ada", ",\"centralids\":{\"CentralAuth\":-1}"), "CentralAuth", 0, "" },
	{ USER("Ada", ",\"centralids\":{\"CentralAuth\":\"42\"}"), "CentralAuth", 0, "" },
	{ USER("Ada", ",\"centralids\":{\"local\":7}"), "CentralAuth", LOOKUP_E_PROVIDER, "" },
	{ USER("Ada", ",\"centralids\":{\"CentralAuth\":42,\"local\":7}"), "local:wiki",
	  LOOKUP_E_PROVIDER, "" },
	{ USER("Ada", ",\"centralids\":[]"), "CentralAuth", LOOKUP_E_PROVIDER, "" },
	{ USER("Ada", ",\"userid\":5"), "CentralAuth", LOOKUP_E_PROVIDER, "" },
	{ USER("Ada",
	       ",\"centralids\":{\"CentralAuth\":42},\"attachedlocal\":{\"CentralAuth\":false}"),
	  "CentralAuth", 0, "" },
	{ USER("Ada",
	       ",\"centralids\":{\"CentralAuth\":42},\"attachedlocal\":{\"CentralAuth\":true}"),
	  "CentralAuth", 0, "42" },
	{ USER("Eve", ",\"centralids\":{\"CentralAuth\":42}"), "CentralAuth", LOOKUP_E_GARBAGE,
	  "" },
	{ "{\"query\":{\"users\":[]}}", "CentralAuth", LOOKUP_E_GARBAGE, "" },
	{ "{\"query\":{}}", "CentralAuth", LOOKUP_E_GARBAGE, "" },
	{ "{\"batchcomplete\":true}", "CentralAuth", LOOKUP_E_GARBAGE, "" },
	{ "{\"error\":{},\"query\":{\"users\":[{\"name\":\"Ada\"}]}}", "CentralAuth",
	  LOOKUP_E_GARBAGE, "" },
	{ "{\"query\":{\"users\":[1,null,{\"name\":7}]}}", "CentralAuth", LOOKUP_E_GARBAGE, "" },
	{ "[]", "CentralAuth", LOOKUP_E_GARBAGE, "" },
	{ "<html>", "CentralAuth", LOOKUP_E_GARBAGE, "" },
	{ "", "CentralAuth", LOOKUP_E_GARBAGE, "" },
};

START_TEST(an_answer_says_who_it_is_or_nothing)
{
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		struct lookup_name name = { .folded = SLICE("Ada") };
		int r = look(answers[i].body, answers[i].provider, &name, 1);

		ck_assert_msg(r == answers[i].outcome, "%s: %d", answers[i].body, r);
		if (r)
			continue;
		if (*answers[i].id)
			ck_assert_slice_eq(name.id, answers[i].id);
		else
			ck_assert_uint_eq(name.id.length, 0);
	}
}
END_TEST

START_TEST(a_name_that_no_wiki_has_is_not_asked_for)
{
	struct lookup_name names[] = { { .folded = SLICE("") }, { .folded = SLICE("~2026-1") } };

	ck_assert_int_eq(look(USER("~2026-1", ",\"centralids\":{\"CentralAuth\":9}"), "CentralAuth",
			      names, 2),
			 0);
	ck_assert_uint_eq(names[0].id.length, 0);
	ck_assert_slice_eq(names[1].id, "9");
	ck_assert(names[1].is_temporary && !names[0].is_temporary);
}
END_TEST

SUITE("worker/lookup", names_are_separated_by_what_no_name_holds,
      an_answer_says_who_it_is_or_nothing, a_name_that_no_wiki_has_is_not_asked_for)
