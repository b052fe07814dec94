#pragma once
/* Memory with one lifetime: allocated piecemeal, freed at once. Not for sharing. */

#include "daemon/base/error.h"

struct arena;

int arena_new(struct arena **ret_arena);
struct arena *arena_free(struct arena *arena);
void *arena_alloc(struct arena *arena, size_t size); /* zeroed; NULL when out of memory */
void *arena_memdup(struct arena *arena, const void *bytes, size_t size); /* adds a NUL behind */
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t length);
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF(2, 3);
/* Takes a malloc'ed or otherwise owned object: destroy(object) runs when the arena is freed. */
int arena_take(struct arena *arena, void *object, void (*destroy)(void *object));
