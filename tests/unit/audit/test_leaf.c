/* Entries come back as they were written, and nothing else is one. */

#include "tests/unit/suite.h"

#include "daemon/audit/leaf.h"
#include "daemon/base/codec.h"

static const uint8_t rows[2 * LEAF_ROW_SIZE] = { 1, 2, 3 };

static struct leaf sample(void)
{
	struct leaf leaf = { .at_usec = INT64_C(1795392000123456),
			     .event = SLICE("content.insert"),
			     .n_rows = 2,
			     .rows = rows };

	memset(leaf.actor, 0xaa, sizeof(leaf.actor));
	memset(leaf.case_file, 0xcc, sizeof(leaf.case_file));
	memset(leaf.commitment, 0xee, sizeof(leaf.commitment));
	return leaf;
}

static size_t write_sample(uint8_t bytes[LEAF_SIZE_MAX])
{
	struct leaf leaf = sample();
	size_t length;

	ck_assert_int_eq(leaf_write(&leaf, bytes, &length), 0);
	return length;
}

static int read_bytes(const uint8_t *bytes, size_t length, struct leaf *leaf)
{
	return leaf_read((struct slice){ (const char *)bytes, length }, leaf);
}

START_TEST(what_was_written_is_read)
{
	static uint8_t bytes[LEAF_SIZE_MAX];
	size_t length = write_sample(bytes);
	struct leaf leaf;

	ck_assert_uint_eq(length, LEAF_FIXED_SIZE + 14 + 2 * LEAF_ROW_SIZE);
	ck_assert_int_eq(read_bytes(bytes, length, &leaf), 0);
	ck_assert_int_eq(leaf.at_usec, INT64_C(1795392000123456));
	ck_assert_slice_eq(leaf.event, "content.insert");
	ck_assert_uint_eq(leaf.n_rows, 2);
	ck_assert_mem_eq(leaf.rows, rows, sizeof(rows));
	ck_assert_uint_eq(leaf.actor[0], 0xaa);
	ck_assert_uint_eq(leaf.case_file[15], 0xcc);
	ck_assert_uint_eq(leaf.commitment[31], 0xee);
}
END_TEST

START_TEST(a_known_entry_has_its_bytes)
{
	struct leaf leaf = { .at_usec = -1, .event = SLICE("read") };
	uint8_t bytes[LEAF_SIZE_MAX];
	char text[2 * (LEAF_FIXED_SIZE + 4) + 1];
	size_t length;

	ck_assert_int_eq(leaf_write(&leaf, bytes, &length), 0);
	ck_assert_uint_eq(length, LEAF_FIXED_SIZE + 4);
	codec_hex_encode(text, bytes, length);
	ck_assert_str_eq(text, "01ffffffffffffffff0472656164"
			       "00000000000000000000000000000000"
			       "00000000000000000000000000000000"
			       "0000"
			       "0000000000000000000000000000000000000000000000000000000000000000");
}
END_TEST

START_TEST(every_shorter_or_longer_entry_is_refused)
{
	static uint8_t bytes[LEAF_SIZE_MAX + 1];
	size_t length = write_sample(bytes);
	struct leaf leaf;

	for (size_t n = 0; n <= length + 1; n++)
		ck_assert_int_eq(read_bytes(bytes, n, &leaf), n == length ? 0 : LEAF_E_MALFORMED);
}
END_TEST

START_TEST(other_versions_names_and_counts_are_refused)
{
	static uint8_t bytes[LEAF_SIZE_MAX];
	size_t length = write_sample(bytes);
	const size_t name = 10, count = name + 14 + 2 * LEAF_ID_SIZE;
	struct leaf leaf;

	for (unsigned version = 0; version < 256; version++) {
		bytes[0] = (uint8_t)version;
		ck_assert_int_eq(read_bytes(bytes, length, &leaf) == 0, version == LEAF_VERSION);
	}
	bytes[0] = LEAF_VERSION;
	for (unsigned i = 0; i < 256; i++) {
		bytes[name] = (uint8_t)i;
		ck_assert_int_eq(read_bytes(bytes, length, &leaf) == 0,
				 (i >= 'a' && i <= 'z') || (i >= '0' && i <= '9') || i == '.' ||
					 i == '_');
	}
	bytes[name] = 'c';
	for (unsigned i = 0; i < 65536; i++) {
		bytes[count] = (uint8_t)(i >> 8);
		bytes[count + 1] = (uint8_t)i;
		ck_assert_int_eq(read_bytes(bytes, length, &leaf) == 0, i == 2);
	}
}
END_TEST

START_TEST(what_could_not_be_read_is_not_written)
{
	static uint8_t bytes[LEAF_SIZE_MAX];
	struct leaf leaf = sample();
	char name[LEAF_EVENT_MAX + 1];
	size_t length = 7;

	memset(name, 'x', sizeof(name));
	leaf.event = (struct slice){ name, sizeof(name) };
	ck_assert_int_eq(leaf_write(&leaf, bytes, &length), LEAF_E_MALFORMED);
	leaf.event = SLICE("Upper");
	ck_assert_int_eq(leaf_write(&leaf, bytes, &length), LEAF_E_MALFORMED);
	leaf.event = SLICE("");
	ck_assert_int_eq(leaf_write(&leaf, bytes, &length), LEAF_E_MALFORMED);
	leaf = sample();
	leaf.n_rows = LEAF_ROWS_MAX + 1;
	ck_assert_int_eq(leaf_write(&leaf, bytes, &length), LEAF_E_MALFORMED);
	ck_assert_uint_eq(length, 7);
}
END_TEST

START_TEST(a_commitment_needs_its_whole_salt)
{
	static const char salt[LEAF_SALT_SIZE + 1] = { 1 };
	uint8_t one[LEAF_HASH_SIZE], other[LEAF_HASH_SIZE];
	const struct slice payload = SLICE("{}");

	ck_assert_int_eq(leaf_commit((struct slice){ salt, LEAF_SALT_SIZE }, payload, one), 0);
	ck_assert_int_eq(leaf_commit((struct slice){ salt + 1, LEAF_SALT_SIZE }, payload, other),
			 0);
	ck_assert_mem_ne(one, other, sizeof(one));
	ck_assert_int_eq(leaf_commit((struct slice){ salt, LEAF_SALT_SIZE - 1 }, payload, one),
			 LEAF_E_MALFORMED);
	ck_assert_int_eq(leaf_commit((struct slice){ salt, LEAF_SALT_SIZE + 1 }, payload, one),
			 LEAF_E_MALFORMED);
}
END_TEST

SUITE("audit/leaf", what_was_written_is_read, a_known_entry_has_its_bytes,
      every_shorter_or_longer_entry_is_refused, other_versions_names_and_counts_are_refused,
      what_could_not_be_read_is_not_written, a_commitment_needs_its_whole_salt)
