/*
 * Bytes as text and back. The decoders are strict because two spellings of one value defeat
 * comparisons: wrong characters, wrong padding and non-zero trailing bits are refused (RFC 4648
 * section 3.5). They are not constant-time and not meant for key material.
 */

#include "daemon/base/codec.h"

#include <string.h>

static const char hex_digits[] = "0123456789abcdef";
static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char base32_digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; /* Crockford's */

/* Encodes big-endian groups of `bits` bits, the last one filled up with zero bits. */
static size_t encode_bits(char *ret_text, const uint8_t *bytes, size_t length, unsigned bits,
			  const char *digits)
{
	uint32_t held = 0;
	unsigned n_held = 0;
	size_t n = 0;

	for (size_t i = 0; i < length; i++) {
		held = held << 8 | bytes[i];
		n_held += 8;
		while (n_held >= bits) {
			n_held -= bits;
			ret_text[n++] = digits[held >> n_held & ((1u << bits) - 1)];
		}
	}
	if (n_held)
		ret_text[n++] = digits[held << (bits - n_held) & ((1u << bits) - 1)];
	ret_text[n] = '\0';
	return n;
}

/* Lower-case hexadecimal. */
size_t codec_hex_encode(char *ret_text, const void *bytes, size_t length)
{
	return encode_bits(ret_text, bytes, length, 4, hex_digits);
}

/* RFC 4648 section 4, padded. */
size_t codec_base64_encode(char *ret_text, const void *bytes, size_t length)
{
	size_t n = encode_bits(ret_text, bytes, length, 6, base64_digits);

	while (n % 4)
		ret_text[n++] = '=';
	ret_text[n] = '\0';
	return n;
}

/* RFC 4648 section 5 without padding. */
size_t codec_base64url_encode(char *ret_text, const void *bytes, size_t length)
{
	return encode_bits(ret_text, bytes, length, 6, base64url_digits);
}

/* Crockford's base 32, upper case, without check symbol. */
size_t codec_base32_encode(char *ret_text, const void *bytes, size_t length)
{
	return encode_bits(ret_text, bytes, length, 5, base32_digits);
}

static int digit_of_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int digit_of_base64(char c)
{
	const char *at = c ? strchr(base64_digits, c) : NULL;

	return at ? (int)(at - base64_digits) : -1;
}

static int digit_of_base64url(char c)
{
	const char *at = c ? strchr(base64url_digits, c) : NULL;

	return at ? (int)(at - base64url_digits) : -1;
}

static int digit_of_base32(char c)
{
	const char *at;

	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c == 'I' || c == 'L')
		c = '1';
	else if (c == 'O')
		c = '0';
	at = c ? strchr(base32_digits, c) : NULL;
	return at ? (int)(at - base32_digits) : -1;
}

/* The reverse of encode_bits(); a group that no encoder would have written is refused. */
static int decode_bits(struct slice text, char skipped, unsigned bits, int (*digit_of)(char c),
		       uint8_t *ret_bytes, size_t size, size_t *ret_length)
{
	uint32_t held = 0;
	unsigned n_held = 0;
	size_t n = 0;

	for (size_t i = 0; i < text.length; i++) {
		int digit;

		if (skipped && text.at[i] == skipped)
			continue;
		digit = digit_of(text.at[i]);
		if (digit < 0)
			return CODEC_E_MALFORMED;
		held = (held << bits | (unsigned)digit) & 0xffff;
		n_held += bits;
		if (n_held >= 8) {
			if (n == size)
				return CODEC_E_MALFORMED;
			n_held -= 8;
			ret_bytes[n++] = (uint8_t)(held >> n_held);
		}
	}
	if (n_held >= bits || held & ((1u << n_held) - 1))
		return CODEC_E_MALFORMED;
	*ret_length = n;
	return 0;
}

/* Both cases are read: fingerprints are pasted either way. An odd number of digits is refused. */
int codec_hex_decode(struct slice text, void *ret_bytes, size_t size, size_t *ret_length)
{
	return decode_bits(text, '\0', 4, digit_of_hex, ret_bytes, size, ret_length);
}

/* Whole groups of four, white space is refused. */
int codec_base64_decode(struct slice text, void *ret_bytes, size_t size, size_t *ret_length)
{
	if (text.length % 4)
		return CODEC_E_MALFORMED;
	for (int n = 0; n < 2 && text.length && text.at[text.length - 1] == '='; n++)
		text.length--;
	return decode_bits(text, '\0', 6, digit_of_base64, ret_bytes, size, ret_length);
}

/* Padding, white space and the '+' and '/' of plain base 64 are refused. */
int codec_base64url_decode(struct slice text, void *ret_bytes, size_t size, size_t *ret_length)
{
	return decode_bits(text, '\0', 6, digit_of_base64url, ret_bytes, size, ret_length);
}

/* People type these from paper: case, '-', I, L and O are forgiven as Crockford says. */
int codec_base32_decode(struct slice text, void *ret_bytes, size_t size, size_t *ret_length)
{
	return decode_bits(text, '-', 5, digit_of_base32, ret_bytes, size, ret_length);
}
