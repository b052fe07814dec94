/* scrypt against the vectors of RFC 7914 section 12. */

#include "tests/unit/crypto/hex.h"

#include "daemon/crypto/crypto.h"

/* The first 32 of the 64 bytes that the RFC prints: the last step is PBKDF2, block by block. */
START_TEST(the_published_keys_are_derived)
{
	static const struct {
		const char *passphrase, *salt;
		struct crypto_scrypt_cost cost;
		const char *key;
	} rows[] = {
		{ "password",
		  "NaCl",
		  { 10, 8, 16 },
		  "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162" },
		{ "pleaseletmein",
		  "SodiumChloride",
		  { 14, 8, 1 },
		  "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t key[32], expected[32];

		hex(rows[i].key, expected, 32);
		ck_assert_int_eq(crypto_scrypt(slice_of(rows[i].passphrase), slice_of(rows[i].salt),
					       &rows[i].cost, key),
				 0);
		ck_assert_mem_eq(key, expected, 32);
	}
}
END_TEST

START_TEST(costs_that_a_machine_cannot_pay_are_refused)
{
	static const struct crypto_scrypt_cost bad[] = {
		{ 0, 8, 1 },   { CRYPTO_SCRYPT_LOG2_MAX + 1, 8, 1 },
		{ 255, 8, 1 }, { 14, 0, 1 },
		{ 14, 9, 1 },  { 14, 8, 0 },
		{ 14, 8, 17 },
	};
	uint8_t key[32];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ck_assert(!crypto_scrypt_is_sane(&bad[i]));
		ck_assert_int_eq(crypto_scrypt(SLICE("a"), SLICE("b"), &bad[i], key), -EINVAL);
	}
	ck_assert_int_eq(
		crypto_scrypt(SLICE(""), SLICE("b"), &(struct crypto_scrypt_cost){ 4, 8, 1 }, key),
		-EINVAL);
}
END_TEST

SUITE("crypto/scrypt", the_published_keys_are_derived, costs_that_a_machine_cannot_pay_are_refused)
