/*
 * Opening. The entries of an answer (sql/api/00_core.sql, answer()) are words and stanzas; each
 * word names its unit, the envelope its generation, and both together the stanza. A key may have
 * several stanzas while intake keys are rotated: whichever opens will do.
 */

#include "daemon/cases/opening.h"
#include "daemon/base/text.h"
#include "daemon/cases/sealing.h"
#include "daemon/crypto/crypto.h"
#include "daemon/keys/envelope.h"
#include "daemon/pg/text.h"

#include <string.h>

enum { ENTRY_HEAD = 2 * KEYS_ID_SIZE + 1 };

struct opening_word {
	const char *id;
	const char *kind; /* NUL-terminated */
	uint8_t unit_id[KEYS_ID_SIZE];
	uint8_t party_id[KEYS_ID_SIZE]; /* zeros: sealed under the unit's own key */
	uint32_t generation;
	struct slice body;
	struct slice text; /* at NULL: not opened */
	bool is_own;       /* `text` was known */
};

static bool is_nil(const uint8_t id[KEYS_ID_SIZE])
{
	static const uint8_t nil[KEYS_ID_SIZE];

	return memcmp(id, nil, KEYS_ID_SIZE) == 0;
}

static void finish(struct opening *opening, enum opening_outcome outcome)
{
	for (size_t i = 0; i < opening->n_units; i++)
		unit_key_deinit(&opening->units[i].key);
	for (size_t i = 0; i < opening->n_channels; i++)
		unit_key_deinit(&opening->channels[i].key);
	opening->done(opening, outcome);
}

static void fail(struct opening *opening, int error)
{
	opening->error = error;
	finish(opening, OPENING_FAILED);
}

/* Reading ----------------------------------------------------------------------------------------
 */

static struct vault_unit *unit_add(struct vault_unit *units, size_t *n, const uint8_t *unit_id,
				   uint32_t generation)
{
	struct vault_unit *unit = &units[(*n)++];

	*unit = (struct vault_unit){ .generation = generation, .outcome = IPC_VAULT_BROKEN };
	memcpy(unit->unit_id, unit_id, KEYS_ID_SIZE);
	return unit;
}

static int read_vault(struct opening *opening, const uint8_t *unit_id, struct slice bytes)
{
	struct vault_unit *unit;

	if (bytes.length != SEALING_VAULT_SIZE)
		return -EPROTO;
	unit = unit_add(opening->units, &opening->n_units, unit_id, place_get_u32(bytes.at));
	unit->key_id = place_get_u32(bytes.at + 4);
	memcpy(unit->blob, bytes.at + 8, STANZA_VAULT_SIZE);
	return 0;
}

/* A stanza of the party who acts; without the receipt it says nothing. */
static int read_receipt(struct opening *opening, const uint8_t *unit_id, struct slice bytes)
{
	struct vault_unit *unit;
	int r;

	if (bytes.length != SEALING_RECEIPT_SIZE)
		return -EPROTO;
	if (!opening->reader->receipt)
		return 0;
	unit = unit_add(opening->channels, &opening->n_channels, unit_id,
			place_get_u32(bytes.at + KEYS_ID_SIZE));
	memcpy(unit->key.unit_id, unit_id, KEYS_ID_SIZE);
	unit->key.generation = unit->generation;
	/* The party, in place of the blob that the vault would get. */
	memcpy(unit->blob, bytes.at, KEYS_ID_SIZE);
	r = stanza_channel_open(opening->reader->receipt, opening->sealer->intake.deployment,
				(const uint8_t *)bytes.at,
				(struct slice){ bytes.at + KEYS_ID_SIZE + 4, STANZA_CHANNEL_SIZE },
				&unit->key);
	if (r == 0)
		unit->outcome = IPC_VAULT_OPENED;
	return r < 0 ? r : 0;
}

static const struct word *find_own(const struct opening *opening, const char *id)
{
	const struct words *own = opening->own;

	for (size_t i = 0; own && i < own->n_items; i++)
		if (own->items[i].text.at && strcmp(own->items[i].id, id) == 0)
			return &own->items[i];
	return NULL;
}

static int read_word(struct opening *opening, const char *id, struct slice head, const char *kind,
		     struct slice body)
{
	struct opening_word *word = &opening->words[opening->n_words];
	const struct word *own = find_own(opening, id);

	*word = (struct opening_word){ .id = id, .kind = kind, .body = body };
	memcpy(word->unit_id, head.at, KEYS_ID_SIZE);
	memcpy(word->party_id, head.at + KEYS_ID_SIZE, KEYS_ID_SIZE);
	opening->n_words++;
	if (own) {
		word->is_own = true;
		word->text = own->text;
		return 0;
	}
	/* What is no envelope has generation 0, and is told when it is opened. */
	if (envelope_read_generation(body, &word->generation))
		word->generation = 0;
	return 0;
}

static int read_entry(struct opening *opening, struct slice id, struct slice entry)
{
	const uint8_t *bytes = (const uint8_t *)entry.at;
	struct slice body;
	size_t n_kind;
	char *kind;

	if (!id.at || !entry.at || entry.length < ENTRY_HEAD)
		return -EPROTO;
	n_kind = bytes[ENTRY_HEAD - 1];
	if (n_kind == 0 || entry.length < ENTRY_HEAD + n_kind)
		return -EPROTO;
	kind = arena_strndup(opening->arena, entry.at + ENTRY_HEAD, n_kind);
	if (!kind)
		return -ENOMEM;
	body = (struct slice){ entry.at + ENTRY_HEAD + n_kind, entry.length - ENTRY_HEAD - n_kind };
	if (strcmp(kind, SEALING_VAULT) == 0)
		return read_vault(opening, bytes, body);
	if (strcmp(kind, SEALING_RECEIPT) == 0)
		return read_receipt(opening, bytes, body);
	return read_word(opening, id.at, entry, kind, body);
}

static int read_all(struct opening *opening, struct slice ids, struct slice words)
{
	struct slice *id_list = NULL, *word_list = NULL;
	size_t n_ids = 0, n_words = 0;
	int r;

	r = pg_text_to_texts(opening->arena, ids, &id_list, &n_ids);
	if (!r)
		r = pg_text_to_byte_strings(opening->arena, words, &word_list, &n_words);
	if (r || n_ids != n_words)
		return r < 0 ? r : -EPROTO;
	if (n_ids == 0)
		return 0;
	opening->words = arena_alloc(opening->arena, n_ids * sizeof(*opening->words));
	opening->units = arena_alloc(opening->arena, n_ids * sizeof(*opening->units));
	opening->channels = arena_alloc(opening->arena, n_ids * sizeof(*opening->channels));
	if (!opening->words || !opening->units || !opening->channels)
		return -ENOMEM;
	for (size_t i = 0; !r && i < n_ids; i++)
		r = read_entry(opening, id_list[i], word_list[i]);
	return r;
}

/* Keys -------------------------------------------------------------------------------------------
 */

static bool is_of(const struct vault_unit *unit, const struct opening_word *word)
{
	return unit->generation == word->generation &&
	       memcmp(unit->unit_id, word->unit_id, KEYS_ID_SIZE) == 0;
}

/* The channel's key that the reader's receipt opened, or NULL. */
static const struct unit_key *find_channel(const struct opening *opening,
					   const struct opening_word *word)
{
	for (size_t i = 0; i < opening->n_channels; i++) {
		const struct vault_unit *unit = &opening->channels[i];

		if (is_of(unit, word) && unit->outcome == IPC_VAULT_OPENED &&
		    memcmp(unit->blob, word->party_id, KEYS_ID_SIZE) == 0)
			return &unit->key;
	}
	return NULL;
}

static bool needs_vault(const struct opening *opening, const struct vault_unit *unit)
{
	for (size_t i = 0; i < opening->n_words; i++) {
		const struct opening_word *word = &opening->words[i];

		if (!word->is_own && is_of(unit, word) && !find_channel(opening, word))
			return true;
	}
	return false;
}

/* Leaves those that the vault has to open. */
static void choose_units(struct opening *opening)
{
	size_t n = 0;

	for (size_t i = 0; i < opening->n_units; i++)
		if (needs_vault(opening, &opening->units[i]))
			opening->units[n++] = opening->units[i];
	opening->n_units = n;
}

/* How the units of a word came back: opened, or why none was; IPC_VAULT_OUTCOME_COUNT: there is no
 * stanza. */
static enum ipc_vault_outcome find_unit(const struct opening *opening,
					const struct opening_word *word,
					const struct unit_key **ret_key)
{
	enum ipc_vault_outcome outcome = IPC_VAULT_OUTCOME_COUNT;

	for (size_t i = 0; i < opening->n_units; i++) {
		const struct vault_unit *unit = &opening->units[i];

		if (!is_of(unit, word))
			continue;
		if (unit->outcome == IPC_VAULT_OPENED) {
			*ret_key = &unit->key;
			return IPC_VAULT_OPENED;
		}
		if (outcome != IPC_VAULT_NO_KEY)
			outcome = unit->outcome;
	}
	return outcome;
}

/* Words ------------------------------------------------------------------------------------------
 */

static int open_with(struct opening *opening, const struct unit_key *key, struct opening_word *word)
{
	uint8_t content_id[KEYS_ID_SIZE];
	const struct envelope_place place = { opening->sealer->intake.deployment, content_id,
					      text_slice(word->kind) };
	size_t length = 0;
	char *text = arena_alloc(opening->arena, word->body.length + 1);
	int r;

	if (!text)
		return -ENOMEM;
	if (text_read_uuid(text_slice(word->id), content_id))
		return -EPROTO;
	r = envelope_open(key, &place, word->body, text, &length);
	if (!r)
		word->text = (struct slice){ text, length };
	return r;
}

/* Returns 0, an opening_outcome, or negative. */
static int open_word(struct opening *opening, struct opening_word *word)
{
	CLEANUP(unit_key_deinit) struct unit_key derived = { .generation = 0 };
	const struct unit_key *key = NULL;
	enum ipc_vault_outcome outcome;
	int r = 0;

	if (word->is_own)
		return 0;
	if (word->generation == 0)
		return OPENING_DAMAGED;
	if (!is_nil(word->party_id))
		key = find_channel(opening, word);
	if (!key) {
		/* An erased word is an empty one and does not come here: without a stanza it was
		 * lost, or taken away. */
		outcome = find_unit(opening, word, &key);
		if (outcome == IPC_VAULT_NO_KEY)
			return OPENING_AWAY;
		if (outcome != IPC_VAULT_OPENED)
			return OPENING_DAMAGED;
		if (!is_nil(word->party_id)) {
			r = unit_key_derive_channel(key, word->party_id, &derived);
			key = &derived;
		}
	}
	if (!r)
		r = open_with(opening, key, word);
	return r > 0 ? OPENING_DAMAGED : r;
}

static int fill_lookup(struct opening *opening)
{
	struct word *items = arena_alloc(opening->arena, (opening->n_words + 1) * sizeof(*items));

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < opening->n_words; i++)
		items[i] = (struct word){ .id = opening->words[i].id,
					  .kind = opening->words[i].kind,
					  .text = opening->words[i].text };
	words_sort(&opening->lookup, items, opening->n_words);
	return 0;
}

static void open_all(struct opening *opening)
{
	int r = 0;

	for (size_t i = 0; !r && i < opening->n_words; i++) {
		r = open_word(opening, &opening->words[i]);
		if (r == OPENING_DAMAGED) {
			opening->damaged = opening->words[i].id;
			opening->sealer->n_damaged++;
		}
	}
	if (r > 0) {
		opening->retry_after_s = VAULT_RETRY_S;
		finish(opening, (enum opening_outcome)r);
		return;
	}
	if (!r)
		r = fill_lookup(opening);
	if (r)
		fail(opening, r);
	else
		finish(opening, OPENING_DONE);
}

/* The vault --------------------------------------------------------------------------------------
 */

static void ask(struct opening *opening);

static void on_opened(struct vault_call *call, enum vault_outcome outcome)
{
	struct opening *opening = (struct opening *)(void *)((char *)call -
							     offsetof(struct opening, call));

	opening->retry_after_s = call->retry_after_s;
	if (outcome == VAULT_ANSWERED) {
		opening->n_asked += call->n_units;
		ask(opening);
	} else {
		finish(opening, outcome == VAULT_QUOTA ? OPENING_QUOTA : OPENING_AWAY);
	}
}

/* The next piece, or, when none is left, the words. */
static void ask(struct opening *opening)
{
	struct vault_call *call = &opening->call;
	size_t n = opening->n_units - opening->n_asked;
	int r;

	if (n == 0) {
		open_all(opening);
		return;
	}
	*call = (struct vault_call){ .units = opening->units + opening->n_asked,
				     .n_units = n < VAULT_UNITS_MAX ? n : VAULT_UNITS_MAX,
				     .done = on_opened };
	memcpy(call->person, opening->reader->person, KEYS_ID_SIZE);
	memcpy(call->case_id, opening->reader->case_id, KEYS_ID_SIZE);
	r = vault_open(sealer_vault(opening->sealer), call);
	if (r == 0)
		return;
	opening->retry_after_s = VAULT_RETRY_S;
	if (r > 0)
		finish(opening, OPENING_AWAY);
	else
		fail(opening, r);
}

void opening_start(struct opening *opening, struct slice ids, struct slice words)
{
	int r = read_all(opening, ids, words);

	if (r) {
		fail(opening, r);
		return;
	}
	choose_units(opening);
	ask(opening);
}
