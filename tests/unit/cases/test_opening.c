/* Words that were sealed come back to who may read them: through the vault, or by a receipt. */

#include "tests/unit/suite.h"

#include "daemon/cases/opening.h"
#include "daemon/base/text.h"
#include "daemon/pg/text.h"
#include "tests/unit/cases/fake_vault.h"
#include "tests/unit/cases/sealed.h"

static const uint8_t unit_id[KEYS_ID_SIZE] = "unit 00000000000";
static const uint8_t party_id[KEYS_ID_SIZE] = "party 0000000000";
static const uint8_t receipt[STANZA_RECEIPT_SIZE] = "receipt 0000000";

static struct sealer sealer;
static struct arena *arena;
static struct reader reader;
static struct opening opening;
static enum opening_outcome outcome;
static unsigned n_done;

static void done(struct opening *one, enum opening_outcome come)
{
	ck_assert_ptr_eq(one, &opening);
	outcome = come;
	n_done++;
}

static void start(void)
{
	fake_vault_start(&sealer);
	ck_assert_int_eq(arena_new(&arena), 0);
	reader = (struct reader){ "person", "case", NULL };
	n_done = 0;
}

static void end(void)
{
	arena_free(arena);
	sealer_deinit(&sealer);
}

static struct words words_of(size_t n)
{
	struct words words;
	const char *id;

	words_init(&words, arena);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(words_add(&words, i ? "reason" : "details",
					   text_slice(arena_printf(arena, "word %zu", i)), &id),
				 0);
	return words;
}

static void open_answer(struct slice ids, struct slice entries)
{
	opening = (struct opening){
		.arena = arena, .sealer = &sealer, .reader = &reader, .done = done
	};
	opening_start(&opening, ids, entries);
}

static void open_words(const struct words *words, const uint8_t *party)
{
	struct slice ids, entries;

	sealed_answer(words, unit_id, party, &ids, &entries);
	open_answer(ids, entries);
}

static struct slice text_of(const char *id)
{
	for (size_t i = 0; i < opening.lookup.n_items; i++)
		if (strcmp(opening.lookup.items[i].id, id) == 0)
			return opening.lookup.items[i].text;
	ck_abort_msg("%s is not among the words", id);
}

static void expect_opened(const struct words *words)
{
	ck_assert_uint_eq(n_done, 1);
	ck_assert_int_eq(outcome, OPENING_DONE);
	for (size_t i = 0; i < words->n_items; i++)
		if (words->items[i].text.at)
			ck_assert_slice_eq(text_of(words->items[i].id), words->items[i].text.at);
}

START_TEST(words_of_a_unit_cost_one_key)
{
	struct words words = words_of(3);

	ck_assert_int_eq(sealing_unit(&words, &sealer, unit_id, 0), 0);
	ck_assert_uint_eq(words.n_items, 4);
	open_words(&words, NULL);
	ck_assert_uint_eq(n_done, 0);
	ck_assert_uint_eq(fake_vault_call()->n_units, 1);
	ck_assert_mem_eq(fake_vault_call()->person, reader.person, KEYS_ID_SIZE);
	ck_assert_mem_eq(fake_vault_call()->case_id, reader.case_id, KEYS_ID_SIZE);
	fake_vault_answer(VAULT_ANSWERED);
	expect_opened(&words);
	ck_assert_uint_eq(fake_vault_count(), 1);
}
END_TEST

START_TEST(without_words_nothing_is_asked)
{
	struct words words = words_of(0);

	ck_assert_int_eq(sealing_unit(&words, &sealer, unit_id, 0), 0);
	ck_assert_uint_eq(words.n_items, 0);
	open_answer(SLICE("{}"), SLICE("{}"));
	ck_assert_int_eq(outcome, OPENING_DONE);
	ck_assert_uint_eq(n_done, 1);
	ck_assert_uint_eq(fake_vault_count(), 0);
}
END_TEST

static struct sealing_report new_report(void)
{
	struct sealing_report report = { "report", "case file", "identity", "", receipt };

	memcpy(report.report, unit_id, KEYS_ID_SIZE);
	memcpy(report.reporter, party_id, KEYS_ID_SIZE);
	return report;
}

START_TEST(a_report_opens_only_the_keys_it_needs)
{
	static const struct {
		const char *kind;
		size_t n_entries; /* keys, and the receipt's */
	} rows[] = { { "details", 2 }, { "harmed", 2 }, { "contact", 1 }, { "page", 1 } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sealing_report report = new_report();
		struct words words = words_of(0);
		const char *id;

		ck_assert_int_eq(words_add(&words, rows[i].kind, SLICE("x"), &id), 0);
		ck_assert_int_eq(sealing_report(&words, &sealer, &report), 0);
		ck_assert_uint_eq(words.n_items, 1 + rows[i].n_entries);
		ck_assert_str_eq(words.items[1].kind, SEALING_VAULT);
		if (rows[i].n_entries == 2)
			ck_assert_str_eq(words.items[2].kind, SEALING_RECEIPT);
		/* The first generation of a unit that is new. */
		ck_assert_uint_eq(place_get_u32(words.items[1].sealed.at), 1);
	}
}
END_TEST

/* A message under the channel's key, as the holder of the receipt or a handler writes it. */
static struct words channel_message(const struct words *report)
{
	struct unit_key channel = { .generation = 1 };
	struct words words = words_of(1);
	const struct word *stanza = &report->items[2];

	memcpy(channel.unit_id, unit_id, KEYS_ID_SIZE);
	ck_assert_str_eq(stanza->kind, SEALING_RECEIPT);
	ck_assert_int_eq(stanza_channel_open(receipt, sealer.intake.deployment, party_id,
					     (struct slice){ stanza->sealed.at + KEYS_ID_SIZE + 4,
							     STANZA_CHANNEL_SIZE },
					     &channel),
			 0);
	ck_assert_int_eq(sealing_channel(&words, &sealer, &channel, party_id), 0);
	ck_assert_str_eq(words.items[1].kind, SEALING_CHANNEL);
	/* The answer brings the stanzas of the unit's first key. */
	for (size_t i = 1; i < 3; i++)
		ck_assert_int_eq(words_add_entry(&words, report->items[i].kind, report->items[i].id,
						 report->items[i].sealed),
				 0);
	return words;
}

static struct words sealed_report(void)
{
	struct sealing_report report = new_report();
	struct words words = words_of(1);

	ck_assert_int_eq(sealing_report(&words, &sealer, &report), 0);
	return words;
}

START_TEST(a_receipt_opens_its_channel_without_the_vault)
{
	struct words report = sealed_report(), message = channel_message(&report);

	reader.receipt = receipt;
	open_words(&message, party_id);
	expect_opened(&message);
	ck_assert_uint_eq(fake_vault_count(), 0);
}
END_TEST

START_TEST(another_receipt_needs_the_vault_like_everybody)
{
	static const uint8_t other[STANZA_RECEIPT_SIZE] = "receipt 1111111";
	struct words report = sealed_report(), message = channel_message(&report);

	reader.receipt = other;
	open_words(&message, party_id);
	ck_assert_uint_eq(n_done, 0);
	fake_vault_answer(VAULT_AWAY);
	ck_assert_int_eq(outcome, OPENING_AWAY);
	ck_assert_uint_eq(opening.retry_after_s, VAULT_RETRY_S);
}
END_TEST

START_TEST(a_handler_reads_a_channel_through_the_vault)
{
	struct words report = sealed_report(), message = channel_message(&report);

	open_words(&message, party_id);
	fake_vault_answer(VAULT_ANSWERED);
	expect_opened(&message);
}
END_TEST

START_TEST(a_receipt_reads_nothing_but_its_channel)
{
	struct words report = sealed_report();

	reader.receipt = receipt;
	open_words(&report, NULL);
	ck_assert_uint_eq(n_done, 0);
	fake_vault_answer(VAULT_QUOTA);
	ck_assert_int_eq(outcome, OPENING_QUOTA);
}
END_TEST

static void expect_damage(const char *id)
{
	ck_assert_int_eq(outcome, OPENING_DAMAGED);
	ck_assert_str_eq(opening.damaged, id);
	ck_assert_uint_eq(sealer.n_damaged, 1);
	ck_assert_uint_eq(opening.lookup.n_items, 0);
}

/* An erased word is an empty one, which no answer has. */
START_TEST(a_word_without_a_stanza_is_damage)
{
	struct words words = words_of(2);

	ck_assert_int_eq(sealing_unit(&words, &sealer, unit_id, 0), 0);
	words.n_items = 2;
	open_words(&words, NULL);
	expect_damage(words.items[0].id);
}
END_TEST

START_TEST(bodies_that_were_swapped_are_damage)
{
	struct words words = words_of(2);
	struct slice first;

	ck_assert_int_eq(sealing_unit(&words, &sealer, unit_id, 0), 0);
	first = words.items[0].sealed;
	words.items[0].sealed = words.items[1].sealed;
	words.items[1].sealed = first;
	open_words(&words, NULL);
	fake_vault_answer(VAULT_ANSWERED);
	expect_damage(words.items[0].id);
}
END_TEST

START_TEST(another_kind_is_damage)
{
	struct words words = words_of(2);

	ck_assert_int_eq(sealing_unit(&words, &sealer, unit_id, 0), 0);
	words.items[1].kind = "reasons";
	open_words(&words, NULL);
	fake_vault_answer(VAULT_ANSWERED);
	expect_damage(words.items[1].id);
}
END_TEST

START_TEST(what_is_no_envelope_is_damage)
{
	struct words words = words_of(1);

	words.items[0].sealed = SLICE("What happened, in the clear.");
	open_words(&words, NULL);
	expect_damage(words.items[0].id);
}
END_TEST

START_TEST(a_stanza_of_another_unit_is_damage)
{
	static const uint8_t other[KEYS_ID_SIZE] = "unit 11111111111";
	struct words words = words_of(1);

	ck_assert_int_eq(sealing_unit(&words, &sealer, other, 0), 0);
	open_words(&words, NULL);
	fake_vault_answer(VAULT_ANSWERED);
	expect_damage(words.items[0].id);
}
END_TEST

START_TEST(a_vault_without_the_key_is_one_that_is_away)
{
	struct words words = words_of(1);

	ck_assert_int_eq(sealing_unit(&words, &sealer, unit_id, 0), 0);
	open_words(&words, NULL);
	fake_vault_call()->units[0].key_id++;
	fake_vault_answer(VAULT_ANSWERED);
	ck_assert_int_eq(outcome, OPENING_AWAY);
	ck_assert_uint_eq(opening.retry_after_s, VAULT_RETRY_S);
	ck_assert_uint_eq(sealer.n_damaged, 0);
}
END_TEST

START_TEST(whichever_stanza_of_a_key_opens_will_do)
{
	struct words words = words_of(1);
	struct slice stanza;
	char *old;

	ck_assert_int_eq(sealing_unit(&words, &sealer, unit_id, 0), 0);
	stanza = words.items[1].sealed;
	old = arena_memdup(arena, stanza.at, stanza.length);
	place_put_u32((uint8_t *)old + 4, 2);
	ck_assert_int_eq(words_add_entry(&words, SEALING_VAULT, words.items[1].id,
					 (struct slice){ old, stanza.length }),
			 0);
	open_words(&words, NULL);
	ck_assert_uint_eq(fake_vault_call()->n_units, 2);
	fake_vault_answer(VAULT_ANSWERED);
	expect_opened(&words);
}
END_TEST

START_TEST(many_keys_are_asked_in_pieces)
{
	enum { N = VAULT_UNITS_MAX + 5 };
	static struct slice ids[2 * N], entries[2 * N];
	static const char *expected[N];
	struct slice id_list, entry_list;
	size_t n = 0;

	for (uint32_t i = 0; i < N; i++) {
		struct words words = words_of(1);

		ck_assert_int_eq(sealing_unit(&words, &sealer, unit_id, i + 1), 0);
		expected[i] = words.items[0].id;
		for (size_t k = 0; k < 2; k++) {
			struct words one = { arena, &words.items[k], 1, 1 };
			struct slice *id, *entry;
			size_t n_one;

			sealed_answer(&one, unit_id, NULL, &id_list, &entry_list);
			ck_assert_int_eq(pg_text_to_texts(arena, id_list, &id, &n_one), 0);
			ck_assert_int_eq(pg_text_to_byte_strings(arena, entry_list, &entry, &n_one),
					 0);
			ids[n] = *id;
			entries[n++] = *entry;
		}
	}
	ck_assert_int_eq(pg_text_from_texts(arena, ids, n, &id_list), 0);
	ck_assert_int_eq(pg_text_from_byte_strings(arena, entries, n, &entry_list), 0);
	open_answer(id_list, entry_list);
	ck_assert_uint_eq(fake_vault_call()->n_units, VAULT_UNITS_MAX);
	fake_vault_answer(VAULT_ANSWERED);
	ck_assert_uint_eq(fake_vault_call()->n_units, 5);
	fake_vault_answer(VAULT_ANSWERED);
	ck_assert_int_eq(outcome, OPENING_DONE);
	for (size_t i = 0; i < N; i++)
		ck_assert_slice_eq(text_of(expected[i]), "word 0");
}
END_TEST

START_TEST(an_answer_that_breaks_the_contract_fails)
{
	static const struct {
		const char *ids, *entries;
	} rows[] = {
		{ "{x}", "{}" },
		{ "nonsense", "{}" },
		{ "{x}", "{NULL}" },
		{ "{x}", "{\"\\\\x00\"}" },
		{ "{x}", "{\"\\\\x0000000000000000000000000000000000000000000000000000000000000000"
			 "00\"}" },
		{ "{x}", "{\"\\\\x0000000000000000000000000000000000000000000000000000000000000000"
			 "0524766175\"}" },
		{ "{x}", "{\"\\\\x0000000000000000000000000000000000000000000000000000000000000000"
			 "06247661756c7400\"}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		open_answer(slice_of(rows[i].ids), slice_of(rows[i].entries));
		ck_assert_int_eq(outcome, OPENING_FAILED);
		ck_assert_int_eq(opening.error, -EPROTO);
		ck_assert_uint_eq(n_done, i + 1);
	}
}
END_TEST

SUITE_EACH("cases/opening", start, end, words_of_a_unit_cost_one_key,
	   without_words_nothing_is_asked, a_report_opens_only_the_keys_it_needs,
	   a_receipt_opens_its_channel_without_the_vault,
	   another_receipt_needs_the_vault_like_everybody,
	   a_handler_reads_a_channel_through_the_vault, a_receipt_reads_nothing_but_its_channel,
	   a_word_without_a_stanza_is_damage, bodies_that_were_swapped_are_damage,
	   another_kind_is_damage, what_is_no_envelope_is_damage,
	   a_stanza_of_another_unit_is_damage, a_vault_without_the_key_is_one_that_is_away,
	   whichever_stanza_of_a_key_opens_will_do, many_keys_are_asked_in_pieces,
	   an_answer_that_breaks_the_contract_fails)
