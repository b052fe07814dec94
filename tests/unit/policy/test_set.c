/* What a loaded set says: layers on each other, versions, and the three texts that are published.
 */

#include "tests/unit/suite.h"

#include "tests/unit/policy/sets.h"

static struct value *effective_of(const struct policy_set *set)
{
	struct value *value = NULL;

	ck_assert_int_eq(value_parse(policy_set_effective(set), &value, NULL), 0);
	return value;
}

static const struct value *find(const struct value *list, const char *key, const char *id)
{
	for (size_t i = 0; i < value_count(list); i++) {
		const char *found = value_get_string(value_at(list, i), key);

		if (found && strcmp(found, id) == 0)
			return value_at(list, i);
	}
	return NULL;
}

static const struct value *profile_of(const struct value *effective, const char *wiki)
{
	const struct value *entry = find(value_get(effective, "wikis"), "wiki", wiki);

	ck_assert_msg(entry != NULL, "no wiki %s", wiki);
	return find(value_get(effective, "profiles"), "profile",
		    value_get_string(entry, "profile"));
}

static const struct policy_wiki *wiki_of(const struct policy_set *set, const char *dbname)
{
	const struct policy_wiki *wiki = policy_set_find_wiki(set, slice_of(dbname));

	ck_assert_msg(wiki != NULL, "no wiki %s", dbname);
	return wiki;
}

static int64_t limit_of(const struct policy_set *set, const char *dbname, const char *key)
{
	int64_t limit = -1;

	ck_assert_int_eq(policy_set_limit(set, dbname ? wiki_of(set, dbname) : NULL, key, &limit),
			 0);
	return limit;
}

START_TEST(a_good_set_is_accepted)
{
	struct policy_set *set = good_set();

	ck_assert_int_eq(policy_set_revision(set), 7);
	ck_assert_str_eq(policy_set_name(set), "test set");
	ck_assert_uint_eq(strlen(policy_set_version(set)), POLICY_VERSION_LENGTH);
	ck_assert_uint_eq(policy_set_count_layers(set), 5);
	ck_assert_uint_eq(policy_set_count_wikis(set), 7);
	ck_assert_uint_eq(policy_set_count_profiles(set), 4);
	policy_set_unref(set);
}
END_TEST

START_TEST(wikis_are_what_the_registry_says)
{
	struct policy_set *set = good_set();

	ck_assert_str_eq(wiki_of(set, "nowiki")->lang, "nb");
	ck_assert_str_eq(wiki_of(set, "be_x_oldwiki")->lang, "be-tarask");
	ck_assert(wiki_of(set, "arwiki")->is_rtl);
	ck_assert_str_eq(wiki_of(set, "closedwiki")->status, "closed");
	ck_assert_ptr_null(wiki_of(set, "closedwiki")->group);
	ck_assert_ptr_null(wiki_of(set, "nowiki")->body);
	ck_assert_str_eq(wiki_of(set, "alphawiki")->body, "alpha-functionaries");
	ck_assert_str_eq(wiki_of(set, "alphawiki")->regions[0], "north");
	ck_assert_str_eq(wiki_of(set, "alphawiki")->regions[1], "south");
	ck_assert_ptr_null(wiki_of(set, "alphawiki")->regions[2]);
	ck_assert_ptr_null(policy_set_find_wiki(set, SLICE("nowik")));
	ck_assert_ptr_null(policy_set_find_wiki(set, SLICE("nowikii")));
	ck_assert_ptr_null(policy_set_find_wiki(set, SLICE("")));
	ck_assert_ptr_null(policy_set_wiki_at(set, 7));
	ck_assert_str_eq(policy_set_wiki_at(set, 0)->dbname, "alphawiki");
	policy_set_unref(set);
}
END_TEST

START_TEST(of_two_regions_the_stricter_wins)
{
	/* Without the overlay of the wiki: north says 48h, 40d, 12; south says 60h, 45d, 11. */
	struct policy_set *set = changed_set("=== remove wikis/alphawiki.yaml\n");
	struct value *effective = effective_of(set);
	const struct value *rules = value_get(profile_of(effective, "alphawiki"), "rules");
	const struct value *insults = find(rules, "id", "ucoc/3.1/insults");

	ck_assert_int_eq(limit_of(set, "alphawiki", "accept"), 48 * 3600);
	ck_assert_int_eq(limit_of(set, "alphawiki", "appeal_window"), 45 * 86400);
	ck_assert_int_eq(limit_of(set, "alphawiki", "statistics_k"), 12);
	ck_assert_str_eq(value_get_string(insults, "severity_floor"), "S3");
	ck_assert_str_eq(value_get_string(insults, "privacy_floor"), "restricted");
	ck_assert(!value_is_true(value_get(insults, "mediation")));
	value_free(effective);
	policy_set_unref(set);
}
END_TEST

START_TEST(layers_tighten_one_after_the_other)
{
	struct policy_set *set = good_set();
	int64_t limit;

	ck_assert_int_eq(limit_of(set, NULL, "accept"), 72 * 3600);
	ck_assert_int_eq(limit_of(set, "nowiki", "accept"), 48 * 3600);
	ck_assert_int_eq(limit_of(set, "alphawiki", "accept"), 24 * 3600);
	ck_assert_int_eq(limit_of(set, "arwiki", "accept"), 72 * 3600);
	ck_assert_int_eq(policy_set_limit(set, NULL, "lunch", &limit), POLICY_E_ABSENT);
	policy_set_unref(set);
}
END_TEST

START_TEST(rules_hold_where_their_layer_lies)
{
	struct policy_set *set = good_set();

	ck_assert(policy_set_has_rule(set, NULL, SLICE("ucoc/3.1/insults")));
	ck_assert(policy_set_has_rule(set, wiki_of(set, "ptwiki"), SLICE("family/voting")));
	ck_assert(!policy_set_has_rule(set, wiki_of(set, "nowiki"), SLICE("family/voting")));
	ck_assert(policy_set_has_rule(set, wiki_of(set, "alphawiki"), SLICE("alphawiki/names")));
	ck_assert(!policy_set_has_rule(set, wiki_of(set, "alphawiki"), SLICE("alphawiki/old")));
	ck_assert(policy_set_has_sanction(set, wiki_of(set, "alphawiki"), SLICE("alpha-quiet")));
	ck_assert(!policy_set_has_sanction(set, NULL, SLICE("alpha-quiet")));
	ck_assert(policy_set_has_body(set, SLICE("u4c")));
	ck_assert(!policy_set_has_body(set, SLICE("self")));
	policy_set_unref(set);
}
END_TEST

START_TEST(a_category_is_offered_where_somebody_offers_it)
{
	struct policy_set *set = good_set();

	ck_assert(policy_set_has_category(set, NULL, SLICE("doxing")));
	ck_assert(!policy_set_has_category(set, NULL, SLICE("spam")));
	ck_assert(policy_set_has_category(set, wiki_of(set, "ptwiki"), SLICE("spam")));
	ck_assert(!policy_set_has_category(set, wiki_of(set, "arwiki"), SLICE("voting")));
	ck_assert_ptr_null(policy_set_category_harm(set, NULL, SLICE("doxing")));
	ck_assert_str_eq(policy_set_category_harm(set, NULL, SLICE("self-harm")), "self_harm");
	policy_set_unref(set);
}
END_TEST

START_TEST(types_of_the_extension_map_to_categories)
{
	struct policy_set *set = good_set();

	ck_assert_str_eq(policy_set_map_irs(set, NULL, SLICE("intimidation")), "insults");
	ck_assert_str_eq(policy_set_map_irs(set, NULL, SLICE("threats-self-harm")), "self-harm");
	ck_assert_ptr_null(policy_set_map_irs(set, NULL, SLICE("something-else")));
	policy_set_unref(set);
}
END_TEST

START_TEST(a_section_is_text_so_three_ten_is_not_three_one)
{
	struct policy_set *set = good_set();
	struct value *effective = effective_of(set);
	const struct value *rules = value_get(profile_of(effective, "nowiki"), "rules");

	ck_assert_str_eq(value_get_string(find(rules, "id", "ucoc/3.1/doxing"), "section"), "3.10");
	ck_assert_str_eq(value_get_string(find(rules, "id", "ucoc/3.1/insults"), "section"), "3.1");
	value_free(effective);
	policy_set_unref(set);
}
END_TEST

START_TEST(the_effective_rules_are_those_of_the_profile)
{
	struct policy_set *set = good_set();
	struct value *effective = effective_of(set);
	const struct value *profile = profile_of(effective, "alphawiki");
	const struct value *names = find(value_get(profile, "rules"), "id", "alphawiki/names");
	const struct value *respect = find(value_get(profile, "rules"), "id", "ucoc/2.1/respect");
	const struct value *doxing = find(value_get(profile, "categories"), "id", "doxing");
	const struct value *block = find(value_get(profile, "sanctions"), "id", "block");
	const struct value *warning = find(value_get(profile, "sanctions"), "id", "warning");

	ck_assert_str_eq(value_get_string(names, "route"), "personal_data");
	ck_assert(value_is(value_get(respect, "severity_floor"), VALUE_NULL));
	ck_assert_ptr_null(find(value_get(profile, "rules"), "id", "alphawiki/old"));
	ck_assert_uint_eq(value_count(value_get(doxing, "rules")), 2);
	ck_assert_int_eq(value_integer(value_get(block, "local_cap"), 0), 3 * 86400);
	ck_assert(value_is(value_get(warning, "local_cap"), VALUE_NULL));
	ck_assert_int_eq(value_integer(value_get(value_get(profile, "procedure"), "accept"), 0),
			 86400);
	ck_assert_str_eq(value_get_string(value_get(profile, "routes"), "off_wiki"), "legal");
	ck_assert_str_eq(value_get_string(value_get(effective, "routes"), "off_wiki"), "ts");
	ck_assert_str_eq(value_get_string(value_get(effective, "routes"), "systemic"), "u4c");
	ck_assert_str_eq(
		value_get_string(find(value_get(effective, "wikis"), "wiki", "arwiki"), "profile"),
		value_get_string(effective, "base_profile"));
	value_free(effective);
	policy_set_unref(set);
}
END_TEST

START_TEST(bodies_are_what_their_own_layer_tightened)
{
	struct policy_set *set = good_set();
	struct value *effective = effective_of(set);
	const struct value *bodies = value_get(effective, "bodies");
	const struct value *arbcom = find(bodies, "id", "alpha-arbcom");
	const struct value *people = find(bodies, "id", "alpha-functionaries");

	ck_assert_int_eq(value_integer(value_get(value_get(arbcom, "quorum"), "n"), 0), 4);
	ck_assert_int_eq(value_integer(value_get(arbcom, "panel_size"), 0), 7);
	ck_assert_str_eq(value_get_string(value_get(arbcom, "accept"), "rule"), "net");
	ck_assert(value_is_true(value_get(value_get(arbcom, "accept"), "or_majority")));
	ck_assert_str_eq(value_get_string(arbcom, "appeal"), "self");
	ck_assert_str_eq(value_get_string(people, "up"), "u4c");
	ck_assert_str_eq(value_get_string(people, "decides"), "single");
	value_free(effective);
	policy_set_unref(set);
}
END_TEST

START_TEST(the_canonical_text_reads_back_to_the_same_set)
{
	struct policy_set *set = good_set(), *copy = NULL;
	struct policy_errors errors = { 0 };

	ck_assert_int_eq(policy_set_read(policy_set_canonical(set), &copy, &errors), 0);
	ck_assert_str_eq(policy_set_version(copy), policy_set_version(set));
	ck_assert_int_eq(policy_set_revision(copy), 7);
	ck_assert_slice_eq(policy_set_effective(copy), policy_set_effective(set).at);
	policy_set_unref(copy);
	policy_set_unref(set);
}
END_TEST

START_TEST(quotes_and_order_do_not_change_the_version)
{
	struct policy_set *set = good_set();
	struct policy_set *other = changed_set("=== replace registry/all.yaml\n"
					       "{lang: nb, dir: ltr, family: wikipedia\n"
					       "=== with\n"
					       "{family: \"wikipedia\", 'dir': ltr, lang: 'nb'\n"
					       "=== replace base.yaml\n"
					       "    mediation: false\n"
					       "=== with\n"
					       "    mediation: \"false\" # a comment\n");

	ck_assert_str_eq(policy_set_version(set), policy_set_version(other));
	policy_set_unref(other);
	policy_set_unref(set);
}
END_TEST

START_TEST(any_change_changes_the_version)
{
	struct policy_set *set = good_set();
	struct policy_set *other = changed_set(
		"=== replace lang/pt.yaml\nInsultos\n=== with\nOfensas\n");

	ck_assert_str_ne(policy_set_version(set), policy_set_version(other));
	policy_set_unref(other);
	policy_set_unref(set);
}
END_TEST

START_TEST(a_published_text_that_is_none_is_refused)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"format\":2}",
		"{\"format\":1,\"layers\":[],\"registry\":{}}",
		"{\"format\":1,\"layers\":[{\"layer\":\"base\"}]}",
		"{\"format\":1,\"layers\":[{\"layer\":\"base\",\"id\":\"base\"}]}"
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct policy_errors errors = { 0 };
		struct policy_set *set = NULL;

		ck_assert_int_eq(policy_set_read(slice_of(texts[i]), &set, &errors),
				 POLICY_E_REFUSED);
		ck_assert_uint_gt(errors.n_lines, 0);
		ck_assert_ptr_null(set);
		policy_errors_deinit(&errors);
	}
}
END_TEST

static const char OWN[] = "=== write own/manifest.yaml\n"
			  "format: 1\nname: own\nrevision: 5\n"
			  "=== write own/base.yaml\n"
			  "layer: base\nid: base\n"
			  "add:\n"
			  "  languages: {sv: {fallback: [nb]}}\n"
			  "tighten:\n  procedure: {accept: 70h}\n"
			  "=== write own/registry/mine.yaml\n"
			  "wikis:\n"
			  "  nowiki: {lang: \"no\", dir: ltr, family: wikipedia, status: closed}\n"
			  "  svwiki: {lang: sv, dir: ltr, family: wikipedia, status: open}\n"
			  "=== write own/lang/de.yaml\n"
			  "language: de\nrules:\n  ucoc/3.1/insults: {title: Kränkungen}\n";

START_TEST(the_operators_directory_lies_on_the_shipped_one)
{
	struct policy_set *set = changed_set(OWN);

	ck_assert_int_eq(policy_set_revision(set), 12);
	ck_assert_uint_eq(policy_set_count_wikis(set), 8);
	ck_assert_str_eq(wiki_of(set, "nowiki")->lang, "no");
	ck_assert_str_eq(wiki_of(set, "nowiki")->status, "closed");
	ck_assert_str_eq(wiki_of(set, "nowiki")->regions[0], "north");
	ck_assert_int_eq(limit_of(set, "svwiki", "accept"), 70 * 3600);
	ck_assert_int_eq(limit_of(set, "nowiki", "accept"), 48 * 3600);
	policy_set_unref(set);
}
END_TEST

START_TEST(two_directories_read_back_from_one_text)
{
	struct policy_set *set = changed_set(OWN), *copy = NULL;
	struct policy_errors errors = { 0 };

	ck_assert_int_eq(policy_set_read(policy_set_canonical(set), &copy, &errors), 0);
	ck_assert_str_eq(policy_set_version(copy), policy_set_version(set));
	ck_assert_slice_eq(policy_set_effective(copy), policy_set_effective(set).at);
	policy_set_unref(copy);
	policy_set_unref(set);
}
END_TEST

START_TEST(a_set_lives_until_its_last_reference)
{
	struct policy_set *set = good_set();
	struct policy_set *other = policy_set_ref(set);

	ck_assert_ptr_null(policy_set_unref(set));
	ck_assert_int_eq(policy_set_revision(other), 7);
	policy_set_unrefp(&other);
	ck_assert_ptr_null(other);
	ck_assert_ptr_null(policy_set_unref(NULL));
}
END_TEST

START_TEST(the_shipped_set_is_accepted)
{
	const char *const directories[] = { POLICY_DATA_DIR };
	struct policy_errors errors = { 0 };
	struct policy_set *set = NULL;
	int r = policy_set_load(directories, 1, &set, &errors);

	ck_assert_msg(r == 0, "%s", errors.n_lines ? errors.lines[0] : "");
	ck_assert_uint_ge(policy_set_count_wikis(set), 60);
	ck_assert_str_eq(wiki_of(set, "nowiki")->lang, "nb");
	ck_assert_str_eq(wiki_of(set, "be_x_oldwiki")->lang, "be-tarask");
	policy_set_unref(set);
}
END_TEST

SUITE("policy/set", a_good_set_is_accepted, wikis_are_what_the_registry_says,
      of_two_regions_the_stricter_wins, layers_tighten_one_after_the_other,
      rules_hold_where_their_layer_lies, a_category_is_offered_where_somebody_offers_it,
      types_of_the_extension_map_to_categories, a_section_is_text_so_three_ten_is_not_three_one,
      the_effective_rules_are_those_of_the_profile, bodies_are_what_their_own_layer_tightened,
      the_canonical_text_reads_back_to_the_same_set, quotes_and_order_do_not_change_the_version,
      any_change_changes_the_version, a_published_text_that_is_none_is_refused,
      the_operators_directory_lies_on_the_shipped_one, two_directories_read_back_from_one_text,
      a_set_lives_until_its_last_reference, the_shipped_set_is_accepted)
