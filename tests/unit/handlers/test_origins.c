/* Origins of the wikis of the shipped policy, and what only looks like one. */

#include "api/handlers/origins.h"
#include "tests/unit/suite.h"

START_TEST(only_hosts_of_wikis_and_their_mobile_forms_are_origins)
{
	static const char *const good[] = {
		"https://en.wikipedia.org",   "https://en.m.wikipedia.org",
		"https://www.wikidata.org",   "https://m.wikidata.org",
		"https://meta.wikimedia.org", "https://meta.m.wikimedia.org",
	};
	static const char *const bad[] = {
		"",
		"null",
		"https://",
		"http://en.wikipedia.org",
		"https://en.wikipedia.org:443",
		"https://en.wikipedia.org.",
		"https://en.wikipedia.org/",
		"https://EN.wikipedia.org",
		"https://en.wikipedia.org.evil.example",
		"https://evil.wikipedia.org",
		"https://evil.m.wikipedia.org",
		"https://wikipedia.org",
		"https://en.m.m.wikipedia.org",
		"https://m.en.wikipedia.org",
		"https://en-m.wikipedia.org",
		"https://m.wikipedia.org",
		"https://wikidata.org",
		"https://x.m.wikidata.org",
		"HTTPS://en.wikipedia.org",
		"https://m.",
		"https://m..",
	};
	CLEANUP(policy_errors_deinit) struct policy_errors errors = { 0 };
	static const char *const directory = POLICY_DATA_DIR;
	struct policy_set *set = NULL;
	struct origins *origins = NULL;
	char longest[600] = "https://m.";

	ck_assert_int_eq(policy_set_load(&directory, 1, &set, &errors), 0);
	ck_assert_int_eq(origins_new(set, &origins), 0);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		ck_assert_msg(origins_have(origins, slice_of(good[i])), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(!origins_have(origins, slice_of(bad[i])), "%s", bad[i]);
	ck_assert(!origins_have(origins, (struct slice){ "https://en.wikipedia.org\0x", 26 }));
	memset(longest + strlen(longest), 'a', 253 - 2);
	ck_assert(!origins_have(origins, slice_of(longest)));
	memset(longest + strlen(longest), 'a', 200);
	ck_assert(!origins_have(origins, slice_of(longest)));
	ck_assert(!origins_have(NULL, slice_of(good[0])));
	origins_free(origins);
	policy_set_unref(set);
}
END_TEST

SUITE("handlers/origins", only_hosts_of_wikis_and_their_mobile_forms_are_origins)
