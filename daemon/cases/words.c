/*
 * Words: taken out of what a client sends, put back into what the database answers.
 */

#include "daemon/cases/words.h"
#include "daemon/base/text.h"
#include "daemon/pg/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* An empty collection whose memory is the arena's. */
void words_init(struct words *words, struct arena *arena)
{
	*words = (struct words){ .arena = arena };
}

static int grow(struct words *words)
{
	size_t capacity = words->capacity ? 2 * words->capacity : 8;
	struct word *items;

	if (words->n_items < words->capacity)
		return 0;
	if (words->n_items >= WORDS_MAX)
		return -E2BIG;
	items = arena_alloc(words->arena, capacity * sizeof(*items));
	if (!items)
		return -ENOMEM;
	if (words->n_items)
		memcpy(items, words->items, words->n_items * sizeof(*items));
	words->items = items;
	words->capacity = capacity;
	return 0;
}

/* Adds a word under a new random id, which is the arena's. The text is copied. */
int words_add(struct words *words, const char *kind, struct slice text, const char **ret_id)
{
	char uuid[TEXT_UUID_LENGTH + 1];
	struct word word = { .kind = kind };
	int r;

	r = grow(words);
	if (!r)
		r = text_new_uuid(uuid);
	if (r)
		return r;
	word.id = arena_strdup(words->arena, uuid);
	word.text = (struct slice){ arena_memdup(words->arena, text.at, text.length), text.length };
	if (!word.id || !word.text.at)
		return -ENOMEM;
	words->items[words->n_items++] = word;
	*ret_id = word.id;
	return 0;
}

/* Adds an entry that the database takes apart by its kind. */
int words_add_entry(struct words *words, const char *kind, const char *id, struct slice bytes)
{
	int r = grow(words);

	if (r)
		return r;
	words->items[words->n_items++] = (struct word){ .id = id, .kind = kind, .sealed = bytes };
	return 0;
}

/* The three parallel arrays of a call. */
int words_write(const struct words *words, struct slice *ret_ids, struct slice *ret_kinds,
		struct slice *ret_texts)
{
	size_t n = words->n_items;
	struct slice *parts = arena_alloc(words->arena, (3 * n + 1) * sizeof(*parts));
	struct slice ids, kinds, texts;
	int r;

	if (!parts)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (!words->items[i].sealed.at)
			return -EINVAL;
		parts[i] = text_slice(words->items[i].id);
		parts[n + i] = text_slice(words->items[i].kind);
		parts[2 * n + i] = words->items[i].sealed;
	}
	r = pg_text_from_texts(words->arena, parts, n, &ids);
	if (!r)
		r = pg_text_from_texts(words->arena, parts + n, n, &kinds);
	if (!r)
		r = pg_text_from_byte_strings(words->arena, parts + 2 * n, n, &texts);
	if (r)
		return r;
	*ret_ids = ids;
	*ret_kinds = kinds;
	*ret_texts = texts;
	return 0;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(((const struct word *)a)->id, ((const struct word *)b)->id);
}

void words_sort(struct opened_words *lookup, struct word *items, size_t n_items)
{
	if (n_items)
		qsort(items, n_items, sizeof(*items), compare_ids);
	*lookup = (struct opened_words){ items, n_items };
}

/* NULL: none, an erased one, or one that is no text. */
static const struct word *look_up(const struct opened_words *lookup, const char *id)
{
	struct word key = { .id = id };
	const struct word *word = NULL;

	if (lookup->n_items)
		word = bsearch(&key, lookup->items, lookup->n_items, sizeof(key), compare_ids);
	return word && word->text.length && text_is_utf8(word->text) ? word : NULL;
}

/* What is no number after all stays the text that it is. */
static bool is_number(const struct word *word, int64_t *ret_number)
{
	char text[20];
	char *end;

	if (!word->kind || strcmp(word->kind, WORD_NUMBER) != 0 ||
	    word->text.length >= sizeof(text))
		return false;
	memcpy(text, word->text.at, word->text.length);
	text[word->text.length] = '\0';
	if (strspn(text, "0123456789") != word->text.length || (text[0] == '0' && text[1]))
		return false;
	errno = 0;
	*ret_number = strtoll(text, &end, 10);
	return errno == 0 && !*end;
}

static bool is_word(const struct value *value)
{
	return value_count(value) == 1 && value_get(value, "$word");
}

/* The word that `value` stands for, as a value of its own; NULL when memory ran out, so that no
 * reader takes a word for erased that is there. An erased word, and one that is no text, is null.
 */
static struct value *new_word(const struct opened_words *lookup, const struct value *value)
{
	const char *id = value_get_string(value, "$word");
	const struct word *word = id ? look_up(lookup, id) : NULL;

	int64_t number;

	if (!word)
		return value_new_null();
	return is_number(word, &number) ? value_new_integer(number) : value_new_text(word->text);
}

static int fill(const struct opened_words *lookup, struct value *value);

static int fill_member(const struct opened_words *lookup, struct value *object, const char *key,
		       struct value *member)
{
	return is_word(member) ? value_set_take(object, key, new_word(lookup, member))
			       : fill(lookup, member);
}

static int fill_item(const struct opened_words *lookup, struct value *array, size_t index)
{
	struct value *item = value_at(array, index);

	return is_word(item) ? value_replace_take(array, index, new_word(lookup, item))
			     : fill(lookup, item);
}

/* The recursion is bounded by the depth that value_parse() takes. */
static int fill(const struct opened_words *lookup, struct value *value)
{
	struct value *member;
	struct slice key;
	int r = 0;

	for (void *at = NULL; !r && value_each(value, &at, &key, &member);)
		r = fill_member(lookup, value, key.at, member);
	if (value_is(value, VALUE_ARRAY))
		for (size_t i = 0; !r && i < value_count(value); i++)
			r = fill_item(lookup, value, i);
	return r;
}

/* Puts the words of an answer into its body, in place. */
int words_fill(const struct opened_words *lookup, struct value *body)
{
	return body ? fill(lookup, body) : 0;
}

/* The id in {"$word": "id"}, if that is what starts here; of {"$word": null} no id. Returns what is
 * behind it, or NULL. */
static const char *read_place(const char *at, const char *end, char ret_id[TEXT_UUID_LENGTH + 1])
{
	static const char open[] = "{\"$word\":";

	if ((size_t)(end - at) < sizeof(open) - 1 || memcmp(at, open, sizeof(open) - 1) != 0)
		return NULL;
	at += sizeof(open) - 1;
	while (at < end && *at == ' ')
		at++;
	if (end - at >= 5 && memcmp(at, "null}", 5) == 0) {
		ret_id[0] = '\0';
		return at + 5;
	}
	if (end - at < TEXT_UUID_LENGTH + 3 || *at != '"' || at[TEXT_UUID_LENGTH + 1] != '"' ||
	    at[TEXT_UUID_LENGTH + 2] != '}')
		return NULL;
	memcpy(ret_id, at + 1, TEXT_UUID_LENGTH);
	ret_id[TEXT_UUID_LENGTH] = '\0';
	return at + TEXT_UUID_LENGTH + 3;
}

/* A string of JSON (RFC 8259 section 7); the text is UTF-8. */
static void append_string(struct buffer *buffer, struct slice text)
{
	size_t start = 0;

	buffer_append_char(buffer, '"');
	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buffer_append(buffer, text.at + start, i - start);
		if (c < 0x20)
			buffer_printf(buffer, "\\u%04x", c);
		else
			buffer_printf(buffer, "\\%c", c);
		start = i + 1;
	}
	buffer_append(buffer, text.at + start, text.length - start);
	buffer_append_char(buffer, '"');
}

/* What stands at `at` goes to the buffer; returns what is behind it, or NULL: a string has no end.
 */
static const char *copy_piece(const struct opened_words *lookup, const char *at, const char *end,
			      struct buffer *buffer)
{
	const struct word *word;
	int64_t number;
	char id[TEXT_UUID_LENGTH + 1];
	const char *behind = *at == '{' ? read_place(at, end, id) : NULL;

	if (behind) {
		word = look_up(lookup, id);
		if (word && is_number(word, &number))
			buffer_printf(buffer, "%" PRId64, number);
		else if (word)
			append_string(buffer, word->text);
		else
			buffer_append_text(buffer, "null");
		return behind;
	}
	/* Outside of strings spaces mean nothing. */
	if (*at == ' ')
		return at + 1;
	behind = *at == '"' ? value_scan_string(at, end) : at + 1;
	while (*at != '"' && behind < end && *behind != '"' && *behind != ' ' && *behind != '{')
		behind++;
	if (behind)
		buffer_append(buffer, at, (size_t)(behind - at));
	return behind;
}

/* words_fill() of an answer that is not looked at: from text to text, which is the arena's. */
int words_fill_text(struct arena *arena, const struct opened_words *lookup, struct slice body,
		    struct slice *ret_body)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	const char *end = body.at + body.length;
	size_t length;
	char *text;
	int r = 0;

	for (const char *at = body.at; !r && at != end;) {
		at = copy_piece(lookup, at, end, &buffer);
		if (!at)
			r = -EPROTO;
	}
	if (!r)
		r = buffer_finish(&buffer);
	if (r)
		return r;
	length = buffer.length;
	text = buffer_steal(&buffer);
	r = arena_take(arena, text, free);
	if (!r)
		*ret_body = (struct slice){ text, length };
	return r;
}
