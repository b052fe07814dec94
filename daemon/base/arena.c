/*
 * Memory with one lifetime. An arena is a list of blocks, each twice as large as the one before up
 * to a limit, and a list of objects it was handed; freeing it runs their destructors, youngest
 * first, and then releases the blocks. A request, a policy generation and a test own one each.
 */

#include "daemon/base/arena.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Tests that let allocations fail build with 16, so that every piece is an allocation of its own.
 */
#ifndef ARENA_BLOCK_SIZE
#define ARENA_BLOCK_SIZE 4096
#endif

enum {
	BLOCK_SIZE_FIRST = ARENA_BLOCK_SIZE,
	BLOCK_SIZE_MAX = ARENA_BLOCK_SIZE * (ARENA_BLOCK_SIZE / 64),
	PIECE_SIZE_MAX = 1 << 30,
};

struct block {
	struct block *next;
	size_t size; /* of bytes[] */
	size_t used;
	alignas(max_align_t) char bytes[];
};

struct taken {
	struct taken *next;
	void *object;
	void (*destroy)(void *object);
};

struct arena {
	struct block *blocks; /* the newest first: only that one is filled */
	struct taken *taken;
	size_t next_size;
};

/* Creates an empty arena; returns 0 or -ENOMEM. */
int arena_new(struct arena **ret_arena)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (!arena)
		return -ENOMEM;
	arena->next_size = BLOCK_SIZE_FIRST;
	*ret_arena = arena;
	return 0;
}

/* Destroys what the arena was handed, then all of its memory. Takes NULL; returns NULL. */
struct arena *arena_free(struct arena *arena)
{
	if (!arena)
		return NULL;
	for (struct taken *taken = arena->taken; taken; taken = taken->next)
		taken->destroy(taken->object);
	for (struct block *block = arena->blocks, *next; block; block = next) {
		next = block->next;
		/* Words that were opened, receipts, tokens: nothing of a request stays behind. */
		explicit_bzero(block->bytes, block->used);
		free(block);
	}
	free(arena);
	return NULL;
}

static struct block *arena_add_block(struct arena *arena, size_t size)
{
	size_t room = size > arena->next_size ? size : arena->next_size;
	struct block *block;

	block = calloc(1, sizeof(*block) + room);
	if (!block)
		return NULL;
	block->size = room;
	/* A large request gets a block of its own behind the one being filled. */
	if (size > arena->next_size / 2 && arena->blocks) {
		block->next = arena->blocks->next;
		arena->blocks->next = block;
	} else {
		block->next = arena->blocks;
		arena->blocks = block;
	}
	if (arena->next_size < BLOCK_SIZE_MAX)
		arena->next_size *= 2;
	return block;
}

/* Returns zeroed memory aligned for any type, or NULL when out of memory. More than 1 GiB at once
 * is refused too: no limit on input allows it. */
void *arena_alloc(struct arena *arena, size_t size)
{
	size_t align = alignof(max_align_t);
	struct block *block = arena->blocks;
	void *at;

	if (size > PIECE_SIZE_MAX)
		return NULL;
	size = size ? (size + align - 1) / align * align : align;
	if (!block || block->size - block->used < size) {
		block = arena_add_block(arena, size);
		if (!block)
			return NULL;
	}
	at = block->bytes + block->used;
	block->used += size;
	return at;
}

/* Copies bytes and adds a NUL behind, so that a slice can be read as a C string. */
void *arena_memdup(struct arena *arena, const void *bytes, size_t size)
{
	char *copy = size < SIZE_MAX ? arena_alloc(arena, size + 1) : NULL;

	if (copy && size)
		memcpy(copy, bytes, size);
	return copy;
}

/* Copies a C string. */
char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_memdup(arena, text, strlen(text));
}

/* Copies at most length bytes of a text, up to its NUL if there is one. */
char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
	return arena_memdup(arena, text, strnlen(text, length));
}

/* Formats into the arena; NULL when out of memory. */
char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text = NULL;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0)
		return NULL;
	text = arena_alloc(arena, (size_t)length + 1);
	if (!text)
		return NULL;
	va_start(args, format);
	vsnprintf(text, (size_t)length + 1, format, args);
	va_end(args);
	return text;
}

/*
 * Hands an object to the arena: destroy(object) runs when the arena is freed. On failure (-ENOMEM)
 * the object is destroyed at once, so that the caller never owns it after the call.
 */
int arena_take(struct arena *arena, void *object, void (*destroy)(void *object))
{
	struct taken *taken = arena_alloc(arena, sizeof(*taken));

	if (!taken) {
		destroy(object);
		return -ENOMEM;
	}
	taken->object = object;
	taken->destroy = destroy;
	taken->next = arena->taken;
	arena->taken = taken;
	return 0;
}
