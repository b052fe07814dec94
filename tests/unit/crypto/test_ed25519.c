/* RFC 8032's vectors; every changed bit of message, key and signature is found. */

#include "tests/unit/suite.h"

#include "daemon/base/codec.h"
#include "daemon/crypto/ed25519.h"

struct vector {
	const char *secret, *key, *message, *signature;
};

/* RFC 8032 section 7.1: TEST 1, TEST 2, TEST 3. */
static const struct vector vectors[] = {
	{ "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
	  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
	  "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
	{ "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
	  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
	  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	  "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
	{ "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
	  "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
	  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
	  "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" },
};

static size_t unhex(const char *text, uint8_t *bytes, size_t size)
{
	size_t length;

	ck_assert_int_eq(codec_hex_decode(slice_of(text), bytes, size, &length), 0);
	return length;
}

START_TEST(the_vectors_of_the_rfc_hold)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		uint8_t secret[32], key[32], message[8], signature[64], made[64], public[32];
		struct slice text = { (char *)message, 0 };

		unhex(vectors[i].secret, secret, sizeof(secret));
		unhex(vectors[i].key, key, sizeof(key));
		unhex(vectors[i].signature, signature, sizeof(signature));
		text.length = unhex(vectors[i].message, message, sizeof(message));
		ck_assert_int_eq(ed25519_get_public(secret, public), 0);
		ck_assert_mem_eq(public, key, sizeof(key));
		ck_assert_int_eq(ed25519_sign(secret, text, made), 0);
		ck_assert_mem_eq(made, signature, sizeof(made));
		ck_assert_int_eq(ed25519_verify(key, text, signature), 0);
	}
}
END_TEST

START_TEST(every_changed_bit_is_found)
{
	uint8_t secret[32], key[32], signature[64];
	char message[] = "a note of the log";
	struct slice text = { message, sizeof(message) - 1 };

	ck_assert_int_eq(ed25519_generate(secret), 0);
	ck_assert_int_eq(ed25519_get_public(secret, key), 0);
	ck_assert_int_eq(ed25519_sign(secret, text, signature), 0);
	for (size_t i = 0; i < sizeof(signature) * 8; i++) {
		signature[i / 8] ^= (uint8_t)(1 << i % 8);
		ck_assert_int_ne(ed25519_verify(key, text, signature), 0);
		signature[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t i = 0; i < sizeof(key) * 8; i++) {
		key[i / 8] ^= (uint8_t)(1 << i % 8);
		ck_assert_int_ne(ed25519_verify(key, text, signature), 0);
		key[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t i = 0; i < text.length * 8; i++) {
		message[i / 8] ^= (char)(1 << i % 8);
		ck_assert_int_eq(ed25519_verify(key, text, signature), ED25519_E_SIGNATURE);
		message[i / 8] ^= (char)(1 << i % 8);
	}
	ck_assert_int_eq(ed25519_verify(key, text, signature), 0);
}
END_TEST

SUITE("ed25519", the_vectors_of_the_rfc_hold, every_changed_bit_is_found)
