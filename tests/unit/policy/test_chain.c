/* Chains of languages: flat lists, whatever the relation of languages looks like. */

#include "tests/unit/suite.h"

#include "tests/unit/policy/sets.h"

static void expect(const char *wiki, const char *list, const char *accept, const char *langs)
{
	struct policy_set *set = good_set();
	const struct policy_wiki *found = wiki ? policy_set_find_wiki(set, slice_of(wiki)) : NULL;
	struct buffer text = BUFFER_NULL;
	struct policy_chain chain;

	ck_assert(!wiki || found);
	policy_chain_init(&chain, set, found, slice_of(list), slice_of(accept));
	for (size_t i = 0; i < chain.n_langs; i++)
		buffer_printf(&text, "%s%s", i ? " " : "", chain.langs[i]);
	ck_assert_str_eq(text.at, langs);
	buffer_deinit(&text);
	policy_set_unref(set);
}

START_TEST(a_wiki_speaks_the_language_of_the_registry)
{
	expect("nowiki", "", "", "nb no da en");
	expect("be_x_oldwiki", "", "", "be-tarask be ru en");
	expect("xyzwiki", "", "", "azb en");
	expect(NULL, "", "", "en");
}
END_TEST

START_TEST(no_is_norwegian)
{
	expect(NULL, "no", "", "no nb en");
}
END_TEST

START_TEST(languages_that_name_each_other_end)
{
	expect(NULL, "pt", "", "pt pt-br en");
	expect(NULL, "pt-br", "", "pt-br pt en");
}
END_TEST

START_TEST(a_chain_of_ones_own_gets_no_fallbacks)
{
	expect("nowiki", "pt-br|ar", "", "pt-br ar en");
	expect(NULL, "de|de|DE", "", "de en");
}
END_TEST

START_TEST(unknown_and_malformed_languages_are_passed_over)
{
	expect(NULL, "xx|de", "", "de en");
	expect("nowiki", "tlh", "", "nb no da en");
	expect("nowiki", "||%00|'; drop table", "", "nb no da en");
	expect(NULL, "en", "", "en");
}
END_TEST

START_TEST(accept_language_goes_by_quality)
{
	expect("nowiki", "", "de;q=0.5, ar;q=0.9, pt;q=0", "ar de en");
	expect("nowiki", "", "de-AT, *;q=0.1", "de en");
	expect("nowiki", "", "pt-BR,pt;q=0.9", "pt-br pt en");
	expect("nowiki", "", "pt-BR;q=0.9, ar;q=0.1", "pt-br pt ar en");
	expect("nowiki", "", "be-tarask;q=0.8, de;q=0.85", "de be-tarask be ru en");
	expect("nowiki", "", ",,;q=1,;;", "nb no da en");
	expect(NULL, "de", "ar", "de en");
}
END_TEST

START_TEST(a_chain_has_an_end_however_long_the_wish)
{
	struct policy_set *set = good_set();
	struct buffer wish = BUFFER_NULL;
	struct policy_chain chain;

	for (int i = 0; i < 10000; i++)
		buffer_append_text(&wish, i % 2 ? "de|" : "ar|");
	policy_chain_init(&chain, set, NULL, slice_of(wish.at), slice_of(""));
	ck_assert_uint_eq(chain.n_langs, 3);
	ck_assert_str_eq(chain.langs[2], "en");
	buffer_deinit(&wish);
	policy_set_unref(set);
}
END_TEST

START_TEST(direction_is_that_of_the_language_or_of_its_wiki)
{
	struct policy_set *set = good_set();

	ck_assert(policy_set_is_rtl(set, "ar"));
	ck_assert(policy_set_is_rtl(set, "azb"));
	ck_assert(!policy_set_is_rtl(set, "de"));
	ck_assert(!policy_set_is_rtl(set, "tlh"));
	policy_set_unref(set);
}
END_TEST

SUITE("policy/chain", a_wiki_speaks_the_language_of_the_registry, no_is_norwegian,
      languages_that_name_each_other_end, a_chain_of_ones_own_gets_no_fallbacks,
      unknown_and_malformed_languages_are_passed_over, accept_language_goes_by_quality,
      a_chain_has_an_end_however_long_the_wish, direction_is_that_of_the_language_or_of_its_wiki)
