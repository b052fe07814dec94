/* daemon/base/arena.c: what is allocated is zeroed, aligned, apart, and freed at once. */

#include "tests/unit/suite.h"

#include "daemon/base/arena.h"

#include <stdalign.h>

START_TEST(memory_is_zeroed_and_aligned)
{
	struct arena *arena;

	ck_assert_int_eq(arena_new(&arena), 0);
	for (size_t size = 0; size < 3000; size += 7) {
		unsigned char *at = arena_alloc(arena, size);

		ck_assert_ptr_nonnull(at);
		ck_assert_uint_eq((uintptr_t)at % alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			ck_assert_uint_eq(at[i], 0);
		memset(at, 0xa5, size);
	}
	arena_free(arena);
}
END_TEST

START_TEST(a_large_piece_does_not_disturb_the_small_ones)
{
	struct arena *arena;
	char *before, *large, *after;

	ck_assert_int_eq(arena_new(&arena), 0);
	before = arena_strdup(arena, "before");
	large = arena_alloc(arena, 3 * 1024 * 1024);
	ck_assert_ptr_nonnull(large);
	memset(large, 'x', 3 * 1024 * 1024);
	after = arena_strdup(arena, "after");
	ck_assert_str_eq(before, "before");
	ck_assert_str_eq(after, "after");
	ck_assert_int_eq(large[3 * 1024 * 1024 - 1], 'x');
	/* The block that was being filled is still the one that is filled. */
	ck_assert_int_lt(after - before, 64);
	arena_free(arena);
}
END_TEST

START_TEST(an_impossible_size_is_refused)
{
	struct arena *arena;

	ck_assert_int_eq(arena_new(&arena), 0);
	ck_assert_ptr_null(arena_alloc(arena, SIZE_MAX));
	ck_assert_ptr_null(arena_alloc(arena, SIZE_MAX - 64));
	ck_assert_ptr_null(arena_memdup(arena, "", SIZE_MAX));
	ck_assert_ptr_nonnull(arena_alloc(arena, 1));
	arena_free(arena);
}
END_TEST

START_TEST(copies_end_with_a_nul)
{
	struct arena *arena;
	char *copy;

	ck_assert_int_eq(arena_new(&arena), 0);
	copy = arena_memdup(arena, "a\0bc", 3);
	ck_assert_mem_eq(copy, "a\0b", 4);
	ck_assert_str_eq(arena_memdup(arena, NULL, 0), "");
	ck_assert_str_eq(arena_strndup(arena, "abcdef", 3), "abc");
	ck_assert_str_eq(arena_strndup(arena, "ab", 3), "ab");
	ck_assert_str_eq(arena_printf(arena, "%s-%03d", "x", 7), "x-007");
	ck_assert_str_eq(arena_printf(arena, "%s", ""), "");
	arena_free(arena);
}
END_TEST

static char destroyed[8];
static size_t n_destroyed;

static void note(void *object)
{
	destroyed[n_destroyed++] = *(char *)object;
}

START_TEST(what_was_taken_is_destroyed_youngest_first)
{
	static char names[] = "abc";
	struct arena *arena;

	n_destroyed = 0;
	ck_assert_int_eq(arena_new(&arena), 0);
	for (size_t i = 0; i < 3; i++)
		ck_assert_int_eq(arena_take(arena, &names[i], note), 0);
	ck_assert_uint_eq(n_destroyed, 0);
	ck_assert_ptr_null(arena_free(arena));
	ck_assert_uint_eq(n_destroyed, 3);
	ck_assert_mem_eq(destroyed, "cba", 3);
}
END_TEST

START_TEST(freeing_nothing_is_allowed)
{
	ck_assert_ptr_null(arena_free(NULL));
}
END_TEST

SUITE("base/arena", memory_is_zeroed_and_aligned, a_large_piece_does_not_disturb_the_small_ones,
      an_impossible_size_is_refused, copies_end_with_a_nul,
      what_was_taken_is_destroyed_youngest_first, freeing_nothing_is_allowed)
