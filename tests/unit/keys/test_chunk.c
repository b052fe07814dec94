/* Pieces of files open in their place under their key; moved, swapped, doubled, cut, or without the
 * piece that ends them, none does. */

#include "tests/unit/mutate.h"

#include "daemon/crypto/crypto.h"
#include "daemon/keys/chunk.h"

enum { PIECES = 4, TAIL = 1000 };

static const uint8_t deployment[KEYS_ID_SIZE] = "deployment 00000";
static const uint8_t unit_id[KEYS_ID_SIZE] = "unit 00000000000";
static const uint8_t attachment[KEYS_ID_SIZE] = "attachment 00000";
static const uint8_t other[KEYS_ID_SIZE] = "another 00000000";
static struct unit_key key;
static char text[CHUNK_SIZE], opened[CHUNK_SIZE];
/* A file of four pieces, sealed. */
static uint8_t file[PIECES][CHUNK_SEALED_MAX];

static struct chunk_place place_of(uint32_t nth)
{
	return (struct chunk_place){ deployment, attachment, nth, nth == PIECES - 1 };
}

static struct slice piece_of(uint32_t nth)
{
	return (struct slice){ (char *)file[nth],
			       (nth == PIECES - 1 ? TAIL : CHUNK_SIZE) + CHUNK_OVERHEAD };
}

static void seal_file(void)
{
	ck_assert_int_eq(unit_key_new(unit_id, 7, &key), 0);
	ck_assert_int_eq(crypto_random(text, sizeof(text)), 0);
	for (uint32_t i = 0; i < PIECES; i++) {
		struct chunk_place place = place_of(i);

		ck_assert_int_eq(
			chunk_seal(&key, &place,
				   (struct slice){ text, place.is_last ? TAIL : CHUNK_SIZE },
				   file[i]),
			0);
	}
}

START_TEST(a_file_comes_back)
{
	for (uint32_t i = 0; i < PIECES; i++) {
		struct chunk_place place = place_of(i);

		memset(opened, 0, sizeof(opened));
		ck_assert_int_eq(chunk_open(&key, &place, piece_of(i), opened), 0);
		ck_assert_int_eq(memcmp(opened, text, place.is_last ? TAIL : CHUNK_SIZE), 0);
	}
	ck_assert_int_eq(memcmp(file[0], "\xc5\xd2\x01\x01\x00\x00\x00\x07", 8), 0);
	ck_assert_int_ne(memcmp(file[0] + 8, file[1] + 8, CHUNK_SIZE), 0);
}
END_TEST

START_TEST(only_the_last_piece_is_shorter_and_none_is_empty)
{
	struct chunk_place place = place_of(0), last = place_of(PIECES - 1);
	static uint8_t sealed[CHUNK_SEALED_MAX + 1];

	ck_assert_int_eq(chunk_seal(&key, &place, (struct slice){ text, CHUNK_SIZE - 1 }, sealed),
			 -EINVAL);
	ck_assert_int_eq(chunk_seal(&key, &last, (struct slice){ text, 0 }, sealed), -EINVAL);
	ck_assert_int_eq(chunk_seal(&key, &last, (struct slice){ text, CHUNK_SIZE + 1 }, sealed),
			 -EINVAL);
	ck_assert_int_eq(chunk_seal(&key, &last, (struct slice){ text, CHUNK_SIZE }, sealed), 0);
	ck_assert_int_eq(
		chunk_open(&key, &last, (struct slice){ (char *)sealed, CHUNK_SEALED_MAX }, opened),
		0);
	ck_assert_int_eq(chunk_open(&key, &last,
				    (struct slice){ (char *)sealed, CHUNK_SEALED_MAX + 1 }, opened),
			 CHUNK_E_UNKNOWN);
}
END_TEST

/* Every piece in every place that is not its own: moved, swapped, doubled, or taken for the end. */
START_TEST(a_piece_opens_in_its_own_place_alone)
{
	for (uint32_t i = 0; i < PIECES; i++) {
		for (uint32_t nth = 0; nth < PIECES + 1; nth++) {
			for (int is_last = 0; is_last < 2; is_last++) {
				struct chunk_place place = { deployment, attachment, nth, is_last };
				bool is_own = nth == i && is_last == (i == PIECES - 1);

				ck_assert_int_eq(chunk_open(&key, &place, piece_of(i), opened) == 0,
						 is_own);
			}
		}
	}
}
END_TEST

START_TEST(moved_elsewhere_it_does_not_open)
{
	struct chunk_place place = place_of(1);
	struct unit_key with = key;

	place.deployment = other;
	ck_assert_int_eq(chunk_open(&key, &place, piece_of(1), opened), CHUNK_E_BROKEN);
	place = place_of(1);
	place.attachment_id = other;
	ck_assert_int_eq(chunk_open(&key, &place, piece_of(1), opened), CHUNK_E_BROKEN);
	place = place_of(1);
	memcpy(with.unit_id, other, KEYS_ID_SIZE);
	ck_assert_int_eq(chunk_open(&with, &place, piece_of(1), opened), CHUNK_E_BROKEN);
	with = key;
	with.generation = 8;
	ck_assert_int_eq(chunk_open(&with, &place, piece_of(1), opened), CHUNK_E_BROKEN);
	with = key;
	with.bytes[31] ^= 1;
	ck_assert_int_eq(chunk_open(&with, &place, piece_of(1), opened), CHUNK_E_BROKEN);
	ck_assert_int_eq(chunk_open(&key, &place, piece_of(1), opened), 0);
}
END_TEST

START_TEST(what_nobody_writes_is_unknown)
{
	struct chunk_place place = place_of(PIECES - 1);
	struct slice piece = piece_of(PIECES - 1);

	for (size_t at = 0; at < 4; at++) {
		file[PIECES - 1][at] ^= 1;
		ck_assert_int_eq(chunk_open(&key, &place, piece, opened), CHUNK_E_UNKNOWN);
		file[PIECES - 1][at] ^= 1;
	}
	for (size_t length = 0; length <= CHUNK_OVERHEAD; length++)
		ck_assert_int_eq(
			chunk_open(&key, &place, (struct slice){ piece.at, length }, opened),
			CHUNK_E_UNKNOWN);
}
END_TEST

/* Changed, cut, grown and spliced: of 10^5 (a tenth in small effort) none opens. */
START_TEST(no_mutant_opens)
{
	struct mutator mutator = mutate_start("chunks");
	unsigned long n = mutate_count(100000), n_opened = 0;
	struct chunk_place last = place_of(PIECES - 1), first = place_of(0);
	static char bytes[CHUNK_SEALED_MAX + 64];

	while (mutator.n_mutants < n) {
		bool is_long = mutator.n_mutants % 50 == 0;
		struct slice mutant = mutate(&mutator, piece_of(is_long ? 0 : PIECES - 1),
					     piece_of(1), bytes);

		if (mutant.length > CHUNK_SEALED_MAX)
			mutant.length = CHUNK_SEALED_MAX;
		n_opened += chunk_open(&key, &last, mutant, opened) == 0;
		if (is_long && memcmp(mutant.at, file[0], CHUNK_SEALED_MAX) != 0)
			n_opened += chunk_open(&key, &first, mutant, opened) == 0;
	}
	mutate_note(&mutator, "chunks", n_opened);
	ck_assert_uint_eq(n_opened, 0);
}
END_TEST

SUITE_EACH("keys/chunk", seal_file, NULL, a_file_comes_back,
	   only_the_last_piece_is_shorter_and_none_is_empty, a_piece_opens_in_its_own_place_alone,
	   moved_elsewhere_it_does_not_open, what_nobody_writes_is_unknown, no_mutant_opens)
