/* Entries are read strictly: of two spellings of one entry only one is an entry. */

#include "daemon/audit/leaf.h"

#include <string.h>

#include "daemon/crypto/crypto.h"

struct reader {
	const uint8_t *at;
	size_t left;
	bool has_failed;
};

static const uint8_t *take(struct reader *reader, size_t length)
{
	const uint8_t *at = reader->at;

	if (reader->has_failed || reader->left < length) {
		reader->has_failed = true;
		return NULL;
	}
	reader->at += length;
	reader->left -= length;
	return at;
}

static uint64_t take_number(struct reader *reader, size_t length)
{
	const uint8_t *at = take(reader, length);
	uint64_t number = 0;

	for (size_t i = 0; at && i < length; i++)
		number = number << 8 | at[i];
	return number;
}

static void take_bytes(struct reader *reader, uint8_t *bytes, size_t length)
{
	const uint8_t *at = take(reader, length);

	if (at)
		memcpy(bytes, at, length);
}

static bool is_name(struct slice name)
{
	for (size_t i = 0; i < name.length; i++)
		if (!((name.at[i] >= 'a' && name.at[i] <= 'z') ||
		      (name.at[i] >= '0' && name.at[i] <= '9') || name.at[i] == '.' ||
		      name.at[i] == '_'))
			return false;
	return name.length > 0 && name.length <= LEAF_EVENT_MAX;
}

/* Returns 0 or LEAF_E_MALFORMED. */
int leaf_read(struct slice bytes, struct leaf *ret_leaf)
{
	struct reader reader = { (const uint8_t *)bytes.at, bytes.length, false };
	struct leaf leaf = { 0 };

	if (take_number(&reader, 1) != LEAF_VERSION)
		return LEAF_E_MALFORMED;
	leaf.at_usec = (int64_t)take_number(&reader, 8);
	leaf.event.length = take_number(&reader, 1);
	leaf.event.at = (const char *)take(&reader, leaf.event.length);
	if (reader.has_failed || !is_name(leaf.event))
		return LEAF_E_MALFORMED;
	take_bytes(&reader, leaf.actor, LEAF_ID_SIZE);
	take_bytes(&reader, leaf.case_file, LEAF_ID_SIZE);
	leaf.n_rows = take_number(&reader, 2);
	if (leaf.n_rows > LEAF_ROWS_MAX)
		return LEAF_E_MALFORMED;
	leaf.rows = take(&reader, leaf.n_rows * LEAF_ROW_SIZE);
	take_bytes(&reader, leaf.commitment, LEAF_HASH_SIZE);
	if (reader.has_failed || reader.left > 0)
		return LEAF_E_MALFORMED;
	*ret_leaf = leaf;
	return 0;
}

static uint8_t *put_number(uint8_t *at, uint64_t number, size_t length)
{
	for (size_t i = 0; i < length; i++)
		at[i] = (uint8_t)(number >> 8 * (length - 1 - i));
	return at + length;
}

static uint8_t *put_bytes(uint8_t *at, const void *bytes, size_t length)
{
	if (length)
		memcpy(at, bytes, length);
	return at + length;
}

int leaf_write(const struct leaf *leaf, uint8_t *ret_bytes, size_t *ret_length)
{
	uint8_t *at = ret_bytes;

	if (!is_name(leaf->event) || leaf->n_rows > LEAF_ROWS_MAX)
		return LEAF_E_MALFORMED;
	at = put_number(at, LEAF_VERSION, 1);
	at = put_number(at, (uint64_t)leaf->at_usec, 8);
	at = put_number(at, leaf->event.length, 1);
	at = put_bytes(at, leaf->event.at, leaf->event.length);
	at = put_bytes(at, leaf->actor, LEAF_ID_SIZE);
	at = put_bytes(at, leaf->case_file, LEAF_ID_SIZE);
	at = put_number(at, leaf->n_rows, 2);
	at = put_bytes(at, leaf->rows, leaf->n_rows * LEAF_ROW_SIZE);
	at = put_bytes(at, leaf->commitment, LEAF_HASH_SIZE);
	*ret_length = (size_t)(at - ret_bytes);
	return 0;
}

/* What a leaf says of its payload: nothing to whoever has not the salt. Returns 0, LEAF_E_MALFORMED
 * for a salt of another size, or negative. */
int leaf_commit(struct slice salt, struct slice payload, uint8_t ret_commitment[LEAF_HASH_SIZE])
{
	const struct slice parts[] = { salt, payload };

	if (salt.length != LEAF_SALT_SIZE)
		return LEAF_E_MALFORMED;
	return crypto_sha256_parts(parts, ARRAY_SIZE(parts), ret_commitment);
}
