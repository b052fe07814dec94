/* Envelopes open in their place under their key, and no mutant of them anywhere. */

#include "tests/unit/mutate.h"

#include "daemon/crypto/crypto.h"
#include "daemon/crypto/seal.h"
#include "daemon/keys/envelope.h"

static const uint8_t deployment[KEYS_ID_SIZE] = "deployment 00000";
static const uint8_t unit_id[KEYS_ID_SIZE] = "unit 00000000000";
static const uint8_t content_id[KEYS_ID_SIZE] = "content 00000000";
static const struct envelope_place place = { deployment, content_id, { "report.details", 14 } };
static struct unit_key key;

static void make_key(void)
{
	ck_assert_int_eq(unit_key_new(unit_id, 7, &key), 0);
}

/* malloc'ed. */
static struct slice seal(const struct envelope_place *at, struct slice text)
{
	size_t size = envelope_size(text.length);
	char *bytes = malloc(size);

	ck_assert_ptr_nonnull(bytes);
	ck_assert_int_eq(envelope_seal(&key, at, text, bytes), 0);
	return (struct slice){ bytes, size };
}

static void release(struct slice envelope)
{
	free((void *)(uintptr_t)envelope.at);
}

static int open_as(const struct unit_key *with, const struct envelope_place *at,
		   struct slice envelope)
{
	static char text[ENVELOPE_SIZE_MAX];
	size_t length = 0;

	return envelope_open(with, at, envelope, text, &length);
}

/* In memory that nobody has to release. */
static struct slice seal_static(void)
{
	static char bytes[ENVELOPE_HEADER_SIZE + 256 + SEAL_TAG_SIZE];

	ck_assert_int_eq(envelope_seal(&key, &place, SLICE("words"), bytes), 0);
	return (struct slice){ bytes, sizeof(bytes) };
}

START_TEST(texts_of_all_lengths_come_back)
{
	static const size_t lengths[] = { 0,
					  1,
					  251,
					  252,
					  253,
					  1020,
					  1021,
					  16380,
					  65532,
					  65533,
					  73724,
					  73725,
					  ENVELOPE_TEXT_MAX };
	char *text = malloc(ENVELOPE_TEXT_MAX), *opened = malloc(ENVELOPE_SIZE_MAX);

	ck_assert(text && opened);
	ck_assert_int_eq(crypto_random(text, ENVELOPE_TEXT_MAX), 0);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct slice envelope = seal(&place, (struct slice){ text, lengths[i] });
		uint32_t generation = 0;
		size_t length = 1;

		ck_assert_uint_le(envelope.length, ENVELOPE_SIZE_MAX);
		ck_assert_int_eq(envelope_read_generation(envelope, &generation), 0);
		ck_assert_uint_eq(generation, 7);
		ck_assert_int_eq(envelope_open(&key, &place, envelope, opened, &length), 0);
		ck_assert_uint_eq(length, lengths[i]);
		ck_assert_int_eq(memcmp(opened, text, length), 0);
		release(envelope);
	}
	free(text);
	free(opened);
}
END_TEST

START_TEST(sizes_tell_only_the_step)
{
	static const struct {
		size_t length, padded;
	} rows[] = { { 0, 256 },       { 252, 256 },     { 253, 1024 },
		     { 1020, 1024 },   { 1021, 4096 },   { 4093, 16384 },
		     { 16381, 65536 }, { 65532, 65536 }, { 65533, 73728 },
		     { 73724, 73728 }, { 73725, 81920 }, { ENVELOPE_TEXT_MAX, 122880 } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ck_assert_uint_eq(envelope_size(rows[i].length),
				  ENVELOPE_HEADER_SIZE + rows[i].padded + 16);
	ck_assert_uint_eq(envelope_size(ENVELOPE_TEXT_MAX + 1), 0);
	for (size_t length = 65536; length < ENVELOPE_TEXT_MAX; length += 997)
		ck_assert_uint_le(envelope_size(length) - length, length / 8 + 64);
}
END_TEST

START_TEST(nothing_of_the_text_is_in_the_envelope)
{
	struct slice one = seal(&place, SLICE("a canary word")),
		     two = seal(&place, SLICE("a canary word"));

	ck_assert_ptr_null(memmem(one.at, one.length, "canary", 6));
	ck_assert_int_ne(memcmp(one.at, two.at, one.length), 0);
	ck_assert_int_eq(memcmp(one.at, "\xc5\xd1\x01\x01\x00\x00\x00\x07", 8), 0);
	release(one);
	release(two);
}
END_TEST

START_TEST(moved_elsewhere_it_does_not_open)
{
	static const uint8_t other[KEYS_ID_SIZE] = "another 00000000";
	struct slice envelope = seal(&place, SLICE("words"));
	struct envelope_place moved = place;
	struct unit_key with = key;

	moved.deployment = other;
	ck_assert_int_eq(open_as(&key, &moved, envelope), ENVELOPE_E_BROKEN);
	moved = place;
	moved.content_id = other;
	ck_assert_int_eq(open_as(&key, &moved, envelope), ENVELOPE_E_BROKEN);
	moved = place;
	moved.kind = SLICE("report.detail");
	ck_assert_int_eq(open_as(&key, &moved, envelope), ENVELOPE_E_BROKEN);
	moved.kind = SLICE("report.details.");
	ck_assert_int_eq(open_as(&key, &moved, envelope), ENVELOPE_E_BROKEN);
	memcpy(with.unit_id, other, KEYS_ID_SIZE);
	ck_assert_int_eq(open_as(&with, &place, envelope), ENVELOPE_E_BROKEN);
	with = key;
	with.generation = 8;
	ck_assert_int_eq(open_as(&with, &place, envelope), ENVELOPE_E_BROKEN);
	with = key;
	with.bytes[31] ^= 1;
	ck_assert_int_eq(open_as(&with, &place, envelope), ENVELOPE_E_BROKEN);
	ck_assert_int_eq(open_as(&key, &place, envelope), 0);
	release(envelope);
}
END_TEST

/* The generation stands in the header, so a forged one is found by the tag as well. */
START_TEST(a_forged_header_is_unknown_or_broken)
{
	struct slice envelope = seal(&place, SLICE("words"));
	char *bytes = (char *)(uintptr_t)envelope.at;
	struct unit_key with = key;

	for (size_t at = 0; at < 4; at++) {
		bytes[at] ^= 1;
		ck_assert_int_eq(open_as(&key, &place, envelope), ENVELOPE_E_UNKNOWN);
		bytes[at] ^= 1;
	}
	bytes[7] = 8;
	with.generation = 8;
	ck_assert_int_eq(open_as(&with, &place, envelope), ENVELOPE_E_BROKEN);
	bytes[7] = 0;
	ck_assert_int_eq(open_as(&key, &place, envelope), ENVELOPE_E_UNKNOWN);
	bytes[7] = 7;
	for (size_t length = 0; length < envelope.length; length++)
		ck_assert_int_eq(open_as(&key, &place, (struct slice){ bytes, length }),
				 ENVELOPE_E_UNKNOWN);
	release(envelope);
}
END_TEST

/* Sealed with the right key by somebody who pads in another way: that is nobody of ours. */
START_TEST(padding_that_nobody_writes_is_refused)
{
	static const struct {
		size_t length, byte;
	} rows[] = { { 253, 0 }, { 300, 0 }, { UINT32_MAX, 0 }, { 10, 20 }, { 10, 251 } };
	uint8_t plain[256], envelope[ENVELOPE_HEADER_SIZE + 256 + SEAL_TAG_SIZE];
	struct slice own = seal(&place, SLICE(""));
	char context[8 + 3 * KEYS_ID_SIZE + 14];

	memcpy(context, own.at, 8);
	memcpy(context + 8, deployment, KEYS_ID_SIZE);
	memcpy(context + 24, unit_id, KEYS_ID_SIZE);
	memcpy(context + 40, content_id, KEYS_ID_SIZE);
	memcpy(context + 56, place.kind.at, place.kind.length);
	for (size_t i = 0; i < ARRAY_SIZE(rows) + 1; i++) {
		bool is_good = i == ARRAY_SIZE(rows);

		memset(plain, 0, sizeof(plain));
		place_put_u32(plain, is_good ? 252 : (uint32_t)rows[i].length);
		if (!is_good && rows[i].byte)
			plain[4 + rows[i].byte] = 1;
		memcpy(envelope, own.at, 8);
		ck_assert_int_eq(crypto_seal(key.bytes, (struct slice){ context, sizeof(context) },
					     (struct slice){ (char *)plain, sizeof(plain) },
					     envelope + 8),
				 0);
		ck_assert_int_eq(
			open_as(&key, &place, (struct slice){ (char *)envelope, sizeof(envelope) }),
			is_good ? 0 : ENVELOPE_E_BROKEN);
	}
	release(own);
}
END_TEST

START_TEST(what_does_not_fit_is_not_sealed)
{
	struct envelope_place nowhere = place;
	char *bytes = malloc(ENVELOPE_SIZE_MAX + 64);

	ck_assert_ptr_nonnull(bytes);
	memset(bytes, 'x', ENVELOPE_SIZE_MAX);
	ck_assert_int_eq(
		envelope_seal(&key, &place, (struct slice){ bytes, ENVELOPE_TEXT_MAX + 1 }, bytes),
		-EINVAL);
	nowhere.kind = SLICE("");
	ck_assert_int_eq(open_as(&key, &nowhere, seal_static()), -EINVAL);
	ck_assert_int_eq(envelope_seal(&key, &nowhere, SLICE("words"), bytes), -EINVAL);
	nowhere.kind = (struct slice){ bytes, ENVELOPE_KIND_MAX + 1 };
	ck_assert_int_eq(envelope_seal(&key, &nowhere, SLICE("words"), bytes), -EINVAL);
	free(bytes);
}
END_TEST

/* Truncated, moved, swapped and changed: of 2 * 10^5 (a tenth in small effort) none opens. */
START_TEST(no_mutant_opens)
{
	static const uint8_t second[KEYS_ID_SIZE] = "content 00000001";
	const struct envelope_place beside = { deployment, second, { "report.details", 14 } };
	struct mutator mutator = mutate_start("envelopes");
	unsigned long n = mutate_count(200000), n_opened = 0;
	struct slice one = seal(&place, SLICE("words of one")),
		     two = seal(&beside, SLICE("of two"));
	char *bytes = malloc(one.length + 64);

	ck_assert_ptr_nonnull(bytes);
	while (mutator.n_mutants < n) {
		struct slice mutant = mutate(&mutator, one, two, bytes);

		n_opened += open_as(&key, &place, mutant) == 0;
		n_opened += open_as(&key, &beside, mutant) == 0;
	}
	/* Swapped whole. */
	n_opened += open_as(&key, &place, two) == 0;
	n_opened += open_as(&key, &beside, one) == 0;
	mutate_note(&mutator, "envelopes", n_opened);
	ck_assert_uint_eq(n_opened, 0);
	release(one);
	release(two);
	free(bytes);
}
END_TEST

SUITE_EACH("keys/envelope", make_key, NULL, texts_of_all_lengths_come_back,
	   sizes_tell_only_the_step, nothing_of_the_text_is_in_the_envelope,
	   moved_elsewhere_it_does_not_open, a_forged_header_is_unknown_or_broken,
	   padding_that_nobody_writes_is_refused, what_does_not_fit_is_not_sealed, no_mutant_opens)
