/* daemon/crypto/rsa.c: only RSA keys of 2048 bits and more, only signatures that hold. */

#include "tests/unit/suite.h"

#include "daemon/crypto/crypto.h"
#include "tests/unit/crypto/keys.h"

static struct crypto_key *key; /* made once: generating one takes a while */

static int generate(void)
{
	return key ? 0 : crypto_key_generate(&key);
}

static struct slice signature_of(struct slice message, uint8_t *ret_bytes)
{
	size_t length = 0;

	ck_assert_int_eq(generate(), 0);
	ck_assert_int_eq(crypto_rs256_sign(key, message, ret_bytes, &length), 0);
	ck_assert_uint_eq(length, 256);
	return (struct slice){ (const char *)ret_bytes, length };
}

START_TEST(a_signature_holds_for_its_message)
{
	CLEANUP(crypto_key_freep) struct crypto_key *public = NULL;
	uint8_t bytes[CRYPTO_SIGNATURE_MAX];
	struct slice signature = signature_of(SLICE("header.payload"), bytes);
	char *pem = NULL;

	ck_assert_int_eq(crypto_rs256_verify(key, SLICE("header.payload"), signature), 0);
	ck_assert_int_eq(crypto_key_write_public(key, &pem), 0);
	ck_assert_int_eq(crypto_key_new_public(slice_of(pem), &public), 0);
	ck_assert_uint_eq(crypto_key_size(public), 256);
	ck_assert_int_eq(crypto_rs256_verify(public, SLICE("header.payload"), signature), 0);
	ck_assert_int_eq(crypto_rs256_verify(public, SLICE("header.payloae"), signature),
			 CRYPTO_E_SIGNATURE);
	ck_assert_int_eq(crypto_rs256_verify(public, SLICE(""), signature), CRYPTO_E_SIGNATURE);
	free(pem);
}
END_TEST

START_TEST(a_signature_of_the_openssl_program_holds)
{
	CLEANUP(crypto_key_freep) struct crypto_key *public = NULL;

	ck_assert_int_eq(crypto_key_new_public(slice_of(KEY_2048_PUBLIC), &public), 0);
	ck_assert_int_eq(crypto_rs256_verify(public, slice_of(KEY_2048_MESSAGE),
					     (struct slice){ KEY_2048_SIGNATURE, 256 }),
			 0);
}
END_TEST

START_TEST(every_flipped_bit_breaks_a_signature)
{
	uint8_t bytes[CRYPTO_SIGNATURE_MAX];
	struct slice signature = signature_of(SLICE("m"), bytes);

	for (size_t bit = 0; bit < signature.length * 8; bit += 3) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(crypto_rs256_verify(key, SLICE("m"), signature),
				 CRYPTO_E_SIGNATURE);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ck_assert_int_eq(crypto_rs256_verify(key, SLICE("m"), signature), 0);
}
END_TEST

START_TEST(a_signature_has_exactly_the_size_of_the_key)
{
	uint8_t bytes[CRYPTO_SIGNATURE_MAX + 1] = { 0 };
	struct slice signature = signature_of(SLICE("m"), bytes);

	for (size_t length = 0; length <= sizeof(bytes); length++) {
		signature.length = length;
		ck_assert_int_eq(crypto_rs256_verify(key, SLICE("m"), signature),
				 length == 256 ? 0 : CRYPTO_E_SIGNATURE);
	}
	/* zeros, ones, and the modulus' size in 0xff are numbers out of range or wrong padding */
	memset(bytes, 0, 256);
	signature.length = 256;
	ck_assert_int_eq(crypto_rs256_verify(key, SLICE("m"), signature), CRYPTO_E_SIGNATURE);
	memset(bytes, 0xff, 256);
	ck_assert_int_eq(crypto_rs256_verify(key, SLICE("m"), signature), CRYPTO_E_SIGNATURE);
}
END_TEST

START_TEST(a_signature_of_another_key_does_not_hold)
{
	CLEANUP(crypto_key_freep) struct crypto_key *other = NULL;
	uint8_t bytes[CRYPTO_SIGNATURE_MAX];
	struct slice signature = signature_of(SLICE("m"), bytes);

	ck_assert_int_eq(crypto_key_generate(&other), 0);
	ck_assert_int_eq(crypto_rs256_verify(other, SLICE("m"), signature), CRYPTO_E_SIGNATURE);
}
END_TEST

START_TEST(private_keys_survive_pem)
{
	CLEANUP(crypto_key_freep) struct crypto_key *back = NULL;
	uint8_t bytes[CRYPTO_SIGNATURE_MAX];
	size_t length;
	char *pem = NULL;

	ck_assert_int_eq(generate(), 0);
	ck_assert_int_eq(crypto_key_write_private(key, &pem), 0);
	ck_assert_int_eq(strncmp(pem, "-----BEGIN PRIVATE KEY-----\n", 28), 0);
	ck_assert_int_eq(crypto_key_new_private(slice_of(pem), &back), 0);
	ck_assert_int_eq(crypto_rs256_sign(back, SLICE("m"), bytes, &length), 0);
	ck_assert_int_eq(
		crypto_rs256_verify(key, SLICE("m"), (struct slice){ (const char *)bytes, length }),
		0);
	crypto_wipe(pem, strlen(pem));
	free(pem);
}
END_TEST

START_TEST(a_public_key_does_not_sign)
{
	CLEANUP(crypto_key_freep) struct crypto_key *public = NULL;
	uint8_t bytes[CRYPTO_SIGNATURE_MAX];
	size_t length = 7;
	char *pem = NULL;

	ck_assert_int_eq(crypto_key_new_public(slice_of(KEY_2048_PUBLIC), &public), 0);
	ck_assert_int_lt(crypto_rs256_sign(public, SLICE("m"), bytes, &length), 0);
	ck_assert_uint_eq(length, 7);
	ck_assert_int_lt(crypto_key_write_private(public, &pem), 0);
	ck_assert_ptr_null(pem);
}
END_TEST

START_TEST(short_long_and_other_keys_are_refused)
{
	static const char *const bad[] = { KEY_1024_PUBLIC, KEY_2047_PUBLIC,    KEY_5120_PUBLIC,
					   KEY_P256_PUBLIC, KEY_ED25519_PUBLIC, KEY_PSS_PUBLIC };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct crypto_key *none = NULL;

		ck_assert_msg(crypto_key_new_public(slice_of(bad[i]), &none) == CRYPTO_E_KEY,
			      "key %zu", i);
		ck_assert_ptr_null(none);
	}
}
END_TEST

START_TEST(what_is_no_key_is_refused)
{
	static const char *const bad[] = {
		"",
		"x",
		"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
		"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	};
	struct crypto_key *none = NULL;
	char *pem = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ck_assert_int_eq(crypto_key_new_public(slice_of(bad[i]), &none), CRYPTO_E_KEY);
		ck_assert_int_eq(crypto_key_new_private(slice_of(bad[i]), &none), CRYPTO_E_KEY);
	}
	ck_assert_int_eq(crypto_key_new_private(slice_of(KEY_2048_PUBLIC), &none), CRYPTO_E_KEY);
	ck_assert_int_eq(generate(), 0);
	ck_assert_int_eq(crypto_key_write_private(key, &pem), 0);
	ck_assert_int_eq(crypto_key_new_public(slice_of(pem), &none), CRYPTO_E_KEY);
	free(pem);
	ck_assert_ptr_null(none);
	ck_assert_ptr_null(crypto_key_free(NULL));
}
END_TEST

START_TEST(an_encrypted_key_is_refused_without_asking)
{
	struct crypto_key *none = NULL;

	ck_assert_int_eq(crypto_key_new_private(slice_of(KEY_ENCRYPTED_PRIVATE), &none),
			 CRYPTO_E_KEY);
	ck_assert_ptr_null(none);
}
END_TEST

START_TEST(the_generated_key_is_released)
{
	key = crypto_key_free(key);
	ck_assert_ptr_null(key);
}
END_TEST

SUITE("crypto/rsa", a_signature_holds_for_its_message, a_signature_of_the_openssl_program_holds,
      every_flipped_bit_breaks_a_signature, a_signature_has_exactly_the_size_of_the_key,
      a_signature_of_another_key_does_not_hold, private_keys_survive_pem,
      a_public_key_does_not_sign, short_long_and_other_keys_are_refused, what_is_no_key_is_refused,
      an_encrypted_key_is_refused_without_asking, the_generated_key_is_released)
