/*
 * Jansson's memory while it parses. When an allocation fails there, Jansson drops a character of a
 * text in silence or ends the process by an assertion (strbuffer.c, lex_save() in load.c). So its
 * allocator does not come back from a failure: it jumps out of the parser, and everything that the
 * parser had allocated is released here. Jansson holds nothing else while it parses.
 */

#include "daemon/json/internal.h"

#include <setjmp.h>
#include <stdlib.h>

enum { PIECES_FIRST = 64 };

/* What one parse has allocated and not freed; a gap is NULL. */
struct parse_memory {
	jmp_buf out;
	void **pieces;
	size_t n_pieces;
	size_t capacity;
};

/* Jansson's allocator has no argument of ours. Not NULL only inside json_parse(), one at a time. */
static struct parse_memory *parsing;

static bool pieces_reserve(struct parse_memory *memory)
{
	size_t capacity = memory->capacity ? 2 * memory->capacity : PIECES_FIRST;
	void **pieces;

	if (memory->n_pieces < memory->capacity)
		return true;
	pieces = realloc(memory->pieces, capacity * sizeof(*pieces));
	if (!pieces)
		return false;
	memory->pieces = pieces;
	memory->capacity = capacity;
	return true;
}

static void *piece_new(size_t size)
{
	void *piece = pieces_reserve(parsing) ? malloc(size) : NULL;

	if (!piece)
		longjmp(parsing->out, 1);
	parsing->pieces[parsing->n_pieces++] = piece;
	return piece;
}

/* What is freed was mostly allocated just before. */
static void piece_free(void *piece)
{
	struct parse_memory *memory = parsing;
	size_t i = memory->n_pieces;

	while (i > 0 && memory->pieces[i - 1] != piece)
		i--;
	if (i > 0)
		memory->pieces[i - 1] = NULL;
	while (memory->n_pieces > 0 && !memory->pieces[memory->n_pieces - 1])
		memory->n_pieces--;
	free(piece);
}

/* Everything that is looked at after the jump is in *parsing. */
static int parse(struct slice bytes, json_t **ret_json, json_error_t *ret_error)
{
	if (setjmp(parsing->out) == 0) {
		*ret_json = json_loadb(bytes.at, bytes.length, JSON_REJECT_DUPLICATES, ret_error);
		return 0;
	}
	for (size_t i = 0; i < parsing->n_pieces; i++)
		free(parsing->pieces[i]);
	return -ENOMEM;
}

/* As json_loadb(); *ret_json is NULL when the bytes are refused. Returns 0 or -ENOMEM. */
int json_parse(struct slice bytes, json_t **ret_json, json_error_t *ret_error)
{
	struct parse_memory memory = { .pieces = NULL };
	int r;

	parsing = &memory;
	json_set_alloc_funcs(piece_new, piece_free);
	r = parse(bytes, ret_json, ret_error);
	json_set_alloc_funcs(malloc, free);
	parsing = NULL;
	free(memory.pieces);
	return r;
}
