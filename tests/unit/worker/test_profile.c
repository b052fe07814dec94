/* daemon/worker/profile: what a wiki's answer means, the wrong ones above all. */

#include "daemon/worker/profile.h"
#include "tests/unit/suite.h"

static struct arena *arena;

static int read_profile(long status, struct slice body, struct ipc_wiki_answer *ret_answer)
{
	arena_free(arena);
	ck_assert_int_eq(arena_new(&arena), 0);
	return profile_read(arena, status, body, "CentralAuth", ret_answer);
}

static const struct {
	const char *body;
	const char *id;
	const char *name;
	bool is_blocked;
	bool is_temporary;
} good[] = {
	{ "{\"sub\":\"42\",\"username\":\"Ada\",\"blocked\":false}", "42", "Ada", false, false },
	{ "{\"sub\":42,\"username\":\"Ada\"}", "42", "Ada", false, false },
	{ "{\"sub\":\"mw:CentralAuth:42\",\"username\":\"Ada\"}", "42", "Ada", false, false },
	{ "{\"sub\":\"42\",\"username\":\"Ada\",\"blocked\":true}", "42", "Ada", true, false },
	{ "{\"sub\":\"42\",\"username\":\"~2026-1-2\"}", "42", "~2026-1-2", false, true },
	{ "{\"sub\":\"42\",\"username\":\"~\"}", "42", "~", false, false },
	{ "{\"sub\":\"42\",\"username\":null}", "42", "", false, false },
	{ "{\"sub\":\"42\",\"username\":\"\"}", "42", "", false, false },
	{ "{\"sub\":\"42\"}", "42", "", false, false },
	{ " {\"sub\":\"42\",\"username\":\"Zo\\u00eb\",\"rights\":[{}],\"editcount\":1e9}\n", "42",
	  "Zo\xc3\xab", false, false },
};

START_TEST(a_profile_names_an_account)
{
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct ipc_wiki_answer answer;

		ck_assert_msg(read_profile(200, slice_of(good[i].body), &answer) == 0, "%s",
			      good[i].body);
		ck_assert_int_eq(answer.outcome, IPC_WIKI_LIVE);
		ck_assert_slice_eq(answer.id, good[i].id);
		ck_assert_slice_eq(answer.user_name, good[i].name);
		ck_assert(answer.is_blocked == good[i].is_blocked);
		ck_assert(answer.is_temporary == good[i].is_temporary);
	}
}
END_TEST

#define GOOD "{\"sub\":\"42\",\"username\":\"Ada\"}"
#define DENIED "{\"error\":\"access_denied\"}"

static const struct {
	long status;
	const char *body;
	int outcome;
} others[] = {
	{ 401, DENIED, PROFILE_E_REFUSED },
	{ 401, "", PROFILE_E_REFUSED },
	{ 401, "<html>", PROFILE_E_REFUSED },
	{ 400, DENIED, PROFILE_E_REFUSED },
	{ 403, DENIED, PROFILE_E_REFUSED },
	{ 403, "<h1>Forbidden</h1>", PROFILE_E_GARBAGE },
	{ 400, "", PROFILE_E_GARBAGE },
	{ 404, DENIED, PROFILE_E_GARBAGE },
	{ 429, DENIED, PROFILE_E_GARBAGE },
	{ 500, GOOD, PROFILE_E_GARBAGE },
	{ 503, "", PROFILE_E_GARBAGE },
	{ 302, GOOD, PROFILE_E_GARBAGE },
	{ 201, GOOD, PROFILE_E_GARBAGE },
	{ 0, "", PROFILE_E_GARBAGE },
	{ 200, "", PROFILE_E_GARBAGE },
	{ 200, "<!DOCTYPE html>", PROFILE_E_GARBAGE },
	{ 200, "{\"sub\":\"42\"", PROFILE_E_GARBAGE },
	{ 200, "{\"sub\":\"42\"}{}", PROFILE_E_GARBAGE },
	{ 200, "[]", PROFILE_E_GARBAGE },
	{ 200, "{}", PROFILE_E_GARBAGE },
	{ 200, "{\"sub\":\"\"}", PROFILE_E_GARBAGE },
	{ 200, "{\"sub\":\"042\"}", PROFILE_E_GARBAGE },
	{ 200, "{\"sub\":-42}", PROFILE_E_GARBAGE },
	{ 200, "{\"sub\":0}", PROFILE_E_GARBAGE },
	{ 200, "{\"sub\":4.2}", PROFILE_E_GARBAGE },
	{ 200, "{\"sub\":true}", PROFILE_E_GARBAGE },
	{ 200, "{\"sub\":[\"42\"]}", PROFILE_E_GARBAGE },
	{ 200, "{\"sub\":\"42 \"}", PROFILE_E_GARBAGE },
	{ 200, "{\"sub\":\"mw:local:w:42\"}", PROFILE_E_GARBAGE },
	{ 200, "{\"sub\":\"42\",\"sub\":\"43\"}", PROFILE_E_GARBAGE },
	{ 200, "{\"sub\":\"42\",\"username\":7}", PROFILE_E_GARBAGE },
	{ 200, "{\"sub\":\"42\",\"username\":\"a\\nb\"}", PROFILE_E_GARBAGE },
	{ 200, "{\"sub\":\"42\",\"username\":\"a\\u007f\"}", PROFILE_E_GARBAGE },
	{ 200, "{\"sub\":\"42\",\"username\":\"a\\u0000b\"}", PROFILE_E_GARBAGE },
	{ 200, "{\"sub\":\"42\",\"username\":\"\xff\"}", PROFILE_E_GARBAGE },
	{ 200, "{\"sub\":\"42\",\"blocked\":\"false\"}", PROFILE_E_GARBAGE },
	{ 200, "{\"sub\":\"42\",\"error\":\"x\"}", PROFILE_E_GARBAGE },
};

START_TEST(only_what_can_be_believed_refuses_and_nothing_else_is_believed)
{
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct ipc_wiki_answer answer;
		int r = read_profile(others[i].status, slice_of(others[i].body), &answer);

		ck_assert_msg(r == others[i].outcome, "%ld %s: %d", others[i].status,
			      others[i].body, r);
	}
}
END_TEST

START_TEST(a_name_has_255_bytes_at_most)
{
	char body[400];
	struct ipc_wiki_answer answer;

	(void)snprintf(body, sizeof(body), "{\"sub\":\"1\",\"username\":\"%0255d\"}", 7);
	ck_assert_int_eq(read_profile(200, slice_of(body), &answer), 0);
	(void)snprintf(body, sizeof(body), "{\"sub\":\"1\",\"username\":\"%0256d\"}", 7);
	ck_assert_int_eq(read_profile(200, slice_of(body), &answer), PROFILE_E_GARBAGE);
}
END_TEST

START_TEST(a_body_above_the_limit_is_not_read)
{
	static char body[PROFILE_SIZE_MAX + 1];
	struct ipc_wiki_answer answer;
	int n = snprintf(body, sizeof(body), "%s", GOOD);

	memset(body + n, ' ', sizeof(body) - (size_t)n);
	ck_assert_int_eq(read_profile(200, (struct slice){ body, PROFILE_SIZE_MAX }, &answer), 0);
	ck_assert_int_eq(read_profile(200, (struct slice){ body, sizeof(body) }, &answer),
			 PROFILE_E_GARBAGE);
}
END_TEST

START_TEST(an_access_token_is_visible_ascii)
{
	static const struct {
		long status;
		const char *body;
		int outcome;
	} rows[] = {
		{ 200, "{\"access_token\":\"a.b.c\",\"token_type\":\"Bearer\"}", 0 },
		{ 200, "{\"access_token\":\"\"}", PROFILE_E_GARBAGE },
		{ 200, "{\"access_token\":\"a b\"}", PROFILE_E_GARBAGE },
		{ 200, "{\"access_token\":\"a\\r\\nX: y\"}", PROFILE_E_GARBAGE },
		{ 200, "{\"access_token\":5}", PROFILE_E_GARBAGE },
		{ 200, "<html>", PROFILE_E_GARBAGE },
		{ 400, "{\"error\":\"invalid_grant\"}", PROFILE_E_REFUSED },
		{ 401, "{\"error\":\"invalid_client\"}", PROFILE_E_REFUSED },
		{ 500, "{\"access_token\":\"a.b.c\"}", PROFILE_E_GARBAGE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct slice token = { NULL, 0 };
		int r;

		arena_free(arena);
		ck_assert_int_eq(arena_new(&arena), 0);
		r = profile_read_access_token(arena, rows[i].status, slice_of(rows[i].body),
					      &token);
		ck_assert_msg(r == rows[i].outcome, "%s: %d", rows[i].body, r);
		if (!r)
			ck_assert_slice_eq(token, "a.b.c");
	}
}
END_TEST

SUITE("worker/profile", a_profile_names_an_account,
      only_what_can_be_believed_refuses_and_nothing_else_is_believed, a_name_has_255_bytes_at_most,
      a_body_above_the_limit_is_not_read, an_access_token_is_visible_ascii)
