/* What readers are served: which layer, which language, and that it says so. */

#include "tests/unit/suite.h"

#include "tests/unit/policy/sets.h"

static struct value *render(const struct policy_set *set, const char *wiki, const char *lang)
{
	const struct policy_wiki *found = wiki ? policy_set_find_wiki(set, slice_of(wiki)) : NULL;
	struct value *value = NULL;
	struct policy_chain chain;

	policy_chain_init(&chain, set, found, slice_of(lang), slice_of(""));
	ck_assert_int_eq(policy_set_render(set, found, &chain, &value), 0);
	return value;
}

static struct value *render_rule(const struct policy_set *set, const char *wiki, const char *lang,
				 const char *rule)
{
	const struct policy_wiki *found = wiki ? policy_set_find_wiki(set, slice_of(wiki)) : NULL;
	struct value *value = NULL;
	struct policy_chain chain;

	policy_chain_init(&chain, set, found, slice_of(lang), slice_of(""));
	ck_assert_int_eq(policy_set_render_rule(set, found, &chain, slice_of(rule), &value), 0);
	return value;
}

/* "text|lang|dir|layer|fallback|reviewed" */
static void expect_text(const struct value *text, const char *expected)
{
	struct buffer found = BUFFER_NULL;

	buffer_printf(&found, "%s|%s|%s|%s|%d|%d", value_get_string(text, "text"),
		      value_get_string(text, "lang"), value_get_string(text, "dir"),
		      value_get_string(text, "layer"), value_is_true(value_get(text, "fallback")),
		      value_is_true(value_get(text, "reviewed")));
	ck_assert_str_eq(found.at, expected);
	buffer_deinit(&found);
}

static const struct value *find(const struct value *list, const char *id)
{
	for (size_t i = 0; i < value_count(list); i++)
		if (strcmp(value_get_string(value_at(list, i), "id"), id) == 0)
			return value_at(list, i);
	return NULL;
}

START_TEST(a_policy_says_what_it_is)
{
	struct policy_set *set = good_set();
	struct value *policy = render(set, "alphawiki", "de");
	const struct value *layers = value_get(policy, "layers");

	ck_assert_str_eq(value_get_string(policy, "version"), policy_set_version(set));
	ck_assert_int_eq(value_integer(value_get(policy, "revision"), 0), 7);
	ck_assert_str_eq(value_get_string(policy, "wiki"), "alphawiki");
	ck_assert_str_eq(value_get_string(policy, "lang"), "de");
	ck_assert_uint_eq(value_count(layers), 5);
	ck_assert_str_eq(value_string(value_at(layers, 0)), "base");
	ck_assert_str_eq(value_string(value_at(layers, 1)), "region:north");
	ck_assert_str_eq(value_string(value_at(layers, 3)), "group:family");
	ck_assert_str_eq(value_string(value_at(layers, 4)), "wiki:alphawiki");
	ck_assert_int_eq(value_integer(value_get(value_get(policy, "procedure"), "accept"), 0),
			 86400);
	value_free(policy);
	policy_set_unref(set);
}
END_TEST

START_TEST(base_is_served_where_no_wiki_is_meant)
{
	struct policy_set *set = good_set();
	struct value *policy = render(set, NULL, "");

	ck_assert(value_is(value_get(policy, "wiki"), VALUE_NULL));
	ck_assert_uint_eq(value_count(value_get(policy, "layers")), 1);
	ck_assert_uint_eq(value_count(value_get(policy, "rules")), 4);
	ck_assert_uint_eq(value_count(value_get(policy, "categories")), 3);
	ck_assert_ptr_null(find(value_get(policy, "categories"), "spam"));
	value_free(policy);
	policy_set_unref(set);
}
END_TEST

START_TEST(a_text_is_served_in_the_best_language_it_has)
{
	struct policy_set *set = good_set();
	struct value *rule = render_rule(set, NULL, "de", "ucoc/3.1/insults");

	expect_text(value_get(rule, "title"), "Beleidigungen|de|ltr|base|0|1");
	expect_text(value_get(rule, "text"), "Jemanden beleidigen.|de|ltr|base|0|1");
	value_free(rule);
	rule = render_rule(set, NULL, "pt-br", "ucoc/3.1/insults");
	expect_text(value_get(rule, "title"), "Insultos|pt|ltr|base|1|0");
	expect_text(value_get(rule, "text"), "Insulting somebody.|en|ltr|base|1|1");
	value_free(rule);
	rule = render_rule(set, "arwiki", "", "ucoc/3.1/insults");
	expect_text(value_get(rule, "title"), "إهانات|ar|rtl|base|0|0");
	expect_text(value_get(rule, "text"), "Insulting somebody.|en|ltr|base|1|1");
	value_free(rule);
	policy_set_unref(set);
}
END_TEST

START_TEST(norwegian_falls_back_through_no)
{
	struct policy_set *set = good_set();
	struct value *rule = render_rule(set, "nowiki", "", "ucoc/3.1/threats");

	expect_text(value_get(rule, "title"), "Trusler|no|ltr|base|1|0");
	value_free(rule);
	rule = render_rule(set, "nowiki", "", "ucoc/3.1/insults");
	expect_text(value_get(rule, "title"), "Fornærmelser|nb|ltr|base|0|0");
	value_free(rule);
	policy_set_unref(set);
}
END_TEST

START_TEST(placeholders_are_served_raw)
{
	struct policy_set *set = good_set();
	struct value *rule = render_rule(set, NULL, "de", "ucoc/3.1/doxing");

	expect_text(
		value_get(rule, "text"),
		"$1 über {{GENDER:$2|ihn|sie}} teilen, {{PLURAL:$3|einmal|oft}}.|de|ltr|base|0|0");
	value_free(rule);
	policy_set_unref(set);
}
END_TEST

START_TEST(notes_come_layer_first_then_language)
{
	struct policy_set *set = good_set();
	struct value *rule = render_rule(set, "alphawiki", "de", "ucoc/3.1/insults");
	const struct value *notes = value_get(rule, "notes");

	/* The wiki's note is in English only, and still comes before the region's German one. */
	ck_assert_uint_eq(value_count(notes), 2);
	expect_text(value_at(notes, 0),
		    "Here this includes edit summaries.|en|ltr|wiki:alphawiki|1|1");
	expect_text(value_at(notes, 1), "Im Süden auch die Kaste.|de|ltr|region:south|0|0");
	ck_assert_str_eq(value_get_string(rule, "layer"), "base");
	value_free(rule);
	policy_set_unref(set);
}
END_TEST

START_TEST(labels_come_language_first_then_layer)
{
	struct policy_set *set = good_set();
	struct value *german = render(set, "alphawiki", "de"),
		     *english = render(set, "alphawiki", "en");

	/* The German label of base beats the local English one; in English the local one wins. */
	expect_text(value_get(find(value_get(german, "categories"), "doxing"), "title"),
		    "Persönliche Daten|de|ltr|base|0|0");
	expect_text(value_get(find(value_get(english, "categories"), "doxing"), "title"),
		    "Private data on Alpha|en|ltr|wiki:alphawiki|0|1");
	ck_assert(value_is(
		value_get(find(value_get(english, "categories"), "insults"), "description"),
		VALUE_NULL));
	value_free(german);
	value_free(english);
	policy_set_unref(set);
}
END_TEST

START_TEST(a_rule_is_served_with_what_its_wiki_made_of_it)
{
	struct policy_set *set = good_set();
	struct value *rule = render_rule(set, "alphawiki", "", "ucoc/3.1/insults");

	ck_assert_str_eq(value_get_string(rule, "severity_floor"), "S3");
	ck_assert_str_eq(value_get_string(rule, "privacy_floor"), "restricted");
	ck_assert_str_eq(value_get_string(value_get(rule, "reference"), "url"),
			 "https://example.org/ucoc");
	ck_assert_str_eq(value_get_string(rule, "wiki"), "alphawiki");
	ck_assert_str_eq(value_get_string(rule, "version"), policy_set_version(set));
	value_free(rule);
	policy_set_unref(set);
}
END_TEST

START_TEST(a_rule_that_is_not_in_force_there_is_absent)
{
	struct policy_set *set = good_set();
	const struct policy_wiki *alpha = policy_set_find_wiki(set, SLICE("alphawiki"));
	struct value *value = NULL;
	struct policy_chain chain;

	policy_chain_init(&chain, set, NULL, slice_of(""), slice_of(""));
	ck_assert_int_eq(policy_set_render_rule(set, NULL, &chain, SLICE("family/voting"), &value),
			 POLICY_E_ABSENT);
	ck_assert_int_eq(policy_set_render_rule(set, alpha, &chain, SLICE("alphawiki/old"), &value),
			 POLICY_E_ABSENT);
	ck_assert_int_eq(policy_set_render_rule(set, alpha, &chain, SLICE("alphawiki/"), &value),
			 POLICY_E_ABSENT);
	ck_assert_ptr_null(value);
	policy_set_unref(set);
}
END_TEST

START_TEST(bodies_have_labels)
{
	struct policy_set *set = good_set();
	struct policy_chain chain;
	struct value *text = NULL;

	policy_chain_init(&chain, set, NULL, slice_of("de"), slice_of(""));
	ck_assert_int_eq(policy_set_body_title(set, SLICE("u4c"), &chain, &text), 0);
	expect_text(text, "Das U4C|de|ltr|base|0|0");
	value_free(text);
	ck_assert_int_eq(policy_set_body_title(set, SLICE("nobody"), &chain, &text),
			 POLICY_E_ABSENT);
	policy_set_unref(set);
}
END_TEST

START_TEST(a_published_set_serves_the_same_texts)
{
	struct policy_set *set = good_set(), *copy = NULL;
	struct value *left = render(set, "alphawiki", "de"), *right;

	ck_assert_int_eq(policy_set_read(policy_set_canonical(set), &copy, NULL), 0);
	right = render(copy, "alphawiki", "de");
	ck_assert(value_equals(left, right));
	value_free(left);
	value_free(right);
	policy_set_unref(copy);
	policy_set_unref(set);
}
END_TEST

SUITE("policy/render", a_policy_says_what_it_is, base_is_served_where_no_wiki_is_meant,
      a_text_is_served_in_the_best_language_it_has, norwegian_falls_back_through_no,
      placeholders_are_served_raw, notes_come_layer_first_then_language,
      labels_come_language_first_then_layer, a_rule_is_served_with_what_its_wiki_made_of_it,
      a_rule_that_is_not_in_force_there_is_absent, bodies_have_labels,
      a_published_set_serves_the_same_texts)
