/* What is sealed opens under the same key and context, and under no other. */

#include "tests/unit/suite.h"
#include <string.h>

#include "daemon/crypto/crypto.h"
#include "daemon/crypto/seal.h"

static const uint8_t key[SEAL_KEY_SIZE] = "0123456789abcdef0123456789abcde";
static const struct slice context = { "here", 4 };
static const struct slice text = { "ABCDE-FGHJK-12345", 17 };

static void seal(uint8_t *sealed)
{
	ck_assert_int_eq(crypto_seal(key, context, text, sealed), 0);
}

START_TEST(what_was_sealed_is_opened)
{
	uint8_t sealed[17 + SEAL_OVERHEAD];
	char opened[17];

	seal(sealed);
	ck_assert_int_eq(
		crypto_open(key, context, (struct slice){ (char *)sealed, sizeof(sealed) }, opened),
		0);
	ck_assert_int_eq(memcmp(opened, text.at, 17), 0);
}
END_TEST

START_TEST(an_empty_text_is_sealed_and_opened)
{
	uint8_t sealed[SEAL_OVERHEAD];
	char opened[1];

	ck_assert_int_eq(crypto_seal(key, context, (struct slice){ "", 0 }, sealed), 0);
	ck_assert_int_eq(
		crypto_open(key, context, (struct slice){ (char *)sealed, sizeof(sealed) }, opened),
		0);
}
END_TEST

START_TEST(the_same_text_is_sealed_differently_each_time)
{
	uint8_t a[17 + SEAL_OVERHEAD], b[17 + SEAL_OVERHEAD];

	seal(a);
	seal(b);
	ck_assert_int_ne(memcmp(a, b, sizeof(a)), 0);
	ck_assert_ptr_null(memmem(a, sizeof(a), text.at, text.length));
}
END_TEST

START_TEST(every_changed_byte_breaks_the_seal)
{
	uint8_t sealed[17 + SEAL_OVERHEAD];
	char opened[17];

	seal(sealed);
	for (size_t i = 0; i < sizeof(sealed); i++) {
		sealed[i] ^= 1;
		ck_assert_int_eq(crypto_open(key, context,
					     (struct slice){ (char *)sealed, sizeof(sealed) },
					     opened),
				 SEAL_E_BROKEN);
		ck_assert_int_ne(memcmp(opened, text.at, 17), 0);
		sealed[i] ^= 1;
	}
}
END_TEST

START_TEST(another_key_or_context_or_a_shorter_seal_is_refused)
{
	static const uint8_t other[SEAL_KEY_SIZE] = "x";
	uint8_t sealed[17 + SEAL_OVERHEAD];
	struct slice whole = { (char *)sealed, sizeof(sealed) };
	char opened[17];

	seal(sealed);
	ck_assert_int_eq(crypto_open(other, context, whole, opened), SEAL_E_BROKEN);
	ck_assert_int_eq(crypto_open(key, (struct slice){ "there", 5 }, whole, opened),
			 SEAL_E_BROKEN);
	for (whole.length = 0; whole.length < sizeof(sealed); whole.length++)
		ck_assert_int_eq(crypto_open(key, context, whole, opened), SEAL_E_BROKEN);
}
END_TEST

/* SP 800-38D; test case 14 of the GCM specification's AES-256 vectors (McGrew, Viega): known
 * answer. */
START_TEST(a_known_answer_is_opened)
{
	static const uint8_t zero_key[SEAL_KEY_SIZE];
	static const uint8_t sealed[] = {
		0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0, /* nonce */
		0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e, 0x07, 0x4e, 0xc5, 0xd3,
		0xba, 0xf3, 0x9d, 0x18, /* ciphertext of 16 zero bytes */
		0xd0, 0xd1, 0xc8, 0xa7, 0x99, 0x99, 0x6b, 0xf0, 0x26, 0x5b, 0x98, 0xb5,
		0xd4, 0x8a, 0xb9, 0x19, /* tag */
	};
	static const char zeros[16];
	char opened[16] = "x";

	ck_assert_int_eq(crypto_open(zero_key, (struct slice){ "", 0 },
				     (struct slice){ (const char *)sealed, sizeof(sealed) },
				     opened),
			 0);
	ck_assert_int_eq(memcmp(opened, zeros, 16), 0);
}
END_TEST

SUITE("seal", what_was_sealed_is_opened, an_empty_text_is_sealed_and_opened,
      the_same_text_is_sealed_differently_each_time, every_changed_byte_breaks_the_seal,
      another_key_or_context_or_a_shorter_seal_is_refused, a_known_answer_is_opened)
