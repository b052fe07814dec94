/* The import of wikis: action=sitematrix in, a registry file that the engine accepts out. */

#include "tests/unit/suite.h"

#include "policy/command.h"
#include "tests/unit/policy/sets.h"

static const char MATRIX[] =
	"{\"sitematrix\":{\"count\":6,"
	"\"0\":{\"code\":\"ar\",\"name\":\"العربية\",\"dir\":\"rtl\",\"localname\":\"Arabic\","
	"\"site\":["
	"{\"url\":\"https://ar.wikipedia.org\",\"dbname\":\"arwiki\",\"code\":\"wiki\","
	"\"sitename\":\"W\"},"
	"{\"url\":\"https://ar.wikinews.org\",\"dbname\":\"arwikinews\",\"code\":\"wikinews\","
	"\"closed\":\"\"}]},"
	"\"1\":{\"code\":\"no\",\"name\":\"norsk\",\"dir\":\"ltr\",\"site\":["
	"{\"url\":\"https://no.wikipedia.org\",\"dbname\":\"nowiki\",\"code\":\"wiki\"}]},"
	"\"2\":{\"code\":\"be-x-old\",\"name\":\"be\",\"dir\":\"ltr\",\"site\":["
	"{\"url\":\"https://be-tarask.wikipedia.org\",\"dbname\":\"be_x_oldwiki\","
	"\"code\":\"wiki\"}]},"
	"\"specials\":["
	"{\"url\":\"https://commons.wikimedia.org\",\"dbname\":\"commonswiki\","
	"\"code\":\"commons\",\"lang\":\"en\"},"
	"{\"url\":\"https://office.wikimedia.org\",\"dbname\":\"officewiki\",\"code\":\"office\","
	"\"lang\":\"ar\",\"private\":true,\"closed\":false}]}}";

static const char REGISTRY[] =
	"# Written by `conductctl wikis import` from action=sitematrix.\n"
	"wikis:\n"
	"  arwiki: {lang: \"ar\", dir: rtl, family: wikipedia, status: open, "
	"host: ar.wikipedia.org}\n"
	"  arwikinews: {lang: \"ar\", dir: rtl, family: wikinews, status: closed, "
	"host: ar.wikinews.org}\n"
	"  be_x_oldwiki: {lang: \"be-tarask\", dir: ltr, family: wikipedia, status: open, "
	"host: be-tarask.wikipedia.org}\n"
	"  commonswiki: {lang: \"en\", dir: ltr, family: commons, status: open, "
	"host: commons.wikimedia.org}\n"
	"  nowiki: {lang: \"nb\", dir: ltr, family: wikipedia, status: open, "
	"host: no.wikipedia.org}\n"
	"  officewiki: {lang: \"ar\", dir: rtl, family: special, status: private, "
	"host: office.wikimedia.org}\n";

START_TEST(a_matrix_becomes_a_registry)
{
	struct buffer yaml = BUFFER_NULL, out = BUFFER_NULL;

	ck_assert_int_eq(policy_command_import(SLICE(MATRIX), &yaml, &out), 0);
	ck_assert_str_eq(yaml.at, REGISTRY);
	ck_assert_uint_eq(out.length, 0);
	buffer_deinit(&yaml);
	buffer_deinit(&out);
}
END_TEST

START_TEST(an_imported_registry_is_accepted_and_keeps_what_policy_says)
{
	struct buffer case_text = BUFFER_NULL;
	struct policy_set *set;

	buffer_printf(&case_text,
		      "=== write own/manifest.yaml\nformat: 1\nname: own\nrevision: 1\n"
		      "=== write own/registry/imported.yaml\n%s",
		      REGISTRY);
	set = changed_set(case_text.at);
	ck_assert_uint_eq(policy_set_count_wikis(set), 10);
	ck_assert_str_eq(policy_set_find_wiki(set, SLICE("nowiki"))->regions[0], "north");
	ck_assert_str_eq(policy_set_find_wiki(set, SLICE("officewiki"))->status, "private");
	policy_set_unref(set);
	buffer_deinit(&case_text);
}
END_TEST

static void refuse(const char *json, const char *reason)
{
	struct buffer yaml = BUFFER_NULL, out = BUFFER_NULL;

	ck_assert_int_eq(policy_command_import(slice_of(json), &yaml, &out), POLICY_E_REFUSED);
	ck_assert_msg(strstr(out.at, reason) != NULL, "\"%s\" is not in \"%s\"", reason, out.at);
	ck_assert_ptr_null(yaml.at);
	buffer_deinit(&out);
}

START_TEST(what_is_no_matrix_is_refused)
{
	refuse("", "not the JSON of action=sitematrix");
	refuse("{\"error\":{}}", "not the JSON of action=sitematrix");
	refuse("{\"sitematrix\":{\"count\":0}}", "there is no wiki in it");
	refuse("{\"sitematrix\":{\"0\":{\"code\":\"de\",\"site\":[{\"url\":\"https://de.x.org\","
	       "\"dbname\":\"De Wiki\",\"code\":\"wiki\"}]}}}",
	       "site 1 (De Wiki) has no usable dbname");
	refuse("{\"sitematrix\":{\"specials\":["
	       "{\"url\":\"https://a\\nb: x\",\"dbname\":\"awiki\",\"code\":\"a\"}]}}",
	       "(awiki) has no usable");
	refuse("{\"sitematrix\":{\"specials\":["
	       "{\"url\":\"https://a.org\",\"dbname\":\"awiki\",\"code\":\"a\"},"
	       "{\"url\":\"https://b.org\",\"dbname\":\"awiki\",\"code\":\"a\"}]}}",
	       "the wiki \"awiki\" stands twice in the matrix");
}
END_TEST

SUITE("policy/sitematrix", a_matrix_becomes_a_registry,
      an_imported_registry_is_accepted_and_keeps_what_policy_says, what_is_no_matrix_is_refused)
