/* Scalars are read by the schema; the kinds of text that ids, languages and dbnames are. */

#include "tests/unit/suite.h"

#include "policy/list.h"
#include "policy/procedure.h"
#include "policy/schema.h"

static size_t complaints(const struct schema *schema, const char *yaml)
{
	struct yaml_document *document = NULL;
	struct policy_report report = { 0 };
	struct policy_node *node = NULL;
	struct buffer text = BUFFER_NULL;
	struct yaml_error error;

	/* In a list, since a document that is null is none. */
	buffer_printf(&text, "- %s", yaml);
	ck_assert_int_eq(arena_new(&report.arena), 0);
	ck_assert_msg(yaml_document_new(slice_of(text.at), &document, &error) == 0, "%s: %s", yaml,
		      error.message);
	ck_assert_int_eq(
		policy_node_from_yaml(report.arena, "f", yaml_document_root(document), &node), 0);
	ck_assert_int_eq(policy_schema_check(schema, node->items[0], &report), 0);
	yaml_document_free(document);
	buffer_deinit(&text);
	arena_free(report.arena);
	return report.n_complaints;
}

static void accept(enum schema_type type, const char *yaml)
{
	const struct schema schema = { .type = type, .min = 1, .max = 86400 };

	ck_assert_msg(complaints(&schema, yaml) == 0, "%s is refused", yaml);
}

static void refuse(enum schema_type type, const char *yaml)
{
	const struct schema schema = { .type = type, .min = 1, .max = 86400 };

	ck_assert_msg(complaints(&schema, yaml) == 1, "%s is accepted", yaml);
}

START_TEST(a_scalar_is_what_the_schema_wants_it_to_be)
{
	accept(SCHEMA_LANG, "no");
	accept(SCHEMA_LANG, "\"no\"");
	accept(SCHEMA_LABEL, "no");
	accept(SCHEMA_LABEL, "3.10");
	accept(SCHEMA_LABEL, "null");
	accept(SCHEMA_BOOL, "\"true\"");
	refuse(SCHEMA_BOOL, "no");
	refuse(SCHEMA_BOOL, "True");
	accept(SCHEMA_INT, "\"12\"");
	refuse(SCHEMA_INT, "0x10");
	refuse(SCHEMA_INT, "012");
	refuse(SCHEMA_INT, "1.0");
	refuse(SCHEMA_INT, "-1");
	refuse(SCHEMA_INT, "99999999999999999999");
	refuse(SCHEMA_INT, "86401");
}
END_TEST

START_TEST(ids_are_short_and_plain)
{
	accept(SCHEMA_ID, "u4c");
	accept(SCHEMA_ID, "a.b_c-d");
	refuse(SCHEMA_ID, "U4C");
	refuse(SCHEMA_ID, "-a");
	refuse(SCHEMA_ID, "a b");
	refuse(SCHEMA_ID, "\"\"");
	refuse(SCHEMA_ID, "ä");
	refuse(SCHEMA_ID, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	accept(SCHEMA_RULE_ID, "ucoc/3.1/doxing");
	refuse(SCHEMA_RULE_ID, "ucoc");
	refuse(SCHEMA_RULE_ID, "ucoc//doxing");
	refuse(SCHEMA_RULE_ID, "ucoc/3.1/");
	refuse(SCHEMA_RULE_ID, "/ucoc");
	refuse(SCHEMA_RULE_ID, "ucoc/../x");
	accept(SCHEMA_DBNAME, "be_x_oldwiki");
	refuse(SCHEMA_DBNAME, "be-x-oldwiki");
	refuse(SCHEMA_ID, "{}");
	refuse(SCHEMA_ID, "[a]");
}
END_TEST

START_TEST(languages_are_lower_case_codes)
{
	accept(SCHEMA_LANG, "be-tarask");
	accept(SCHEMA_LANG, "zh-hant");
	accept(SCHEMA_LANG, "roa-tara");
	accept(SCHEMA_LANG, "de-1996");
	refuse(SCHEMA_LANG, "e");
	refuse(SCHEMA_LANG, "pt-BR");
	refuse(SCHEMA_LANG, "pt-");
	refuse(SCHEMA_LANG, "pt_br");
}
END_TEST

START_TEST(limits_dates_and_places_are_checked)
{
	accept(SCHEMA_DURATION, "60min");
	refuse(SCHEMA_DURATION, "60");
	refuse(SCHEMA_DURATION, "2d");
	refuse(SCHEMA_DURATION, "0s");
	refuse(SCHEMA_DURATION, "-1h");
	accept(SCHEMA_DATE, "2028-02-29");
	refuse(SCHEMA_DATE, "2026-02-29");
	refuse(SCHEMA_DATE, "2026-2-9");
	accept(SCHEMA_TIME, "2026-11-22T00:00:00Z");
	refuse(SCHEMA_TIME, "2026-11-22");
	accept(SCHEMA_URL, "https://example.org/a?b=c#d");
	refuse(SCHEMA_URL, "https://");
	refuse(SCHEMA_URL, "ftp://example.org");
	refuse(SCHEMA_URL, "https://exa mple.org");
	accept(SCHEMA_HOST, "no.wikipedia.org");
	refuse(SCHEMA_HOST, "no.wikipedia.org/x");
	refuse(SCHEMA_HOST, "..");
	accept(SCHEMA_JURISDICTION, "global");
	accept(SCHEMA_JURISDICTION, "wiki:be_x_oldwiki");
	refuse(SCHEMA_JURISDICTION, "wiki:");
	refuse(SCHEMA_JURISDICTION, "planet:earth");
	accept(SCHEMA_LAYER_NAME, "region:north");
	refuse(SCHEMA_LAYER_NAME, "global");
	accept(SCHEMA_ID_OR_NULL, "null");
	accept(SCHEMA_ID_OR_NULL, "~");
	refuse(SCHEMA_ID_OR_NULL, "\"~\"");
}
END_TEST

START_TEST(texts_are_trimmed_and_bounded)
{
	char *label = malloc(512);

	accept(SCHEMA_TEXT, "|\n  two\n  lines\n");
	accept(SCHEMA_LABEL, ">\n  folded\n  into one\n");
	refuse(SCHEMA_LABEL, "|\n  two\n  lines\n");
	refuse(SCHEMA_TEXT, "\"   \"");
	refuse(SCHEMA_TEXT, "\"{{x}}\"");
	memset(label, 'x', 512);
	label[200] = '\0';
	accept(SCHEMA_LABEL, label);
	label[200] = 'x';
	label[201] = '\0';
	refuse(SCHEMA_LABEL, label);
	free(label);
}
END_TEST

START_TEST(durations_print_as_people_write_them)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = { { 0, "0s" },       { 90, "90s" },       { 60, "60s" },     { 3600, "60min" },
		      { 7200, "2h" },    { 86400, "24h" },    { 259200, "72h" }, { 604800, "7d" },
		      { 5400, "90min" }, { 31536000, "365d" } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[32];

		policy_duration_print(cases[i].seconds, text);
		ck_assert_str_eq(text, cases[i].text);
	}
}
END_TEST

START_TEST(every_limit_is_found_by_its_name)
{
	for (int i = 0; i < POLICY_N_LIMITS; i++)
		ck_assert_int_eq(policy_limit_find(policy_limits[i].name), i);
	ck_assert_int_eq(policy_limit_find("accep"), -1);
}
END_TEST

static const char *name_of(const void *item)
{
	return item;
}

static int compare_first(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

START_TEST(lists_sort_stably_and_find_whole_names)
{
	static char words[][8] = { "cc", "a", "bb", "b", "ca", "aa" };
	static const char *const sorted[] = { "a", "aa", "bb", "b", "cc", "ca" };
	struct policy_list list = { 0 };
	struct arena *arena = NULL;

	ck_assert_int_eq(arena_new(&arena), 0);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		ck_assert_int_eq(policy_list_add(arena, &list, words[i]), 0);
	policy_list_sort(&list, compare_first);
	for (size_t i = 0; i < ARRAY_SIZE(sorted); i++)
		ck_assert_str_eq(list.items[i], sorted[i]);
	list.n_items = 2;
	ck_assert_str_eq(policy_list_find(&list, SLICE("aa"), name_of), "aa");
	ck_assert_str_eq(policy_list_find(&list, SLICE("a"), name_of), "a");
	ck_assert_ptr_null(policy_list_find(&list, SLICE(""), name_of));
	ck_assert_ptr_null(policy_list_find(&list, SLICE("aaa"), name_of));
	arena_free(arena);
}
END_TEST

SUITE("policy/schema", a_scalar_is_what_the_schema_wants_it_to_be, ids_are_short_and_plain,
      languages_are_lower_case_codes, limits_dates_and_places_are_checked,
      texts_are_trimmed_and_bounded, durations_print_as_people_write_them,
      every_limit_is_found_by_its_name, lists_sort_stably_and_find_whole_names)
