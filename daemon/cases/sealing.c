/*
 * Sealing of words. Which unit a word of a report belongs to is told by its kind, the same way as
 * sql/api/21_submit_store.sql tells it: what is told goes with the report, and so does why somebody
 * is kept out of it; who the reporter is goes with the identity, and all else with the case file.
 */

#include "daemon/cases/sealing.h"
#include "daemon/base/text.h"
#include "daemon/keys/envelope.h"

#include <string.h>

/* The first generation of what a report opens; later ones are random. */
enum { GENERATION_FIRST = 1 };

enum place { PLACE_CASE_FILE, PLACE_REPORT, PLACE_IDENTITY };

static enum place place_of(const struct word *word)
{
	static const char *const told[] = { "details", "harmed", "extra", "reason" };

	for (size_t i = 0; i < ARRAY_SIZE(told); i++)
		if (strcmp(word->kind, told[i]) == 0)
			return PLACE_REPORT;
	return strcmp(word->kind, "contact") == 0 ? PLACE_IDENTITY : PLACE_CASE_FILE;
}

static int seal_word(struct words *words, const struct sealer *sealer, const struct unit_key *key,
		     struct word *word)
{
	size_t size = envelope_size(word->text.length);
	uint8_t content_id[KEYS_ID_SIZE];
	const struct envelope_place place = { sealer->intake.deployment, content_id,
					      text_slice(word->kind) };
	char *envelope;
	int r;

	if (!size || text_read_uuid(text_slice(word->id), content_id))
		return -EINVAL;
	envelope = arena_alloc(words->arena, size);
	if (!envelope)
		return -ENOMEM;
	r = envelope_seal(key, &place, word->text, envelope);
	if (!r)
		word->sealed = (struct slice){ envelope, size };
	return r;
}

static const char *write_id(struct words *words, const uint8_t id[KEYS_ID_SIZE])
{
	char uuid[TEXT_UUID_LENGTH + 1];

	text_write_uuid(uuid, id);
	return arena_strdup(words->arena, uuid);
}

/* A new key of a unit, with its stanza among the words. Returns 0 or negative. */
int sealing_new_key(struct words *words, struct sealer *sealer, const uint8_t unit_id[KEYS_ID_SIZE],
		    uint32_t generation, struct unit_key *ret_key)
{
	uint8_t *bytes = arena_alloc(words->arena, SEALING_VAULT_SIZE);
	const char *id = write_id(words, unit_id);
	uint32_t key_id;
	int r;

	if (!bytes || !id)
		return -ENOMEM;
	r = sealer_new_key(sealer, unit_id, generation, ret_key, bytes + 8, &key_id);
	if (r)
		return r;
	place_put_u32(bytes, generation);
	place_put_u32(bytes + 4, key_id);
	return words_add_entry(words, SEALING_VAULT, id,
			       (struct slice){ (char *)bytes, SEALING_VAULT_SIZE });
}

static bool is_open(const struct word *word)
{
	return !word->sealed.at;
}

static size_t count_open(const struct words *words)
{
	size_t n = 0;

	for (size_t i = 0; i < words->n_items; i++)
		n += is_open(&words->items[i]);
	return n;
}

/* Returns 0 or negative. */
int sealing_words(struct words *words, const struct sealer *sealer, const struct unit_key *key)
{
	int r = 0;

	for (size_t i = 0; !r && i < words->n_items; i++)
		if (is_open(&words->items[i]))
			r = seal_word(words, sealer, key, &words->items[i]);
	return r;
}

/* Where there is no word no key is made. Returns 0 or negative. */
int sealing_unit(struct words *words, struct sealer *sealer, const uint8_t unit_id[KEYS_ID_SIZE],
		 uint32_t generation)
{
	CLEANUP(unit_key_deinit) struct unit_key key = { .generation = 0 };
	int r = 0;

	if (!count_open(words))
		return 0;
	if (!generation)
		r = sealer_new_generation(&generation);
	if (!r)
		r = sealing_new_key(words, sealer, unit_id, generation, &key);
	return r ? r : sealing_words(words, sealer, &key);
}

/* Returns 0 or negative. */
int sealing_channel(struct words *words, struct sealer *sealer, const struct unit_key *channel,
		    const uint8_t party_id[KEYS_ID_SIZE])
{
	const char *id;
	int r;

	if (!count_open(words))
		return 0;
	id = write_id(words, party_id);
	if (!id)
		return -ENOMEM;
	r = sealing_words(words, sealer, channel);
	return r ? r : words_add_entry(words, SEALING_CHANNEL, id, text_slice(""));
}

/* What the receipt opens: the key of the reporter's channel, which comes from the report's. */
static int add_receipt(struct words *words, const struct sealer *sealer,
		       const struct sealing_report *report, const struct unit_key *unit)
{
	CLEANUP(unit_key_deinit) struct unit_key channel = { .generation = 0 };
	uint8_t *bytes = arena_alloc(words->arena, SEALING_RECEIPT_SIZE);
	const char *id = write_id(words, unit->unit_id);
	int r;

	if (!bytes || !id)
		return -ENOMEM;
	memcpy(bytes, report->reporter, KEYS_ID_SIZE);
	place_put_u32(bytes + KEYS_ID_SIZE, unit->generation);
	r = unit_key_derive_channel(unit, report->reporter, &channel);
	if (!r)
		r = stanza_channel_seal(report->receipt, sealer->intake.deployment,
					report->reporter, &channel, bytes + KEYS_ID_SIZE + 4);
	return r ? r
		 : words_add_entry(words, SEALING_RECEIPT, id,
				   (struct slice){ (char *)bytes, SEALING_RECEIPT_SIZE });
}

/* The words of one unit, under its first key. */
static int seal_place(struct words *words, struct sealer *sealer, enum place place,
		      const struct sealing_report *report)
{
	CLEANUP(unit_key_deinit) struct unit_key key = { .generation = 0 };
	const uint8_t *const units[] = { [PLACE_CASE_FILE] = report->case_file,
					 [PLACE_REPORT] = report->report,
					 [PLACE_IDENTITY] = report->identity };
	size_t n_words = words->n_items;
	int r = 0;

	for (size_t i = 0; !r && i < n_words; i++) {
		if (!is_open(&words->items[i]) || place_of(&words->items[i]) != place)
			continue;
		if (!key.generation)
			r = sealing_new_key(words, sealer, units[place], GENERATION_FIRST, &key);
		if (!r)
			r = seal_word(words, sealer, &key, &words->items[i]);
	}
	if (!r && place == PLACE_REPORT && key.generation)
		r = add_receipt(words, sealer, report, &key);
	return r;
}

/* Returns 0 or negative. */
int sealing_report(struct words *words, struct sealer *sealer, const struct sealing_report *report)
{
	int r = seal_place(words, sealer, PLACE_REPORT, report);

	if (!r)
		r = seal_place(words, sealer, PLACE_IDENTITY, report);
	return r ? r : seal_place(words, sealer, PLACE_CASE_FILE, report);
}
