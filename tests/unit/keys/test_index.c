/* Index values: stable, keyed, and apart for every column and part. */

#include "daemon/keys/index.h"

#include "tests/unit/suite.h"
#include <string.h>

static struct arena *arena;
static struct index_key key = { { 1, 2, 3 } };

START_TEST(names_that_wikis_hold_equal_are_equal)
{
	uint8_t first[INDEX_SIZE], second[INDEX_SIZE];

	ck_assert_int_eq(arena_new(&arena), 0);
	ck_assert_int_eq(index_of_name(&key, arena, slice_of("CentralAuth"),
				       slice_of("example_User"), first),
			 0);
	ck_assert_int_eq(index_of_name(&key, arena, slice_of("CentralAuth"),
				       slice_of(" Example User "), second),
			 0);
	ck_assert_mem_eq(first, second, INDEX_SIZE);
	ck_assert_int_eq(index_of_name(&key, arena, slice_of("CentralAuth"),
				       slice_of("Example user"), second),
			 0);
	ck_assert_mem_ne(first, second, INDEX_SIZE);
	ck_assert_int_eq(
		index_of_name(&key, arena, slice_of("other"), slice_of("Example User"), second), 0);
	ck_assert_mem_ne(first, second, INDEX_SIZE);
	arena_free(arena);
}
END_TEST

START_TEST(parts_cannot_run_into_each_other)
{
	uint8_t first[INDEX_SIZE], second[INDEX_SIZE];

	ck_assert_int_eq(index_of_id(&key, slice_of("a"), slice_of("bc"), slice_of("1"), first), 0);
	ck_assert_int_eq(index_of_id(&key, slice_of("ab"), slice_of("c"), slice_of("1"), second),
			 0);
	ck_assert_mem_ne(first, second, INDEX_SIZE);
	ck_assert_int_eq(index_of_id(&key,
				     slice_of("a\x1f"
					      "b"),
				     slice_of("c"), slice_of("1"), second),
			 INDEX_E_MALFORMED);
}
END_TEST

START_TEST(a_mark_tells_the_key_and_the_deployment)
{
	static const char one[] = "00000000-0000-4000-8000-000000000001",
			  two[] = "00000000-0000-4000-8000-000000000002";
	const struct index_key other = { { 1, 2, 4 } };
	char mark[INDEX_MARK_TEXT + 1];

	ck_assert_int_eq(index_key_mark(&key, one, mark), 0);
	ck_assert(index_key_is_marked(&key, one, slice_of(mark)));
	ck_assert(!index_key_is_marked(&key, two, slice_of(mark)));
	ck_assert(!index_key_is_marked(&other, one, slice_of(mark)));
	ck_assert(index_key_is_marked(&other, one, (struct slice){ 0 }));
	ck_assert(!index_key_is_marked(&key, one, slice_of("")));
}
END_TEST

START_TEST(files_are_told_by_their_digests)
{
	uint8_t first[INDEX_SIZE], second[INDEX_SIZE];

	ck_assert_int_eq(index_of_file(&key, slice_of("abab"), first), 0);
	ck_assert_int_eq(index_of_file(&key, slice_of("abab"), second), 0);
	ck_assert_mem_eq(first, second, INDEX_SIZE);
	ck_assert_int_eq(index_of_file(&key, slice_of("abac"), second), 0);
	ck_assert_mem_ne(first, second, INDEX_SIZE);
}
END_TEST

START_TEST(another_key_gives_another_value)
{
	struct index_key other = key;
	uint8_t first[INDEX_SIZE], second[INDEX_SIZE];

	other.bytes[31] ^= 1;
	ck_assert_int_eq(index_of_id(&key, slice_of("a"), slice_of("b"), slice_of("1"), first), 0);
	ck_assert_int_eq(index_of_id(&other, slice_of("a"), slice_of("b"), slice_of("1"), second),
			 0);
	ck_assert_mem_ne(first, second, INDEX_SIZE);
}
END_TEST

START_TEST(names_that_look_alike_share_a_skeleton)
{
	uint8_t first[INDEX_SIZE], second[INDEX_SIZE];

	ck_assert_int_eq(arena_new(&arena), 0);
	ck_assert_int_eq(index_of_skeleton(&key, arena, slice_of("Example"), first), 0);
	ck_assert_int_eq(index_of_skeleton(&key, arena, slice_of("\xd0\x95xample"), second), 0);
	ck_assert_mem_eq(first, second, INDEX_SIZE);
	arena_free(arena);
}
END_TEST

START_TEST(a_key_file_is_read_back_and_nothing_else_is)
{
	struct index_key fresh, again;
	char text[INDEX_KEY_TEXT + 1], line[INDEX_KEY_TEXT + 2];

	ck_assert_int_eq(index_key_new(&fresh), 0);
	index_key_write(&fresh, text);
	ck_assert_int_eq(index_key_read(slice_of(text), &again), 0);
	ck_assert_mem_eq(&fresh, &again, sizeof(fresh));
	strcpy(line, text);
	strcat(line, "\n");
	ck_assert_int_eq(index_key_read(slice_of(line), &again), 0);
	ck_assert_int_eq(index_key_read((struct slice){ text, INDEX_KEY_TEXT - 1 }, &again),
			 INDEX_E_MALFORMED);
	text[5] = 'x';
	ck_assert_int_eq(index_key_read(slice_of(text), &again), INDEX_E_MALFORMED);
	ck_assert_int_eq(index_key_read(slice_of(""), &again), INDEX_E_MALFORMED);
}
END_TEST

SUITE("keys/index", names_that_wikis_hold_equal_are_equal, parts_cannot_run_into_each_other,
      a_mark_tells_the_key_and_the_deployment, files_are_told_by_their_digests,
      another_key_gives_another_value, names_that_look_alike_share_a_skeleton,
      a_key_file_is_read_back_and_nothing_else_is)
