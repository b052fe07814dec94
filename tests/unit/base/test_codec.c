/* daemon/base/codec.c against RFC 4648's vectors, and one spelling for each value. */

#include "tests/unit/suite.h"

#include "daemon/base/codec.h"

typedef int decoder(struct slice text, void *ret_bytes, size_t size, size_t *ret_length);

static void refuse(decoder *decode, struct slice text)
{
	uint8_t bytes[64];
	size_t length = 77;

	ck_assert_msg(decode(text, bytes, sizeof(bytes), &length) == CODEC_E_MALFORMED, "\"%.*s\"",
		      (int)text.length, text.at);
	ck_assert_uint_eq(length, 77);
}

START_TEST(every_length_comes_back)
{
	uint8_t bytes[40], back[40];
	char text[100];
	size_t length;

	for (size_t n = 0; n <= sizeof(bytes); n++) {
		for (size_t i = 0; i < n; i++)
			bytes[i] = (uint8_t)(251 * i + n);
		length = codec_hex_encode(text, bytes, n);
		ck_assert_uint_eq(length, 2 * n);
		ck_assert_uint_eq(strlen(text), length);
		ck_assert_int_eq(codec_hex_decode(slice_of(text), back, n, &length), 0);
		ck_assert_uint_eq(length, n);
		ck_assert_int_eq(memcmp(bytes, back, n), 0);
		length = codec_base64url_encode(text, bytes, n);
		ck_assert_uint_eq(length, (4 * n + 2) / 3);
		ck_assert_int_eq(codec_base64url_decode(slice_of(text), back, n, &length), 0);
		ck_assert_uint_eq(length, n);
		ck_assert_int_eq(memcmp(bytes, back, n), 0);
		length = codec_base32_encode(text, bytes, n);
		ck_assert_uint_eq(length, (8 * n + 4) / 5);
		ck_assert_int_eq(codec_base32_decode(slice_of(text), back, n, &length), 0);
		ck_assert_uint_eq(length, n);
		ck_assert_int_eq(memcmp(bytes, back, n), 0);
	}
}
END_TEST

START_TEST(base64url_agrees_with_rfc_4648)
{
	static const char *const vectors[][2] = {
		{ "", "" },
		{ "f", "Zg" },
		{ "fo", "Zm8" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg" },
		{ "fooba", "Zm9vYmE" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xfb\xff", "-_8" },
	};
	char text[32];

	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		codec_base64url_encode(text, vectors[i][0], strlen(vectors[i][0]));
		ck_assert_str_eq(text, vectors[i][1]);
	}
}
END_TEST

START_TEST(base64url_has_one_spelling)
{
	static const char *const bad[] = { "Z",   "Zh",  "Zm9", "Zg==",  "Zg=", "Zm9v\n", " Zg",
					   "Z g", "+_8", "-/8", "Zm9vY", "Zé",  "-_9",    "A" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refuse(codec_base64url_decode, slice_of(bad[i]));
	refuse(codec_base64url_decode, SLICE("Zg\0A"));
	refuse(codec_base64url_decode, SLICE("\0\0"));
}
END_TEST

START_TEST(base64_is_padded_and_has_one_spelling)
{
	static const char *const vectors[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xfb\xff", "+/8=" },
	};
	static const char *const bad[] = { "Zg",   "Zg=",  "Zh==", "Z===", "====", "Zm9v====",
					   "=Zg=", "Zg=A", "-_8=", "Zm9 ", "Zm9=", "Zg==\n" };
	char text[32], bytes[16];
	size_t length;

	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		codec_base64_encode(text, vectors[i][0], strlen(vectors[i][0]));
		ck_assert_str_eq(text, vectors[i][1]);
		ck_assert_int_eq(codec_base64_decode(slice_of(text), bytes, sizeof(bytes), &length),
				 0);
		ck_assert_uint_eq(length, strlen(vectors[i][0]));
		ck_assert_mem_eq(bytes, vectors[i][0], length);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refuse(codec_base64_decode, slice_of(bad[i]));
}
END_TEST

START_TEST(hex_is_whole_bytes_of_either_case)
{
	uint8_t bytes[4];
	size_t length;

	ck_assert_int_eq(codec_hex_decode(SLICE("00fFAb"), bytes, sizeof(bytes), &length), 0);
	ck_assert_uint_eq(length, 3);
	ck_assert_mem_eq(bytes, "\x00\xff\xab", 3);
	refuse(codec_hex_decode, SLICE("0"));
	refuse(codec_hex_decode, SLICE("000"));
	refuse(codec_hex_decode, SLICE("0g"));
	refuse(codec_hex_decode, SLICE("0x00"));
	refuse(codec_hex_decode, SLICE("00 00"));
	refuse(codec_hex_decode, SLICE("\0\0"));
}
END_TEST

START_TEST(base32_forgives_what_people_misread)
{
	uint8_t bytes[4], other[4];
	size_t length;
	char text[16];

	ck_assert_int_eq(codec_base32_decode(SLICE("10-AZ-0"), bytes, 4, &length), 0);
	ck_assert_uint_eq(length, 3);
	ck_assert_int_eq(codec_base32_decode(SLICE("iOazo"), other, 4, &length), 0);
	ck_assert_mem_eq(bytes, other, 3);
	ck_assert_int_eq(codec_base32_decode(SLICE("l0-a-z-O"), other, 4, &length), 0);
	ck_assert_mem_eq(bytes, other, 3);
	codec_base32_encode(text, bytes, 3);
	ck_assert_str_eq(text, "10AZ0");
}
END_TEST

START_TEST(base32_refuses_other_letters_and_loose_bits)
{
	refuse(codec_base32_decode, SLICE("U0"));
	refuse(codec_base32_decode, SLICE("u0"));
	refuse(codec_base32_decode, SLICE("0 0"));
	refuse(codec_base32_decode, SLICE("0"));
	refuse(codec_base32_decode, SLICE("01"));
	refuse(codec_base32_decode, SLICE("000"));
	refuse(codec_base32_decode, SLICE("0_0"));
}
END_TEST

START_TEST(more_bytes_than_there_is_room_for_are_refused)
{
	uint8_t bytes[3] = { 0, 0, 0xee };
	size_t length;

	ck_assert_int_eq(codec_hex_decode(SLICE("010203"), bytes, 2, &length), CODEC_E_MALFORMED);
	ck_assert_int_eq(codec_base64url_decode(SLICE("Zm9v"), bytes, 2, &length),
			 CODEC_E_MALFORMED);
	ck_assert_int_eq(codec_base32_decode(SLICE("00000"), bytes, 2, &length), CODEC_E_MALFORMED);
	ck_assert_uint_eq(bytes[2], 0xee);
}
END_TEST

SUITE("base/codec", every_length_comes_back, base64url_agrees_with_rfc_4648,
      base64url_has_one_spelling, base64_is_padded_and_has_one_spelling,
      hex_is_whole_bytes_of_either_case, base32_forgives_what_people_misread,
      base32_refuses_other_letters_and_loose_bits, more_bytes_than_there_is_room_for_are_refused)
