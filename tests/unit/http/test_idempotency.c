/* Idempotency-Key: its forms, and that scopes and bodies are told apart. */

#include "api/http/idempotency.h"

#include "tests/unit/suite.h"
#include <string.h>

#define KEY "0123456789abcdefABCDE_"

static enum idempotency_state read_key(const char *header)
{
	struct slice key;

	return idempotency_read(slice_of(header), &key);
}

START_TEST(keys_of_128_bits_are_taken)
{
	ck_assert_int_eq(read_key(KEY), IDEMPOTENCY_PRESENT);
	ck_assert_int_eq(read_key("6b1d7b1e-4a53-4b57-9d2c-2f0f3a7f3c11"), IDEMPOTENCY_PRESENT);
	ck_assert_int_eq(read_key("00112233445566778899aabbccddeeff"), IDEMPOTENCY_PRESENT);
}
END_TEST

START_TEST(quotes_do_not_belong_to_the_key)
{
	struct slice key;

	ck_assert_int_eq(idempotency_read(slice_of("\"" KEY "\""), &key), IDEMPOTENCY_PRESENT);
	ck_assert_uint_eq(key.length, strlen(KEY));
	ck_assert_mem_eq(key.at, KEY, key.length);
}
END_TEST

START_TEST(malformed_keys_are_told_from_absent_ones)
{
	struct slice key;
	char text[IDEMPOTENCY_KEY_MAX + 2];

	ck_assert_int_eq(idempotency_read((struct slice){ NULL, 0 }, &key), IDEMPOTENCY_ABSENT);
	ck_assert_int_eq(read_key(""), IDEMPOTENCY_MALFORMED);
	ck_assert_int_eq(read_key("\"\""), IDEMPOTENCY_MALFORMED);
	ck_assert_int_eq(read_key("0123456789abcdefABCDE"), IDEMPOTENCY_MALFORMED);
	ck_assert_int_eq(read_key("\"" KEY), IDEMPOTENCY_MALFORMED);
	ck_assert_int_eq(read_key(KEY "\""), IDEMPOTENCY_MALFORMED);
	ck_assert_int_eq(read_key(KEY " "), IDEMPOTENCY_MALFORMED);
	ck_assert_int_eq(read_key(KEY "'; drop"), IDEMPOTENCY_MALFORMED);
	memset(text, 'a', sizeof(text));
	ck_assert_int_eq(idempotency_read((struct slice){ text, IDEMPOTENCY_KEY_MAX }, &key),
			 IDEMPOTENCY_PRESENT);
	ck_assert_int_eq(idempotency_read((struct slice){ text, IDEMPOTENCY_KEY_MAX + 1 }, &key),
			 IDEMPOTENCY_MALFORMED);
}
END_TEST

static void scope(const char *key, const char *subject, const char *route, const char *param,
		  uint8_t *ret_scope)
{
	const struct slice params[] = { slice_of(param) };

	ck_assert_int_eq(
		idempotency_scope(slice_of(key), slice_of(subject), route, params, 1, ret_scope),
		0);
}

START_TEST(a_scope_depends_on_every_part)
{
	uint8_t first[IDEMPOTENCY_HASH_SIZE], other[IDEMPOTENCY_HASH_SIZE];

	scope(KEY, "subject", "POST /v1/x", "a", first);
	scope(KEY, "subject", "POST /v1/x", "a", other);
	ck_assert_mem_eq(first, other, sizeof(first));
	scope(KEY "x", "subject", "POST /v1/x", "a", other);
	ck_assert_mem_ne(first, other, sizeof(first));
	scope(KEY, "another", "POST /v1/x", "a", other);
	ck_assert_mem_ne(first, other, sizeof(first));
	scope(KEY, "", "POST /v1/x", "a", other);
	ck_assert_mem_ne(first, other, sizeof(first));
	scope(KEY, "subject", "POST /v1/y", "a", other);
	ck_assert_mem_ne(first, other, sizeof(first));
	scope(KEY, "subject", "POST /v1/x", "b", other);
	ck_assert_mem_ne(first, other, sizeof(first));
	scope(KEY, "subjectPOST", " /v1/x", "a", other);
	ck_assert_mem_ne(first, other, sizeof(first));
}
END_TEST

START_TEST(a_body_mac_ignores_padding_and_nothing_else)
{
	uint8_t first[IDEMPOTENCY_HASH_SIZE], other[IDEMPOTENCY_HASH_SIZE];

	ck_assert_int_eq(idempotency_mac(slice_of(KEY), slice_of("{\"a\":1}"), first), 0);
	ck_assert_int_eq(idempotency_mac(slice_of(KEY), slice_of("{\"a\":1}   "), other), 0);
	ck_assert_mem_eq(first, other, sizeof(first));
	ck_assert_int_eq(idempotency_mac(slice_of(KEY), slice_of("{\"a\":2}"), other), 0);
	ck_assert_mem_ne(first, other, sizeof(first));
	ck_assert_int_eq(idempotency_mac(slice_of(KEY "x"), slice_of("{\"a\":1}"), other), 0);
	ck_assert_mem_ne(first, other, sizeof(first));
}
END_TEST

SUITE("http/idempotency", keys_of_128_bits_are_taken, quotes_do_not_belong_to_the_key,
      malformed_keys_are_told_from_absent_ones, a_scope_depends_on_every_part,
      a_body_mac_ignores_padding_and_nothing_else)
