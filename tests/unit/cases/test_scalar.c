/* The forms of short texts. */

#include "daemon/cases/scalar.h"
#include "tests/unit/suite.h"

static void assert_each(bool (*is_sound)(struct slice text), const char *const *texts,
			bool expected)
{
	for (; *texts; texts++)
		ck_assert_msg(is_sound(slice_of(*texts)) == expected, "\"%s\"", *texts);
}

#define GOOD(check, ...) assert_each(check, (const char *const[]){ __VA_ARGS__, NULL }, true)
#define BAD(check, ...) assert_each(check, (const char *const[]){ __VA_ARGS__, NULL }, false)
#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const char too_long[] = X64 "x";
static const char long_rule[] = X64 "/" X64 "/" X64 "/" X64;

START_TEST(ids_are_those_of_policy_data)
{
	GOOD(scalar_is_id, "u4c", "enwiki-arbcom", "3.1", X64);
	BAD(scalar_is_id, "", "-a", ".a", "A", "a/b", "a b", "a'", "\xc3\xa9", too_long);
}
END_TEST

START_TEST(rules_are_ids_joined_by_slashes)
{
	GOOD(scalar_is_rule, "ucoc/3.1/doxing", "procedure/retaliation", "a");
	BAD(scalar_is_rule, "", "/a", "a/", "a//b", "a/B", "a/../b", long_rule);
}
END_TEST

START_TEST(dbnames_have_no_hyphen)
{
	GOOD(scalar_is_dbname, "enwiki", "be_x_oldwiki", "0");
	BAD(scalar_is_dbname, "", "en-wiki", "EnWiki", "en wiki", too_long);
}
END_TEST

START_TEST(languages_are_mediawiki_codes)
{
	GOOD(scalar_is_lang, "en", "pt-br", "be-tarask", "zh-hans", "de-1901");
	BAD(scalar_is_lang, "", "e", "EN", "en-", "-en", "en--us", "e1", "en_us", "123",
	    "abcdefghi", "en-abcdefghi", "aa-aa-aa-aa-aa-aa-aa-aa-aa-aa-aa-aa-aa");
}
END_TEST

START_TEST(addresses_are_http_and_have_no_blanks)
{
	GOOD(scalar_is_url, "https://example.org/x?y#z", "http://a");
	BAD(scalar_is_url, "", "https://", "ftp://example.org", "javascript:alert(1)",
	    "https://a b", "https://a\nb", "HTTPS://a", "https://a<b>", "//example.org");
}
END_TEST

START_TEST(numbers_are_plain_decimals)
{
	ck_assert(scalar_is_number(SLICE("0"), 9));
	ck_assert(scalar_is_number(SLICE("9"), 9));
	ck_assert(!scalar_is_number(SLICE("10"), 9));
	ck_assert(!scalar_is_number(SLICE(""), 9));
	ck_assert(!scalar_is_number(SLICE("01"), 9));
	ck_assert(!scalar_is_number(SLICE("-1"), 9));
	ck_assert(!scalar_is_number(SLICE("+1"), 9));
	ck_assert(!scalar_is_number(SLICE("99999999999999999999"), INT64_MAX));
}
END_TEST

START_TEST(times_are_rfc_3339)
{
	GOOD(scalar_is_time, "2026-11-20T10:00:00Z", "2026-11-20T10:00:00.123456+00:00");
	BAD(scalar_is_time, "", "2026-11-20", "yesterday", "2026-13-01T00:00:00Z",
	    "2026-11-20T10:00:00");
}
END_TEST

START_TEST(blank_is_what_nobody_can_read)
{
	GOOD(scalar_is_blank, "", " ", "\t\n", "\xc2\xa0", "\xe2\x80\x8b", "\xe3\x80\x80");
	BAD(scalar_is_blank, "x", " x ", "\xd8\xa7", ".");
}
END_TEST

SUITE("cases/scalar", ids_are_those_of_policy_data, rules_are_ids_joined_by_slashes,
      dbnames_have_no_hyphen, languages_are_mediawiki_codes, addresses_are_http_and_have_no_blanks,
      numbers_are_plain_decimals, times_are_rfc_3339, blank_is_what_nobody_can_read)
