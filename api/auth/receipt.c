/*
 * A receipt is 16 random bytes and a checksum of two, written in Crockford's base32 in groups of
 * five: five groups and one of four. The checksum finds a slip of the pen before the database is
 * asked; it is no secret. The database knows only a hash of a derived value.
 */

#include "api/auth/receipt.h"
#include "daemon/base/codec.h"
#include "daemon/crypto/crypto.h"

#include <string.h>

enum { CHECKSUM_SIZE = 2, DIGITS = 29, GROUP = 5, WRITTEN_MAX = 64 };

static int checksum(const struct receipt *receipt, uint8_t ret_checksum[CHECKSUM_SIZE])
{
	static const char label[] = "conductd receipt checksum v1";
	uint8_t hash[CRYPTO_SHA256_SIZE];
	const struct slice parts[] = {
		{ label, sizeof(label) - 1 },
		{ (const char *)receipt->secret, sizeof(receipt->secret) },
	};
	int r = crypto_sha256_parts(parts, ARRAY_SIZE(parts), hash);

	if (!r)
		memcpy(ret_checksum, hash, CHECKSUM_SIZE);
	return r;
}

/* A fresh receipt. */
int receipt_new(struct receipt *ret_receipt)
{
	return crypto_random(ret_receipt->secret, sizeof(ret_receipt->secret));
}

/* XXXXX-XXXXX-XXXXX-XXXXX-XXXXX-XXXX. 0 or negative. */
int receipt_write(const struct receipt *receipt, char ret_text[RECEIPT_TEXT_SIZE])
{
	uint8_t bytes[RECEIPT_SECRET_SIZE + CHECKSUM_SIZE];
	char digits[DIGITS + 3];
	size_t at = 0;
	int r;

	memcpy(bytes, receipt->secret, RECEIPT_SECRET_SIZE);
	r = checksum(receipt, bytes + RECEIPT_SECRET_SIZE);
	if (r)
		return r;
	codec_base32_encode(digits, bytes, sizeof(bytes));
	for (size_t i = 0; i < DIGITS; i++) {
		if (i && i % GROUP == 0)
			ret_text[at++] = '-';
		ret_text[at++] = digits[i];
	}
	ret_text[at] = '\0';
	crypto_wipe(bytes, sizeof(bytes));
	crypto_wipe(digits, sizeof(digits));
	return 0;
}

/* 0, RECEIPT_E_MALFORMED, or negative. */
int receipt_read(struct slice text, struct receipt *ret_receipt)
{
	CLEANUP(receipt_deinit) struct receipt receipt;
	uint8_t bytes[RECEIPT_SECRET_SIZE + CHECKSUM_SIZE], sum[CHECKSUM_SIZE];
	size_t length;
	int r;

	if (text.length > WRITTEN_MAX || codec_base32_decode(text, bytes, sizeof(bytes), &length) ||
	    length != sizeof(bytes))
		return RECEIPT_E_MALFORMED;
	memcpy(receipt.secret, bytes, RECEIPT_SECRET_SIZE);
	r = checksum(&receipt, sum);
	if (!r && !crypto_equals(sum, bytes + RECEIPT_SECRET_SIZE, CHECKSUM_SIZE))
		r = RECEIPT_E_MALFORMED;
	if (!r)
		*ret_receipt = receipt;
	crypto_wipe(bytes, sizeof(bytes));
	return r;
}

/* SHA-256 of HKDF-SHA-256 of the secret: a derived value, so that other keys can be derived from
 * the secret without the stored hash telling anything of them. */
static int hash_derived(const struct receipt *receipt, const char *info,
			uint8_t ret_hash[RECEIPT_HASH_SIZE])
{
	uint8_t derived[CRYPTO_SHA256_SIZE];
	int r;

	r = crypto_hkdf_sha256((struct slice){ (const char *)receipt->secret, RECEIPT_SECRET_SIZE },
			       (struct slice){ "", 0 }, (struct slice){ info, strlen(info) },
			       derived, sizeof(derived));
	if (!r)
		r = crypto_sha256((struct slice){ (const char *)derived, sizeof(derived) },
				  ret_hash);
	crypto_wipe(derived, sizeof(derived));
	return r;
}

/* 0 or negative. */
int receipt_hash(const struct receipt *receipt, uint8_t ret_hash[RECEIPT_HASH_SIZE])
{
	return hash_derived(receipt, "conductd receipt v1", ret_hash);
}

/* Under another label: who shows a word for a receipt, or a receipt for a word, shows neither. */
int receipt_hash_word(const struct receipt *word, uint8_t ret_hash[RECEIPT_HASH_SIZE])
{
	return hash_derived(word, "conductd one-time word v1", ret_hash);
}

/* Overwrites the secret. */
void receipt_deinit(struct receipt *receipt)
{
	crypto_wipe(receipt, sizeof(*receipt));
}
