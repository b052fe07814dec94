/*
 * libyaml's events become a tree of nodes in one arena. The event interface is used because the
 * document interface resolves aliases, drops duplicate keys silently and has no depth limit. What
 * makes two readers disagree is refused with its place: aliases, anchors, tags, merge keys, second
 * documents, duplicate keys, keys that are no scalars.
 */

#include "daemon/yaml/yaml.h"

#include "daemon/base/arena.h"
#include "daemon/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { ITEMS_FIRST = 8, NODES_MAX = 500000 };

struct yaml_document {
	struct arena *arena;
	struct yaml_node *root;
};

/* An open mapping or sequence. */
struct frame {
	struct yaml_node *node;
	struct yaml_node *key; /* read and waiting for its value */
	size_t capacity;       /* of node->items */
};

struct reader {
	yaml_parser_t parser;
	struct yaml_document *document;
	struct frame frames[YAML_DEPTH_MAX];
	unsigned depth;
	size_t n_nodes;
	struct yaml_error *error;
};

static int fail(struct yaml_error *ret_error, yaml_mark_t mark, const char *format, ...)
	PRINTF(3, 4);

/* Marks count from 0, people from 1. */
static int fail(struct yaml_error *ret_error, yaml_mark_t mark, const char *format, ...)
{
	va_list args;

	ret_error->line = (unsigned)mark.line + 1;
	ret_error->column = (unsigned)mark.column + 1;
	va_start(args, format);
	vsnprintf(ret_error->message, sizeof(ret_error->message), format, args);
	va_end(args);
	text_make_line(ret_error->message);
	return YAML_E_MALFORMED;
}

/* libyaml refused the text. */
static int fail_parser(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	const char *problem = parser->problem ? parser->problem : "not YAML";

	if (parser->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (parser->context)
		return fail(reader->error, parser->problem_mark, "%s %s", problem, parser->context);
	return fail(reader->error, parser->problem_mark, "%s", problem);
}

static int node_new(struct reader *reader, enum yaml_kind kind, yaml_mark_t mark,
		    struct yaml_node **ret_node)
{
	struct yaml_node *node;

	if (++reader->n_nodes > NODES_MAX) {
		fail(reader->error, mark, "more than %d values", NODES_MAX);
		return YAML_E_MALFORMED;
	}
	node = arena_alloc(reader->document->arena, sizeof(*node));
	if (!node)
		return -ENOMEM;
	node->kind = kind;
	node->line = (unsigned)mark.line + 1;
	node->column = (unsigned)mark.column + 1;
	*ret_node = node;
	return 0;
}

/* Makes room for one more item, by doubling; the arena keeps what is left behind. */
static int frame_reserve(struct reader *reader, struct frame *frame)
{
	struct yaml_node *node = frame->node;
	size_t capacity = frame->capacity ? frame->capacity * 2 : ITEMS_FIRST;
	struct yaml_item *items;

	if (node->n_items < frame->capacity)
		return 0;
	items = arena_alloc(reader->document->arena, capacity * sizeof(*items));
	if (!items)
		return -ENOMEM;
	if (node->n_items)
		memcpy(items, node->items, node->n_items * sizeof(*items));
	node->items = items;
	frame->capacity = capacity;
	return 0;
}

static int set_key(struct reader *reader, struct frame *frame, struct yaml_node *key,
		   yaml_mark_t mark)
{
	if (key->kind != YAML_SCALAR)
		return fail(reader->error, mark, "a key must be plain text");
	if (!key->is_quoted && strcmp(key->text.at, "<<") == 0)
		return fail(reader->error, mark, "merge keys are not allowed");
	frame->key = key;
	return 0;
}

/* Puts a finished scalar or a just opened collection where it stands. */
static int add_node(struct reader *reader, struct yaml_node *node, yaml_mark_t mark)
{
	struct frame *frame;
	int r;

	if (reader->depth == 0) {
		reader->document->root = node;
		return 0;
	}
	frame = &reader->frames[reader->depth - 1];
	if (frame->node->kind == YAML_MAPPING && !frame->key)
		return set_key(reader, frame, node, mark);
	r = frame_reserve(reader, frame);
	if (r)
		return r;
	frame->node->items[frame->node->n_items++] = (struct yaml_item){
		.key = frame->key,
		.value = node,
	};
	frame->key = NULL;
	return 0;
}

static int refuse_properties(struct reader *reader, const yaml_event_t *event, const void *anchor,
			     const void *tag)
{
	if (anchor)
		return fail(reader->error, event->start_mark, "anchors are not allowed");
	if (tag)
		return fail(reader->error, event->start_mark, "tags are not allowed");
	return 0;
}

static int read_scalar(struct reader *reader, const yaml_event_t *event)
{
	const char *bytes = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;
	struct yaml_node *node;
	char *text;
	int r;

	r = refuse_properties(reader, event, event->data.scalar.anchor, event->data.scalar.tag);
	if (r)
		return r;
	/* "\0" and "\ud800" in double quotes get past libyaml's own check of the bytes. */
	if (!text_is_utf8((struct slice){ .at = bytes, .length = length }))
		return fail(reader->error, event->start_mark, "U+0000 or a lone surrogate");
	r = node_new(reader, YAML_SCALAR, event->start_mark, &node);
	if (r)
		return r;
	text = arena_memdup(reader->document->arena, bytes, length);
	if (!text)
		return -ENOMEM;
	node->text = (struct slice){ .at = text, .length = length };
	node->is_quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	return add_node(reader, node, event->start_mark);
}

static int open_collection(struct reader *reader, const yaml_event_t *event, enum yaml_kind kind,
			   const void *anchor, const void *tag)
{
	struct yaml_node *node;
	int r;

	r = refuse_properties(reader, event, anchor, tag);
	if (r)
		return r;
	if (reader->depth == YAML_DEPTH_MAX)
		return fail(reader->error, event->start_mark, "nested more than %d deep",
			    YAML_DEPTH_MAX);
	r = node_new(reader, kind, event->start_mark, &node);
	if (r)
		return r;
	r = add_node(reader, node, event->start_mark);
	if (r)
		return r;
	reader->frames[reader->depth++] = (struct frame){ .node = node };
	return 0;
}

static bool is_before(const struct yaml_node *a, const struct yaml_node *b)
{
	return a->line < b->line || (a->line == b->line && a->column < b->column);
}

static int compare_keys(const void *a, const void *b)
{
	const struct yaml_node *one = *(const struct yaml_node *const *)a;
	const struct yaml_node *other = *(const struct yaml_node *const *)b;
	int order = strcmp(one->text.at, other->text.at);

	return order ? order : is_before(other, one) - is_before(one, other);
}

/* Closes the innermost collection. Keys are sorted to find duplicates, so that a mapping of 10^5
 * members is no slower than its bytes; the first repetition in the text is the one reported. */
static int close_collection(struct reader *reader)
{
	const struct yaml_node *node = reader->frames[--reader->depth].node;
	const struct yaml_node *repeated = NULL, **keys;

	if (node->kind != YAML_MAPPING || node->n_items < 2)
		return 0;
	keys = calloc(node->n_items, sizeof(const struct yaml_node *));
	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < node->n_items; i++)
		keys[i] = node->items[i].key;
	qsort(keys, node->n_items, sizeof(const struct yaml_node *), compare_keys);
	for (size_t i = 1; i < node->n_items; i++) {
		if (strcmp(keys[i - 1]->text.at, keys[i]->text.at) == 0 &&
		    (!repeated || is_before(keys[i], repeated)))
			repeated = keys[i];
	}
	free(keys);
	if (!repeated)
		return 0;
	return fail(reader->error,
		    (yaml_mark_t){ .line = repeated->line - 1, .column = repeated->column - 1 },
		    "duplicate key \"%.64s\"", repeated->text.at);
}

static int read_event(struct reader *reader, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (reader->document->root)
			return fail(reader->error, event->start_mark, "a second document");
		if (event->data.document_start.version_directive ||
		    event->data.document_start.tag_directives.start !=
			    event->data.document_start.tag_directives.end)
			return fail(reader->error, event->start_mark, "directives are not allowed");
		return 0;
	case YAML_ALIAS_EVENT:
		return fail(reader->error, event->start_mark, "aliases are not allowed");
	case YAML_SCALAR_EVENT:
		return read_scalar(reader, event);
	case YAML_SEQUENCE_START_EVENT:
		return open_collection(reader, event, YAML_SEQUENCE,
				       event->data.sequence_start.anchor,
				       event->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return open_collection(reader, event, YAML_MAPPING,
				       event->data.mapping_start.anchor,
				       event->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return close_collection(reader);
	default:
		return 0;
	}
}

static int read_stream(struct reader *reader)
{
	bool is_done = false;
	int r = 0;

	while (r == 0 && !is_done) {
		yaml_event_t event;

		if (!yaml_parser_parse(&reader->parser, &event))
			return fail_parser(reader);
		is_done = event.type == YAML_STREAM_END_EVENT;
		r = read_event(reader, &event);
		yaml_event_delete(&event);
	}
	if (r)
		return r;
	if (!reader->document->root || yaml_is_null(reader->document->root))
		return fail(reader->error, (yaml_mark_t){ 0 }, "empty document");
	return 0;
}

/*
 * Checks the bytes before libyaml reads them, which would say no place: UTF-8 without U+0000, other
 * controls, and a byte order mark, by which libyaml would choose UTF-16.
 */
static int check_bytes(struct slice bytes, struct yaml_error *ret_error)
{
	yaml_mark_t mark = { 0 };

	if (bytes.length > YAML_SIZE_MAX)
		return fail(ret_error, mark, "larger than %d bytes", YAML_SIZE_MAX);
	for (size_t i = 0, n; i < bytes.length; i += n) {
		struct slice rest = { .at = bytes.at + i, .length = bytes.length - i };
		uint32_t point = 0;

		n = text_read_point(rest, &point);
		if (n == 0)
			return fail(ret_error, mark, "U+0000 or invalid UTF-8");
		if (point == 0xfeff)
			return fail(ret_error, mark, "a byte order mark");
		if ((point < 0x20 && point != '\t' && point != '\n' && point != '\r') ||
		    (point >= 0x7f && point < 0xa0))
			return fail(ret_error, mark, "a control character");
		mark.column++;
		if (point == '\n') {
			mark.line++;
			mark.column = 0;
		}
	}
	return 0;
}

/*
 * Parses one document. Returns 0 and a document that the caller frees, YAML_E_MALFORMED with the
 * first error and its place, or -ENOMEM. ret_error may be NULL.
 */
int yaml_document_new(struct slice bytes, struct yaml_document **ret_document,
		      struct yaml_error *ret_error)
{
	struct yaml_error unwanted;
	struct reader reader = { .error = ret_error ? ret_error : &unwanted };
	int r;

	r = check_bytes(bytes, reader.error);
	if (r)
		return r;
	reader.document = calloc(1, sizeof(*reader.document));
	if (!reader.document)
		return -ENOMEM;
	r = arena_new(&reader.document->arena);
	if (r == 0 && !yaml_parser_initialize(&reader.parser))
		r = -ENOMEM;
	if (r == 0) {
		yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
		yaml_parser_set_input_string(&reader.parser, (const unsigned char *)bytes.at,
					     bytes.length);
		r = read_stream(&reader);
		yaml_parser_delete(&reader.parser);
	}
	if (r) {
		yaml_document_free(reader.document);
		return r;
	}
	*ret_document = reader.document;
	return 0;
}

/* Releases a document and all of its nodes. Takes NULL; returns NULL. */
struct yaml_document *yaml_document_free(struct yaml_document *document)
{
	if (document)
		arena_free(document->arena);
	free(document);
	return NULL;
}

/* The same for CLEANUP(). */
void yaml_document_freep(struct yaml_document **document)
{
	*document = yaml_document_free(*document);
}

/* The root: a mapping, a sequence or a scalar; never NULL. */
const struct yaml_node *yaml_document_root(const struct yaml_document *document)
{
	return document->root;
}
