/* daemon/yaml/parse.c: the strict part of YAML, and a place for everything that is refused. */

#include "tests/unit/suite.h"

#include "daemon/base/buffer.h"
#include "daemon/yaml/yaml.h"

static struct yaml_document *parse(const char *text)
{
	struct yaml_document *document = NULL;
	struct yaml_error error = { 0 };

	ck_assert_msg(yaml_document_new(slice_of(text), &document, &error) == 0, "%u:%u: %s",
		      error.line, error.column, error.message);
	return document;
}

static void refuse_bytes(struct slice bytes, unsigned line, unsigned column, const char *message)
{
	struct yaml_document *document = NULL;
	struct yaml_error error = { 0 };
	int r = yaml_document_new(bytes, &document, &error);

	ck_assert_msg(r == YAML_E_MALFORMED, "%.60s: %d", bytes.at, r);
	ck_assert_ptr_null(document);
	ck_assert_msg(error.line == line && error.column == column &&
			      strcmp(error.message, message) == 0,
		      "\"%.60s\": %u:%u: %s", bytes.at, error.line, error.column, error.message);
	ck_assert_int_eq(yaml_document_new(bytes, &document, NULL), YAML_E_MALFORMED);
}

static void refuse(const char *text, unsigned line, unsigned column, const char *message)
{
	refuse_bytes(slice_of(text), line, column, message);
}

START_TEST(a_tree_has_kinds_texts_and_places)
{
	struct yaml_document *document = parse("# a comment\n"
					       "name: base\n"
					       "list:\n"
					       "  - one\n"
					       "  - {k: 'two'}\n"
					       "text: |\n"
					       "  first\n"
					       "  second\n");
	const struct yaml_node *root = yaml_document_root(document), *node;

	ck_assert_int_eq(root->kind, YAML_MAPPING);
	ck_assert_uint_eq(root->n_items, 3);
	ck_assert_slice_eq(root->items[1].key->text, "list");
	ck_assert_uint_eq(root->items[1].key->line, 3);
	ck_assert_uint_eq(root->items[1].key->column, 1);
	node = yaml_get(root, "name");
	ck_assert_int_eq(node->kind, YAML_SCALAR);
	ck_assert_slice_eq(node->text, "base");
	ck_assert(!node->is_quoted);
	ck_assert_uint_eq(node->line, 2);
	ck_assert_uint_eq(node->column, 7);
	node = yaml_get(yaml_at(yaml_get(root, "list"), 1), "k");
	ck_assert_slice_eq(node->text, "two");
	ck_assert(node->is_quoted);
	ck_assert_uint_eq(node->line, 5);
	ck_assert_uint_eq(node->column, 9);
	node = yaml_get(root, "text");
	ck_assert_slice_eq(node->text, "first\nsecond\n");
	ck_assert(node->is_quoted);
	yaml_document_free(document);
}
END_TEST

START_TEST(columns_count_code_points)
{
	struct yaml_document *document = parse("\xc3\xa9\xe2\x82\xac: x\n");

	ck_assert_uint_eq(yaml_document_root(document)->items[0].value->column, 5);
	yaml_document_free(document);
}
END_TEST

START_TEST(many_items_keep_their_order)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	struct yaml_document *document;
	const struct yaml_node *root;

	for (int i = 0; i < 50000; i++)
		buffer_printf(&buffer, "k%05d: %d\n", 49999 - i, i);
	document = parse(buffer.at);
	root = yaml_document_root(document);
	ck_assert_uint_eq(root->n_items, 50000);
	for (size_t i = 0; i < 50000; i += 997) {
		int64_t number = -1;

		ck_assert_int_eq(yaml_read_integer(root->items[i].value, &number), 0);
		ck_assert_int_eq(number, (int64_t)i);
		ck_assert_uint_eq(root->items[i].key->line, i + 1);
	}
	yaml_document_free(document);
}
END_TEST

START_TEST(depth_16_is_read_and_17_refused)
{
	yaml_document_free(parse("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"));
	refuse("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", 1, 17, "nested more than 16 deep");
	refuse("- - - - - - - - - - - - - - - - - x", 1, 33, "nested more than 16 deep");
	refuse("a: {b: [{c: [{d: [{e: [{f: [{g: [{h: [{i: [1]}]}]}]}]}]}]}]}", 1, 43,
	       "nested more than 16 deep");
}
END_TEST

START_TEST(deep_nesting_is_refused_in_time)
{
	static const char openers[][3] = { "[", "{", "- ", "? ", "[{", "a:" };
	size_t size = YAML_SIZE_MAX;
	char *text = malloc(size);

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < ARRAY_SIZE(openers); i++) {
		struct yaml_document *document = NULL;
		size_t n = strlen(openers[i]);

		for (size_t k = 0; k < size; k++)
			text[k] = openers[i][k % n];
		/* The suite's time limit is the assertion: a quadratic reader takes hours. */
		ck_assert_int_eq(yaml_document_new((struct slice){ text, size }, &document, NULL),
				 YAML_E_MALFORMED);
	}
	free(text);
}
END_TEST

START_TEST(anchors_aliases_and_tags_are_refused)
{
	refuse("a: &x 1\n", 1, 4, "anchors are not allowed");
	refuse("&x a: 1\n", 1, 1, "anchors are not allowed");
	refuse("a: 1\nb: &x [1]\n", 2, 4, "anchors are not allowed");
	refuse("b: &x {}\n", 1, 4, "anchors are not allowed");
	refuse("a: *x\n", 1, 4, "aliases are not allowed");
	refuse("a: !!str 1\n", 1, 4, "tags are not allowed");
	refuse("a: !x\n", 1, 4, "tags are not allowed");
	refuse("a: !!map {}\n", 1, 4, "tags are not allowed");
	refuse("a: ! x\n", 1, 4, "tags are not allowed");
	refuse("--- !!set {a, b}\n", 1, 5, "tags are not allowed");
	refuse("a: &a [&b [*a]]\n", 1, 4, "anchors are not allowed");
}
END_TEST

START_TEST(merge_keys_are_refused_unless_quoted)
{
	refuse("a:\n  <<: {b: 1}\n", 2, 3, "merge keys are not allowed");
	yaml_document_free(parse("'<<': 1\n"));
}
END_TEST

START_TEST(duplicate_keys_are_refused_at_the_second)
{
	refuse("a: 1\nb: 2\na: 3\n", 3, 1, "duplicate key \"a\"");
	refuse("a: 1\n'a': 2\n", 2, 1, "duplicate key \"a\"");
	refuse("x: {a: 1, \"\\x61\": 2}\n", 1, 11, "duplicate key \"a\"");
	refuse("b: 1\na: 1\na: 2\nb: 2\n", 3, 1, "duplicate key \"a\"");
	/* the same key in two mappings is none */
	yaml_document_free(parse("a: {a: 1}\nb: {a: 1}\n"));
}
END_TEST

START_TEST(keys_are_scalars)
{
	refuse("[a]: 1\n", 1, 1, "a key must be plain text");
	refuse("? {a: 1}\n: 2\n", 1, 3, "a key must be plain text");
	refuse("? - a\n: 2\n", 1, 3, "a key must be plain text");
}
END_TEST

START_TEST(one_document_without_directives_is_read)
{
	yaml_document_free(parse("---\na: 1\n...\n"));
	refuse("a: 1\n---\nb: 2\n", 2, 1, "a second document");
	refuse("a: 1\n...\n---\n", 3, 1, "a second document");
	refuse("%YAML 1.1\n---\na: 1\n", 1, 1, "directives are not allowed");
	refuse("%TAG ! tag:x,2000:\n---\na: 1\n", 1, 1, "directives are not allowed");
}
END_TEST

START_TEST(an_empty_document_is_refused)
{
	refuse("", 1, 1, "empty document");
	refuse("# only a comment\n", 1, 1, "empty document");
	refuse("---\n", 1, 1, "empty document");
	refuse("~\n", 1, 1, "empty document");
	refuse("null\n", 1, 1, "empty document");
}
END_TEST

START_TEST(bytes_that_are_no_text_are_refused_with_their_place)
{
	refuse_bytes(SLICE("a: 1\nb: \0\n"), 2, 4, "U+0000 or invalid UTF-8");
	refuse_bytes(SLICE("a: \xff\n"), 1, 4, "U+0000 or invalid UTF-8");
	refuse_bytes(SLICE("\xc3\xa9: \xed\xa0\x80\n"), 1, 4, "U+0000 or invalid UTF-8");
	refuse_bytes(SLICE("\xef\xbb\xbf"
			   "a: 1\n"),
		     1, 1, "a byte order mark");
	refuse_bytes(SLICE("\xff\xfe"
			   "a\0:\0"),
		     1, 1, "U+0000 or invalid UTF-8");
	refuse_bytes(SLICE("a: \"x\\0y\"\n"), 1, 4, "U+0000 or a lone surrogate");
	refuse_bytes(SLICE("a: \"\\x00\"\n"), 1, 4, "U+0000 or a lone surrogate");
	refuse("a: \x01\n", 1, 4, "a control character");
	refuse("a: \x7f\n", 1, 4, "a control character");
	refuse("a: 1\n# \xc2\x9b\n", 2, 3, "a control character");
	yaml_document_free(parse("a: \"\t\"\r\nb: 1\r\n"));
}
END_TEST

START_TEST(lone_surrogates_in_escapes_are_refused)
{
	struct yaml_document *document = NULL;

	ck_assert_int_eq(yaml_document_new(SLICE("a: \"\\uD800\"\n"), &document, NULL),
			 YAML_E_MALFORMED);
	ck_assert_int_eq(yaml_document_new(SLICE("a: \"\\U00110000\"\n"), &document, NULL),
			 YAML_E_MALFORMED);
}
END_TEST

START_TEST(grammar_errors_have_a_place_and_a_plain_message)
{
	refuse("a: b: c\n", 1, 5, "mapping values are not allowed in this context");
	refuse("a: [1, 2\n", 2, 1,
	       "did not find expected ',' or ']' while parsing a flow sequence");
	refuse("a:\n\t- x\n", 2, 1,
	       "found character that cannot start any token while scanning for the next token");
	refuse("a: 'x\n", 2, 1, "found unexpected end of stream while scanning a quoted scalar");
}
END_TEST

START_TEST(too_large_a_document_is_refused)
{
	char *text = malloc(YAML_SIZE_MAX + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, ' ', YAML_SIZE_MAX + 1);
	memcpy(text, "a: 1\n#", 6);
	refuse_bytes((struct slice){ text, YAML_SIZE_MAX + 1 }, 1, 1, "larger than 4194304 bytes");
	text[YAML_SIZE_MAX - 1] = '\n';
	text[YAML_SIZE_MAX] = '\0';
	yaml_document_free(parse(text));
	memset(text, ',', YAML_SIZE_MAX);
	for (size_t i = 0; i + 2 < YAML_SIZE_MAX; i += 2)
		text[i] = i ? '1' : '[';
	text[1] = ' ';
	refuse_bytes((struct slice){ text, YAML_SIZE_MAX }, 1, 1000001, "more than 500000 values");
	free(text);
}
END_TEST

START_TEST(every_cut_and_every_flipped_bit_is_survived)
{
	const struct slice whole = SLICE("a: [1, 'x', \"\\u00e9\"]\nb:\n  - {c: d}\n  - |\n   t\n"
					 "? e\n: \xc3\xa9\n");

	for (size_t bit = 0; bit < whole.length * 8; bit++) {
		struct yaml_document *document = NULL;
		char *copy = malloc(whole.length);

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, whole.at, whole.length);
		copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
		ck_assert_int_ge(
			yaml_document_new((struct slice){ copy, whole.length }, &document, NULL),
			0);
		free(copy);
		yaml_document_free(document);
		document = NULL;
		copy = malloc(bit / 8 + 1);
		ck_assert_ptr_nonnull(copy);
		memcpy(copy, whole.at, bit / 8);
		ck_assert_int_ge(
			yaml_document_new((struct slice){ copy, bit / 8 }, &document, NULL), 0);
		free(copy);
		yaml_document_free(document);
	}
}
END_TEST

SUITE("yaml/parse", a_tree_has_kinds_texts_and_places, columns_count_code_points,
      many_items_keep_their_order, depth_16_is_read_and_17_refused, deep_nesting_is_refused_in_time,
      anchors_aliases_and_tags_are_refused, merge_keys_are_refused_unless_quoted,
      duplicate_keys_are_refused_at_the_second, keys_are_scalars,
      one_document_without_directives_is_read, an_empty_document_is_refused,
      bytes_that_are_no_text_are_refused_with_their_place, lone_surrogates_in_escapes_are_refused,
      grammar_errors_have_a_place_and_a_plain_message, too_large_a_document_is_refused,
      every_cut_and_every_flipped_bit_is_survived)
