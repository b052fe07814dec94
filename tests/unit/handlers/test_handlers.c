/* The published policy in memory, the route table, and the description of the interface. */

#include "api/auth/people.h"
#include "api/handlers/openapi.h"
#include "api/handlers/routes.h"
#include "daemon/cases/actions.h"
#include "tests/unit/handlers/requests.h"
#include "tests/unit/suite.h"

static struct requests requests;
static int outcome;
static unsigned n_outcomes;

static void loaded(void *context, int come)
{
	ck_assert_ptr_eq(context, &requests);
	outcome = come;
	n_outcomes++;
}

static int load(void)
{
	return handlers_load_policy(&requests.handlers, loaded, &requests);
}

static void answer_with_the_set(void)
{
	CLEANUP(value_freep) struct value *body = value_new_object();
	CLEANUP(buffer_deinit) struct buffer json = BUFFER_NULL;

	ck_assert_int_eq(value_set_text(body, "canonical", policy_set_canonical(requests.set)), 0);
	ck_assert_int_eq(value_write(body, &json), 0);
	fake_pg_answer(200, json.at, "{}", "{}");
}

static void setup(void)
{
	requests_init(&requests);
	handlers_swap_policy_take(&requests.handlers, NULL);
	n_outcomes = 0;
}

static void teardown(void)
{
	requests_deinit(&requests);
}

START_TEST(the_published_set_is_read_into_memory)
{
	ck_assert_int_eq(load(), 0);
	ck_assert_str_eq(fake_pg_statement(), "policy_current");
	answer_with_the_set();
	ck_assert_uint_eq(n_outcomes, 1);
	ck_assert_int_eq(outcome, 0);
	ck_assert_str_eq(policy_set_version(requests.handlers.policy),
			 policy_set_version(requests.set));
}
END_TEST

/* Names are of the issuer that lists their wiki, or of the first that lists none. */
START_TEST(names_are_of_the_issuer_of_their_wiki)
{
	static const char *const a_wikis[] = { "awiki", "a2wiki" }, *const b_wikis[] = { "bwiki" };
	static const struct issuer issuers[] = {
		{ .scope = "local:a", .wikis = a_wikis, .n_wikis = 2 },
		{ .scope = "local:b", .wikis = b_wikis, .n_wikis = 1 },
		{ .scope = "rest" },
		{ .scope = "never" },
	};
	static const struct {
		const char *wiki;
		size_t n_issuers;
		const char *scope;
	} rows[] = {
		{ "awiki", 4, "local:a" }, { "a2wiki", 3, "local:a" }, { "bwiki", 4, "local:b" },
		{ "cwiki", 4, "rest" },    { "awik", 4, "rest" },      { "", 4, "rest" },
		{ NULL, 4, "rest" },       { "cwiki", 2, "local:a" },  { "awiki", 0, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct issuer_table table = { .issuers = issuers,
						    .n_issuers = rows[i].n_issuers };

		requests.handlers.issuers = &table;
		ck_assert_slice_eq(
			handlers_names_of(&requests.handlers, text_slice(rows[i].wiki)).scope,
			rows[i].scope);
	}
}
END_TEST

START_TEST(what_cannot_be_read_leaves_what_was)
{
	handlers_swap_policy_take(&requests.handlers, policy_set_ref(requests.set));
	ck_assert_int_eq(load(), 0);
	fake_pg_answer(200, "{\"canonical\":\"{}\"}", "{}", "{}");
	ck_assert_int_eq(outcome, HANDLERS_E_UNREADABLE);
	ck_assert_int_eq(load(), 0);
	fake_pg_refuse(PG_REFUSED, 404, "conduct-not-found", NULL);
	ck_assert_int_eq(outcome, HANDLERS_E_ABSENT);
	ck_assert_int_eq(load(), 0);
	fake_pg_refuse(PG_UNAVAILABLE, 503, "conduct-error-unavailable", NULL);
	ck_assert_int_eq(outcome, HANDLERS_E_UNAVAILABLE);
	ck_assert_int_eq(load(), 0);
	fake_pg_answer(200, "{\"index_mark\":\"00\"}", "{}", "{}");
	ck_assert_int_eq(outcome, HANDLERS_E_INDEX_KEY);
	ck_assert(requests.handlers.sealer->is_foreign);
	ck_assert_ptr_eq(requests.handlers.policy, requests.set);
}
END_TEST

START_TEST(what_is_published_during_a_load_is_loaded_after_it)
{
	ck_assert_int_eq(load(), 0);
	ck_assert_int_eq(load(), 1);
	answer_with_the_set();
	ck_assert_uint_eq(n_outcomes, 0);
	ck_assert_str_eq(fake_pg_statement(), "policy_current");
	answer_with_the_set();
	ck_assert_uint_eq(n_outcomes, 1);
	ck_assert_ptr_null(fake_pg_call());
}
END_TEST

START_TEST(a_load_that_cannot_be_sent_says_so)
{
	fake_pg_break(-ENOMEM);
	ck_assert_int_eq(load(), -ENOMEM);
	ck_assert_ptr_null(requests.handlers.load);
}
END_TEST

START_TEST(a_name_of_the_people_file_is_known_by_its_account)
{
	static const char text[] =
		"{\"people\":{\"ada\":{\"sub\":\"42\",\"user\":\"Ada Lovelace\"},"
		"\"bob\":{\"sub\":\"43\",\"user\":\"Bob\"}}}";
	uint8_t name_ix[INDEX_SIZE], found[INDEX_SIZE], expected[INDEX_SIZE];
	struct issuer issuer = { .iss = "https://demo", .scope = "CentralAuth" };
	const struct issuer_table issuers = { .issuers = &issuer, .n_issuers = 1 };
	struct handlers handlers = HANDLERS_NULL;
	struct people *people = NULL;
	struct arena *arena;
	const char *message;

	ck_assert_int_eq(arena_new(&arena), 0);
	ck_assert_int_eq(people_new(slice_of(text), "CentralAuth", &people, &message), 0);
	issuer.people = people;
	ck_assert_int_eq(handlers_init(&handlers, NULL, &requests.key, &requests.sealer, &issuers),
			 0);
	ck_assert_int_eq(index_of_name(&requests.key, arena, handlers.names.scope,
				       SLICE("ada_Lovelace"), name_ix),
			 0);
	ck_assert(handlers.names.find(handlers.names.userdata, name_ix, found));
	ck_assert_int_eq(index_of_id(&requests.key, SLICE("https://demo"), SLICE("CentralAuth"),
				     SLICE("42"), expected),
			 0);
	ck_assert_int_eq(memcmp(found, expected, INDEX_SIZE), 0);
	name_ix[0] ^= 1;
	ck_assert(!handlers.names.find(handlers.names.userdata, name_ix, found));
	handlers_deinit(&handlers);
	people_free(people);
	arena_free(arena);
}
END_TEST

START_TEST(every_route_can_be_reached)
{
	struct router *router = NULL;

	ck_assert_int_eq(router_new(routes, routes_n, &router), 0);
	router_free(router);
	for (size_t i = 0; i < routes_n; i++)
		ck_assert_ptr_nonnull(routes[i].handle);
}
END_TEST

/* Signing in has codes that are good once in place of keys. */
START_TEST(what_changes_something_takes_a_key)
{
	for (size_t i = 0; i < routes_n; i++) {
		bool is_auth = strncmp(routes[i].path, "/v1/auth/", 9) == 0;

		ck_assert_msg((routes[i].method == HTTP_GET || is_auth) ==
				      !(routes[i].flags & (ROUTE_KEY | ROUTE_KEY_LATE)),
			      "%s", routes[i].path);
	}
}
END_TEST

START_TEST(what_is_about_a_case_leaves_on_the_grid)
{
	for (size_t i = 0; i < routes_n; i++) {
		bool is_case = strncmp(routes[i].path, "/v1/cases/", 10) == 0 ||
			       strncmp(routes[i].path, "/v1/receipt", 11) == 0;

		ck_assert_msg(is_case == ((routes[i].flags & ROUTE_SLOT) != 0), "%s",
			      routes[i].path);
	}
}
END_TEST

START_TEST(the_description_names_every_action_and_is_tagged)
{
	const struct value *schemas;
	char name[80];

	requests_send(&requests, "GET /v1/openapi.json", "", NULL);
	ck_assert_int_eq(requests.status, 200);
	ck_assert_str_eq(value_get_string(requests.json, "openapi"), "3.1.0");
	ck_assert_uint_eq(strlen(requests.exchange->reply->tag), 66);
	schemas = value_get(value_get(requests.json, "components"), "schemas");
	for (size_t i = 0; i < actions_n; i++) {
		const struct value *properties;

		snprintf(name, sizeof(name), "%s.%s",
			 actions[i].audience == ACTION_HANDLER ? "CaseAction" : "PartyAction",
			 actions[i].name);
		ck_assert_msg(value_get(schemas, name), "%s", name);
		properties = value_get(value_get(schemas, name), "properties");
		for (const struct form *row = actions[i].body; row->name; row++)
			ck_assert_msg(value_get(properties, row->name), "%s has no %s", name,
				      row->name);
	}
}
END_TEST

START_TEST(the_description_asks_for_the_members_that_are_needed)
{
	const struct value *schemas;

	requests_send(&requests, "GET /v1/openapi.json", "", NULL);
	schemas = value_get(value_get(requests.json, "components"), "schemas");
	for (size_t i = 0; i < actions_n; i++) {
		char name[80];
		const struct value *schema;
		size_t n = 0;

		snprintf(name, sizeof(name), "%s.%s",
			 actions[i].audience == ACTION_HANDLER ? "CaseAction" : "PartyAction",
			 actions[i].name);
		schema = value_get(schemas, name);
		for (const struct form *row = actions[i].body; row->name; row++)
			n += (row->flags & FORM_REQUIRED) != 0;
		ck_assert_msg(value_count(value_get(schema, "required")) == n, "%s", name);
		ck_assert_msg(value_is(value_get(schema, "additionalProperties"), VALUE_BOOLEAN),
			      "%s", name);
	}
}
END_TEST

SUITE_EACH("handlers/handlers", setup, teardown, the_published_set_is_read_into_memory,
	   what_cannot_be_read_leaves_what_was, what_is_published_during_a_load_is_loaded_after_it,
	   a_load_that_cannot_be_sent_says_so, names_are_of_the_issuer_of_their_wiki,
	   a_name_of_the_people_file_is_known_by_its_account, every_route_can_be_reached,
	   what_changes_something_takes_a_key, what_is_about_a_case_leaves_on_the_grid,
	   the_description_names_every_action_and_is_tagged,
	   the_description_asks_for_the_members_that_are_needed)
