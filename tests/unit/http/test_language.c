/* Language preferences of requests. */

#include "api/http/language.h"

#include "tests/unit/suite.h"
#include <stdio.h>
#include <string.h>

/* The codes joined by spaces. */
static const char *accept(const char *header)
{
	static char joined[400];
	struct language_list list;

	joined[0] = '\0';
	language_read_accept(slice_of(header), &list);
	for (size_t i = 0; i < list.n_codes; i++) {
		strcat(joined, i ? " " : "");
		strcat(joined, list.codes[i]);
	}
	return joined;
}

START_TEST(weights_order_and_equal_ones_keep_their_place)
{
	ck_assert_str_eq(accept("de, en;q=0.8, fr;q=0.9, pt-BR"), "de pt-br fr en");
}
END_TEST

START_TEST(what_is_not_wanted_or_malformed_is_skipped)
{
	ck_assert_str_eq(accept("*, de;q=0, x, en;q=2, fr;q=abc, -es, it-, nl;q=0.5"), "nl");
	ck_assert_str_eq(accept(""), "");
	ck_assert_str_eq(accept(",,;;,"), "");
	ck_assert_str_eq(accept("de_DE, ../etc, en\""), "");
}
END_TEST

START_TEST(a_full_list_keeps_the_most_wanted)
{
	ck_assert_str_eq(accept("aa;q=0.1,bb,cc,dd,ee,ff,gg,hh,ii"), "bb cc dd ee ff gg hh ii");
}
END_TEST

START_TEST(an_absent_header_is_an_empty_list)
{
	struct language_list list = { .n_codes = 7 };

	language_read_accept((struct slice){ NULL, 0 }, &list);
	ck_assert_uint_eq(list.n_codes, 0);
}
END_TEST

START_TEST(a_parameter_lists_codes_between_bars)
{
	struct language_list list;

	ck_assert(language_read_list(slice_of("pt-BR|de"), &list));
	ck_assert_uint_eq(list.n_codes, 2);
	ck_assert_str_eq(list.codes[0], "pt-br");
	ck_assert(!language_read_list(slice_of(""), &list));
	ck_assert(!language_read_list(slice_of("de|"), &list));
	ck_assert(!language_read_list(slice_of("de||en"), &list));
	ck_assert(!language_read_list(slice_of("d e"), &list));
	ck_assert(!language_read_list(slice_of("aa|bb|cc|dd|ee|ff|gg|hh|ii"), &list));
}
END_TEST

SUITE("http/language", weights_order_and_equal_ones_keep_their_place,
      what_is_not_wanted_or_malformed_is_skipped, a_full_list_keeps_the_most_wanted,
      an_absent_header_is_an_empty_list, a_parameter_lists_codes_between_bars)
