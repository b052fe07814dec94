/* daemon/crypto/crypto.c against published vectors: FIPS 180-4, RFC 4231, RFC 5869. */

#include "tests/unit/suite.h"

#include "daemon/base/codec.h"
#include "daemon/crypto/crypto.h"
#include "daemon/crypto/hash.h"

static const char *hex(const uint8_t *bytes, size_t length)
{
	static char text[600];

	codec_hex_encode(text, bytes, length);
	return text;
}

static struct slice repeated(char *ret_bytes, int c, size_t length)
{
	memset(ret_bytes, c, length);
	return (struct slice){ ret_bytes, length };
}

START_TEST(sha256_agrees_with_fips_180_4)
{
	static const char *const vectors[][2] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	uint8_t hash[CRYPTO_SHA256_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		ck_assert_int_eq(crypto_sha256(slice_of(vectors[i][0]), hash), 0);
		ck_assert_str_eq(hex(hash, sizeof(hash)), vectors[i][1]);
	}
}
END_TEST

START_TEST(pieces_hash_like_the_whole)
{
	char bytes[1000];
	uint8_t hash[CRYPTO_SHA256_SIZE], whole[CRYPTO_SHA256_SIZE];
	struct slice text = repeated(bytes, 'a', sizeof(bytes));

	ck_assert_int_eq(crypto_sha256(text, whole), 0);
	for (size_t n = 1; n <= sizeof(bytes); n += 37) {
		struct crypto_hash *pieces = NULL;

		ck_assert_int_eq(crypto_hash_new(&pieces), 0);
		for (size_t at = 0; at < sizeof(bytes); at += n) {
			size_t left = sizeof(bytes) - at;

			ck_assert_int_eq(
				crypto_hash_feed(pieces,
						 (struct slice){ bytes + at, left < n ? left : n }),
				0);
		}
		ck_assert_int_eq(crypto_hash_finish(pieces, hash), 0);
		ck_assert_str_eq(hex(hash, sizeof(hash)), hex(whole, sizeof(whole)));
		crypto_hash_free(pieces);
	}
	ck_assert_ptr_null(crypto_hash_free(NULL));
}
END_TEST

START_TEST(parts_hash_like_the_whole)
{
	const struct slice parts[] = { SLICE("a"), SLICE(""), SLICE("bc") };
	uint8_t hash[CRYPTO_SHA256_SIZE], whole[CRYPTO_SHA256_SIZE];

	ck_assert_int_eq(crypto_sha256_parts(parts, ARRAY_SIZE(parts), hash), 0);
	ck_assert_int_eq(crypto_sha256(SLICE("abc"), whole), 0);
	ck_assert_mem_eq(hash, whole, sizeof(hash));
	ck_assert_int_eq(crypto_sha256_parts(NULL, 0, hash), 0);
	ck_assert_int_eq(crypto_sha256(SLICE(""), whole), 0);
	ck_assert_mem_eq(hash, whole, sizeof(hash));
}
END_TEST

START_TEST(hmac_agrees_with_rfc_4231)
{
	const struct slice parts[] = { SLICE("what do ya want "), SLICE("for nothing?") };
	char bytes[200];
	struct slice message = SLICE("Test Using Larger Than Block-Size Key - Hash Key First");
	uint8_t mac[CRYPTO_SHA256_SIZE];

	ck_assert_int_eq(crypto_hmac_sha256(SLICE("Jefe"), parts, 2, mac), 0);
	ck_assert_str_eq(hex(mac, sizeof(mac)),
			 "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	ck_assert_int_eq(crypto_hmac_sha256(repeated(bytes, 0xaa, 131), &message, 1, mac), 0);
	ck_assert_str_eq(hex(mac, sizeof(mac)),
			 "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	message = SLICE("Hi There");
	ck_assert_int_eq(crypto_hmac_sha256(repeated(bytes, 0x0b, 20), &message, 1, mac), 0);
	ck_assert_str_eq(hex(mac, sizeof(mac)),
			 "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}
END_TEST

START_TEST(an_empty_key_is_refused)
{
	uint8_t bytes[CRYPTO_SHA256_SIZE];

	ck_assert_int_eq(crypto_hmac_sha256(SLICE(""), NULL, 0, bytes), -EINVAL);
	ck_assert_int_eq(crypto_hkdf_sha256(SLICE(""), SLICE(""), SLICE("x"), bytes, 32), -EINVAL);
}
END_TEST

START_TEST(hkdf_agrees_with_rfc_5869)
{
	char bytes[22], salt[13], info[10];
	uint8_t okm[82];

	for (size_t i = 0; i < sizeof(salt); i++)
		salt[i] = (char)i;
	for (size_t i = 0; i < sizeof(info); i++)
		info[i] = (char)(0xf0 + i);
	repeated(bytes, 0x0b, sizeof(bytes));
	ck_assert_int_eq(crypto_hkdf_sha256((struct slice){ bytes, 22 }, (struct slice){ salt, 13 },
					    (struct slice){ info, 10 }, okm, 42),
			 0);
	ck_assert_str_eq(hex(okm, 42),
			 "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c"
			 "5bf34007208d5b887185865");
	/* test case 3: no salt, no info */
	ck_assert_int_eq(
		crypto_hkdf_sha256((struct slice){ bytes, 22 }, SLICE(""), SLICE(""), okm, 42), 0);
	ck_assert_str_eq(hex(okm, 42),
			 "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738"
			 "d2d9d201395faa4b61a96c8");
}
END_TEST

START_TEST(hkdf_lengths_are_bounded)
{
	static uint8_t okm[CRYPTO_HKDF_MAX + 1];

	ck_assert_int_eq(crypto_hkdf_sha256(SLICE("k"), SLICE(""), SLICE(""), okm, 0), -EINVAL);
	ck_assert_int_eq(crypto_hkdf_sha256(SLICE("k"), SLICE(""), SLICE(""), okm, CRYPTO_HKDF_MAX),
			 0);
	ck_assert_int_eq(
		crypto_hkdf_sha256(SLICE("k"), SLICE(""), SLICE(""), okm, CRYPTO_HKDF_MAX + 1),
		-EINVAL);
}
END_TEST

START_TEST(random_bytes_differ)
{
	uint8_t one[32] = { 0 }, other[32] = { 0 };

	ck_assert_int_eq(crypto_random(one, sizeof(one)), 0);
	ck_assert_int_eq(crypto_random(other, sizeof(other)), 0);
	ck_assert_mem_ne(one, other, sizeof(one));
	ck_assert_int_eq(crypto_random(one, 0), 0);
	ck_assert_int_eq(crypto_random(one, SIZE_MAX), -EINVAL);
}
END_TEST

START_TEST(equality_sees_every_bit)
{
	uint8_t one[32] = { 0 }, other[32] = { 0 };

	ck_assert(crypto_equals(one, other, sizeof(one)));
	for (size_t bit = 0; bit < 256; bit++) {
		other[bit / 8] = (uint8_t)(1 << bit % 8);
		ck_assert(!crypto_equals(one, other, sizeof(one)));
		other[bit / 8] = 0;
	}
	ck_assert(crypto_equals(one, other, 0));
}
END_TEST

START_TEST(wiped_bytes_are_zero)
{
	uint8_t bytes[16], zero[16] = { 0 };

	memset(bytes, 0xa5, sizeof(bytes));
	crypto_wipe(bytes, sizeof(bytes));
	ck_assert_mem_eq(bytes, zero, sizeof(bytes));
	crypto_wipe(NULL, 0);
}
END_TEST

SUITE("crypto/crypto", sha256_agrees_with_fips_180_4, pieces_hash_like_the_whole,
      parts_hash_like_the_whole, hmac_agrees_with_rfc_4231, an_empty_key_is_refused,
      hkdf_agrees_with_rfc_5869, hkdf_lengths_are_bounded, random_bytes_differ,
      equality_sees_every_bit, wiped_bytes_are_zero)
