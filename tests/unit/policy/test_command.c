/* The operator's commands, by what they print. */

#include "tests/unit/suite.h"

#include "policy/command.h"
#include "tests/unit/policy/sets.h"

static const char GOOD[] = TEST_DIR "/good";

static void expect_line(const struct buffer *out, const char *line)
{
	struct buffer wanted = BUFFER_NULL;

	buffer_printf(&wanted, "%s\n", line);
	ck_assert_msg(out->at && strstr(out->at, wanted.at), "\"%s\" is not in:\n%s", line,
		      out->at ? out->at : "");
	buffer_deinit(&wanted);
}

START_TEST(check_counts_what_it_accepts)
{
	const char *const directories[] = { GOOD };
	struct policy_set *set = good_set();
	struct buffer out = BUFFER_NULL;
	char line[256];

	ck_assert_int_eq(policy_command_check(directories, 1, &out), 0);
	snprintf(line, sizeof(line), "OK: revision 7, version %s, 5 layers, 7 wikis, 4 profiles\n",
		 policy_set_version(set));
	ck_assert_str_eq(out.at, line);
	buffer_deinit(&out);
	policy_set_unref(set);
}
END_TEST

START_TEST(check_says_every_reason)
{
	struct buffer out = BUFFER_NULL;
	struct set_folder folder;
	char line[256];

	set_folder_init(&folder,
			"=== replace base.yaml\n  claim: 24h\n=== with\n  claim: 24\n"
			"=== replace base.yaml\n  accept: 72h\n=== with\n  accept: soon\n");
	const char *const directories[] = { folder.set };
	ck_assert_int_eq(policy_command_check(directories, 1, &out), POLICY_E_REFUSED);
	snprintf(line, sizeof(line),
		 "%s/base.yaml:65:11: \"soon\" is not a duration (90s, 60min, 24h, 14d)",
		 folder.set);
	expect_line(&out, line);
	snprintf(line, sizeof(line),
		 "%s/base.yaml:64:10: \"24\" is not a duration (90s, 60min, 24h, 14d)", folder.set);
	expect_line(&out, line);
	buffer_deinit(&out);
	set_folder_deinit(&folder);
}
END_TEST

START_TEST(diff_names_each_change_by_layer)
{
	struct policy_set *from = good_set();
	struct policy_set *to = changed_set(
		"=== replace manifest.yaml\n7\n=== with\n8\n"
		"=== replace base.yaml\n  claim: 24h\n=== with\n  claim: 12h\n"
		"=== replace base.yaml\nrole: ts_staff, \n=== with\n"
		"role: ts_staff, up: legal, \n"
		"=== replace wikis/alphawiki.yaml\n"
		"    ucoc/3.1/insults: {severity_floor: S3}\n=== with\n"
		"    ucoc/3.1/insults: {severity_floor: S4}\n"
		"=== write wikis/ptwiki.yaml\nlayer: wiki\nid: ptwiki\n"
		"tighten:\n  procedure: {claim: 2h}\n"
		"=== remove regions/south.yaml\n"
		"=== replace lang/de.yaml\n  region:south:\n=== with\n"
		"  wiki:alphawiki:\n"
		"=== replace registry/all.yaml\n[south, north]\n=== with\n[north]\n"
		"=== replace base.yaml\nregions: [south]\n=== with\nwikis: [ptwiki]\n");
	struct buffer out = BUFFER_NULL;

	ck_assert_int_eq(policy_command_diff(from, to, &out), 0);
	expect_line(&out, "revision 7 -> 8");
	expect_line(&out, "base:base");
	expect_line(&out, "  ~ procedure claim: 24h -> 12h");
	expect_line(&out, "  + bodies ts up: legal");
	expect_line(&out, "wiki:alphawiki");
	expect_line(&out, "  ~ tighten rules ucoc/3.1/insults severity_floor: S3 -> S4");
	expect_line(&out, "region:south (gone)");
	expect_line(&out, "wiki:ptwiki (new)");
	expect_line(&out, "registry");
	expect_line(&out, "  ~ alphawiki regions: [\"south\",\"north\"] -> [\"north\"]");
	buffer_deinit(&out);
	policy_set_unref(from);
	policy_set_unref(to);
}
END_TEST

START_TEST(a_set_and_its_published_text_do_not_differ)
{
	char path[] = "/tmp/conductd-canonical-XXXXXX";
	struct policy_set *set = good_set(), *published = NULL;
	struct slice text = policy_set_canonical(set);
	struct buffer out = BUFFER_NULL;
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");

	ck_assert_uint_eq(fwrite(text.at, 1, text.length, file), text.length);
	fclose(file);
	ck_assert_int_eq(policy_command_open(path, &published, &out), 0);
	remove(path);
	ck_assert_int_eq(policy_command_diff(set, published, &out), 0);
	ck_assert_str_eq(out.at, "no differences\n");
	buffer_deinit(&out);
	policy_set_unref(published);
	policy_set_unref(set);
}
END_TEST

START_TEST(open_says_what_is_missing)
{
	struct policy_set *set = NULL;
	struct buffer out = BUFFER_NULL;

	ck_assert_int_eq(policy_command_open("/nonexistent", &set, &out), POLICY_E_REFUSED);
	ck_assert_str_eq(out.at, "/nonexistent: No such file or directory\n");
	buffer_deinit(&out);
}
END_TEST

START_TEST(show_prints_what_is_in_force_and_where_it_comes_from)
{
	struct policy_set *set = good_set();
	struct buffer out = BUFFER_NULL;

	ck_assert_int_eq(policy_command_show(set, "alphawiki", "de", NULL, &out), 0);
	expect_line(&out, "ucoc/3.1/insults [base] section 3.1, unacceptable, severity S3, "
			  "privacy restricted, route none, no mediation");
	expect_line(&out, "    Beleidigungen (de, base)");
	expect_line(&out,
		    "    note: Here this includes edit summaries. (en, wiki:alphawiki, fallback)");
	expect_line(&out, "doxing [base] Persönliche Daten (de, base, not reviewed)");
	expect_line(&out, "accept 24h");
	expect_line(&out, "statistics_k 12");
	buffer_deinit(&out);
	policy_set_unref(set);
}
END_TEST

START_TEST(show_prints_one_rule)
{
	struct policy_set *set = good_set();
	struct buffer out = BUFFER_NULL;

	ck_assert_int_eq(policy_command_show(set, NULL, NULL, "ucoc/3.1/threats", &out), 0);
	ck_assert_str_eq(out.at, "ucoc/3.1/threats [base] section 3.1, unacceptable, severity S4, "
				 "privacy parties, route emergency\n"
				 "    Threats (en, base)\n"
				 "    Threatening somebody. (en, base)\n");
	buffer_deinit(&out);
	policy_set_unref(set);
}
END_TEST

START_TEST(show_says_what_is_not_there)
{
	struct policy_set *set = good_set();
	struct buffer out = BUFFER_NULL;

	ck_assert_int_eq(policy_command_show(set, "zzwiki", NULL, NULL, &out), POLICY_E_ABSENT);
	ck_assert_int_eq(policy_command_show(set, NULL, NULL, "x/y", &out), POLICY_E_ABSENT);
	ck_assert_str_eq(out.at,
			 "no wiki \"zzwiki\" in the registry\nno rule \"x/y\" in force there\n");
	buffer_deinit(&out);
	policy_set_unref(set);
}
END_TEST

START_TEST(publish_hands_over_the_set_or_the_reasons)
{
	const char *const good[] = { GOOD }, *const bad[] = { TEST_DIR "/bad" };
	struct policy_set *set = NULL;
	struct buffer out = BUFFER_NULL;

	ck_assert_int_eq(policy_command_publish(bad, 1, &set, &out), POLICY_E_REFUSED);
	ck_assert_ptr_null(set);
	expect_line(&out, TEST_DIR "/bad/manifest.yaml: No such file or directory");
	ck_assert_int_eq(policy_command_publish(good, 1, &set, &out), 0);
	ck_assert_int_eq(policy_set_revision(set), 7);
	buffer_deinit(&out);
	policy_set_unref(set);
}
END_TEST

SUITE("policy/command", check_counts_what_it_accepts, check_says_every_reason,
      diff_names_each_change_by_layer, a_set_and_its_published_text_do_not_differ,
      open_says_what_is_missing, show_prints_what_is_in_force_and_where_it_comes_from,
      show_prints_one_rule, show_says_what_is_not_there, publish_hands_over_the_set_or_the_reasons)
