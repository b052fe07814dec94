/* What conduct_api_1.answer() makes of words that were stored. */

#include "tests/unit/cases/sealed.h"
#include "daemon/pg/text.h"

#include <check.h>
#include <string.h>

static struct slice entry(const struct words *words, const struct word *word,
			  const uint8_t *unit_id, const uint8_t *party_id)
{
	size_t n_kind = strlen(word->kind), head = 2 * KEYS_ID_SIZE + 1;
	char *bytes = arena_alloc(words->arena, head + n_kind + word->sealed.length);

	ck_assert_ptr_nonnull(bytes);
	memcpy(bytes, unit_id, KEYS_ID_SIZE);
	if (party_id)
		memcpy(bytes + KEYS_ID_SIZE, party_id, KEYS_ID_SIZE);
	bytes[head - 1] = (char)n_kind;
	memcpy(bytes + head, word->kind, n_kind);
	if (word->sealed.length)
		memcpy(bytes + head + n_kind, word->sealed.at, word->sealed.length);
	return (struct slice){ bytes, head + n_kind + word->sealed.length };
}

void sealed_answer(const struct words *words, const uint8_t unit_id[KEYS_ID_SIZE],
		   const uint8_t *party_id, struct slice *ret_ids, struct slice *ret_words)
{
	struct slice ids[64], entries[64];
	size_t n = 0;

	for (size_t i = 0; i < words->n_items; i++) {
		const struct word *word = &words->items[i];

		if (strcmp(word->kind, SEALING_CHANNEL) == 0)
			continue;
		ck_assert_uint_lt(n, 64);
		ids[n] = (struct slice){ word->id, strlen(word->id) };
		entries[n++] = entry(words, word, unit_id, word->text.at ? party_id : NULL);
	}
	ck_assert_int_eq(pg_text_from_texts(words->arena, ids, n, ret_ids), 0);
	ck_assert_int_eq(pg_text_from_byte_strings(words->arena, entries, n, ret_words), 0);
}
