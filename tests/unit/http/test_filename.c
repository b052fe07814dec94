/* api/http/filename.c: what is left of hostile names, and how they go back. */

#include "tests/unit/suite.h"

#include "api/http/filename.h"

static struct arena *arena;

static void begin(void)
{
	ck_assert_int_eq(arena_new(&arena), 0);
}

static void end(void)
{
	arena = arena_free(arena);
}

START_TEST(only_what_a_name_shows_is_left)
{
	static const char *const rows[][2] = {
		{ "a.png", "a.png" },
		{ "a%20b.png", "a b.png" },
		{ "%C3%BC.txt", "\xc3\xbc.txt" },
		{ "u%CC%88.txt", "\xc3\xbc.txt" },
		{ "..%2F..%2Fetc%2Fpasswd", "passwd" },
		{ "C:%5Cfakepath%5Ca.png", "a.png" },
		{ "/", "file" },
		{ "..", "file" },
		{ "...", "file" },
		{ "%20.%20", "file" },
		{ "", "file" },
		{ ".htaccess", "htaccess" },
		{ "a.txt.%20.", "a.txt" },
		{ "a%0D%0ASet-Cookie%3A%20x", "aSet-Cookie_ x" },
		{ "a%E2%80%AEgnp.exe", "agnp.exe" },
		{ "a%E2%81%A6b%E2%80%8Bc%EF%BB%BF", "abc" },
		{ "a%F3%A0%81%81b", "ab" },
		{ "a%C2%85b%7F", "ab" },
		{ "%22a%3Cb%3E%7C%3F*%3A", "_a_b_____" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct slice name;

		ck_assert_int_eq(filename_read(arena, slice_of(rows[i][0]), &name), 0);
		ck_assert_slice_eq(name, rows[i][1]);
		ck_assert_uint_eq(strlen(name.at), name.length);
	}
}
END_TEST

START_TEST(without_a_name_it_is_a_file)
{
	struct slice name;

	ck_assert_int_eq(filename_read(arena, (struct slice){ NULL, 0 }, &name), 0);
	ck_assert_slice_eq(name, "file");
}
END_TEST

START_TEST(of_long_names_the_end_is_kept)
{
	char header[3 * 300 + 8] = "";
	struct slice name;

	for (size_t i = 0; i < 300; i++)
		strcat(header, "%41");
	strcat(header, ".png");
	ck_assert_int_eq(filename_read(arena, slice_of(header), &name), 0);
	ck_assert_uint_eq(name.length, FILENAME_POINTS_MAX);
	ck_assert_str_eq(name.at + name.length - 5, "A.png");
}
END_TEST

START_TEST(what_is_no_text_is_refused)
{
	static const char *const headers[] = { "%ff", "%C3", "%ED%A0%80", "a%00b", "\xc3\xbc",
					       "%zz", "%4",  "a\tb",      "%C0%AF" };
	struct slice name = { "x", 1 };

	for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
		ck_assert_msg(filename_read(arena, slice_of(headers[i]), &name) ==
				      FILENAME_E_MALFORMED,
			      "%s", headers[i]);
	ck_assert_slice_eq(name, "x");
}
END_TEST

START_TEST(names_go_back_in_two_forms)
{
	static const char *const rows[][2] = {
		{ "a b.png", "attachment; filename=\"a b.png\"; filename*=UTF-8''a%20b.png" },
		{ "\xc3\xbc'%.txt",
		  "attachment; filename=\"____.txt\"; filename*=UTF-8''%C3%BC%27%25.txt" },
		/* Also where one was stored that nobody cleaned. */
		{ "../a\"\r\nb", "attachment; filename=\"a_b\"; filename*=UTF-8''a_b" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *text = NULL;

		ck_assert_int_eq(filename_write(arena, slice_of(rows[i][0]), &text), 0);
		ck_assert_str_eq(text, rows[i][1]);
	}
}
END_TEST

SUITE_EACH("http/filename", begin, end, only_what_a_name_shows_is_left, without_a_name_it_is_a_file,
	   of_long_names_the_end_is_kept, what_is_no_text_is_refused, names_go_back_in_two_forms)
