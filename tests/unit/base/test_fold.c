/* daemon/base/fold.c: names that wikis or readers take for one name come out as one. */

#include "tests/unit/suite.h"

#include "daemon/base/text.h"

static struct arena *arena;

static void setup(void)
{
	ck_assert_int_eq(arena_new(&arena), 0);
}

static void teardown(void)
{
	arena = arena_free(arena);
}

static struct slice user(const char *name)
{
	struct slice result;

	ck_assert_int_eq(text_fold_user(arena, slice_of(name), &result), 0);
	ck_assert_int_eq(result.at[result.length], '\0');
	return result;
}

static struct slice skeleton(const char *name)
{
	struct slice result;

	ck_assert_int_eq(text_fold_skeleton(arena, slice_of(name), &result), 0);
	ck_assert_int_eq(result.at[result.length], '\0');
	return result;
}

static void alike(const char *one, const char *other)
{
	struct slice a = skeleton(one), b = skeleton(other);

	ck_assert_msg(text_equals(a, b), "%s (%s) is not like %s (%s)", one, a.at, other, b.at);
}

static void different(const char *one, const char *other)
{
	struct slice a = skeleton(one), b = skeleton(other);

	ck_assert_msg(!text_equals(a, b), "%s and %s are both %s", one, other, a.at);
}

START_TEST(the_user_fold_is_that_of_mediawiki)
{
	setup();
	ck_assert_slice_eq(user("example"), "Example");
	ck_assert_slice_eq(user("__Jane__Q. _ public_"), "Jane Q. public");
	ck_assert_slice_eq(user("jane\xc2\xa0\xe3\x80\x80\xe2\x80\x89public"), "Jane public");
	ck_assert_slice_eq(user("\xe2\x80\x8ejane\xe2\x80\xae"), "Jane");
	ck_assert_slice_eq(user("e\xcc\x81mile"), "\xc3\x89mile");
	ck_assert_slice_eq(user("\xd1\x8f\xd0\xbd"), "\xd0\xaf\xd0\xbd");
	ck_assert_slice_eq(user("\xc3\x9f"), "\xc3\x9f");
	ck_assert_slice_eq(user("1abc"), "1abc");
	ck_assert_slice_eq(user(" _ "), "");
	ck_assert_slice_eq(user(""), "");
	teardown();
}
END_TEST

START_TEST(a_first_letter_that_grows_fits)
{
	setup();
	/* U+0250 (2 bytes) has the capital U+2C6F (3 bytes) */
	ck_assert_slice_eq(user("\xc9\x90"), "\xe2\xb1\xaf");
	teardown();
}
END_TEST

START_TEST(only_the_first_letter_changes_its_case)
{
	setup();
	ck_assert(!text_equals(user("JaneDoe"), user("Janedoe")));
	ck_assert(text_equals(user("janeDoe"), user("JaneDoe")));
	teardown();
}
END_TEST

START_TEST(names_that_are_too_long_or_no_text_are_refused)
{
	char name[600];
	struct slice result;

	setup();
	memset(name, 'a', sizeof(name));
	ck_assert_int_eq(text_fold_user(arena, (struct slice){ name, 255 }, &result), 0);
	ck_assert_int_eq(text_fold_user(arena, (struct slice){ name, 256 }, &result),
			 TEXT_E_TOO_LONG);
	ck_assert_int_eq(text_fold_skeleton(arena, (struct slice){ name, 600 }, &result),
			 TEXT_E_TOO_LONG);
	ck_assert_int_eq(text_fold_user(arena, SLICE("a\xff"), &result), TEXT_E_INVALID);
	ck_assert_int_eq(text_fold_skeleton(arena, SLICE("a\0"), &result), TEXT_E_INVALID);
	teardown();
}
END_TEST

START_TEST(case_spaces_marks_and_punctuation_do_not_count)
{
	setup();
	alike("JaneDoe", "jane doe");
	alike("JaneDoe", "J.a.n.e_D-o-e!");
	alike("Emile", "\xc3\x89mil\xc3\xa9");
	alike("Zoe", "Z\xcc\xb6o\xcc\xb2"
		     "e\xcc\x88");
	alike("Strasse", "Stra\xc3\x9f"
			 "e");
	alike("jane", "ja\xe2\x80\x8bne");
	alike("jane", "\xef\xbd\x8a\xef\xbd\x81\xef\xbd\x8e\xef\xbd\x85");
	alike("jane", "\xf0\x9d\x93\xb3\xf0\x9d\x93\xaa\xf0\x9d\x93\xb7\xf0\x9d\x93\xae");
	alike("fish", "\xef\xac\x81sh");
	teardown();
}
END_TEST

START_TEST(look_alikes_of_other_scripts_do_not_count)
{
	setup();
	alike("paypal", "\xd1\x80\xd0\xb0\xd1\x83\xd1\x80\xd0\xb0l");
	alike("Alpha", "\xce\x91lpha");
	alike("HOKE", "\xd0\x9d\xd0\x9e\xd0\x9a\xd0\x95");
	alike("TOM", "\xce\xa4\xce\x9f\xce\x9c");
	alike("cocs", "\xd1\x81\xd0\xbe\xd1\x81\xd1\x95");
	alike("o", "\xd6\x85");
	alike("lolek", "\xc5\x82olek");
	teardown();
}
END_TEST

START_TEST(digits_and_pairs_that_look_like_letters_do_not_count)
{
	setup();
	alike("Leoll", "le01l");
	alike("Illinois", "l11in0is");
	alike("modern", "rnodern");
	alike("wave", "vvave");
	alike("summer", "surnrner");
	alike("|0|", "lol");
	alike("jimbo", "j1rnb0");
	teardown();
}
END_TEST

START_TEST(different_names_stay_different)
{
	setup();
	different("Jane", "June");
	different("Jane", "Janet");
	different("User2", "User4");
	different("\xe3\x81\x8b\xe3\x81\x8e", "\xe3\x81\x8c\xe3\x81\x8e");
	/* vowel signs of Devanagari */
	different("\xe0\xa4\x95\xe0\xa4\xbf", "\xe0\xa4\x95\xe0\xa5\x81");
	different("\xe6\x9d\x8e", "\xe7\x8e\x8b");
	teardown();
}
END_TEST

START_TEST(a_name_of_punctuation_alone_is_kept)
{
	setup();
	different("!!!", "???");
	ck_assert_slice_eq(skeleton("!!!"), "!!!");
	ck_assert_slice_eq(skeleton(""), "");
	teardown();
}
END_TEST

START_TEST(the_skeleton_of_a_skeleton_is_itself)
{
	static const char *const names[] = {
		"Modern",
		"\xc3\x86on",
		"rrnn",
		"vvv",
		"\xd0\x92\xd1\x96ll",
		"O0o1Il|",
		"\xe1\x8e\xa0",
		"\xc7\xb0\xef\xac\x83",
		"\xc4\xb0stanbul",
		"surnrner",
		"rvvn",
	};

	setup();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		alike(names[i], skeleton(names[i]).at);
	teardown();
}
END_TEST

START_TEST(every_code_point_folds_to_text_that_fits)
{
	for (uint32_t point = 1; point <= 0x10ffff; point++) {
		struct slice name, folded;
		char text[4];

		if (point >= 0xd800 && point < 0xe000)
			continue;
		if (point % 4096 == 1) {
			teardown();
			setup();
		}
		name = (struct slice){ text, text_write_point(text, point) };
		ck_assert_int_eq(text_fold_skeleton(arena, name, &folded), 0);
		ck_assert(text_is_utf8(folded));
	}
	teardown();
}
END_TEST

SUITE("base/fold", the_user_fold_is_that_of_mediawiki, a_first_letter_that_grows_fits,
      only_the_first_letter_changes_its_case, names_that_are_too_long_or_no_text_are_refused,
      case_spaces_marks_and_punctuation_do_not_count, look_alikes_of_other_scripts_do_not_count,
      digits_and_pairs_that_look_like_letters_do_not_count, different_names_stay_different,
      a_name_of_punctuation_alone_is_kept, the_skeleton_of_a_skeleton_is_itself,
      every_code_point_folds_to_text_that_fits)
