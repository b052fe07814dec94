/*
 * The shares as people keep them: Crockford's base32 in groups of five, behind the word "share",
 * its number and a dash. Inside: version 1 | set 4 | place 1 | value 32 | checksum 4. The set says
 * which shares belong together and is random; the checksum finds slips of the pen, and is no
 * secret.
 */

#include "daemon/keys/escrow.h"
#include "daemon/base/codec.h"
#include "daemon/crypto/shamir.h"

#include <stdio.h>
#include <string.h>

enum {
	VERSION = 1,
	SET_SIZE = 4,
	CHECKSUM_SIZE = 4,
	PLACE_AT = 1 + SET_SIZE,
	VALUE_AT = PLACE_AT + 1,
	CHECKSUM_AT = VALUE_AT + VAULT_MASTER_SIZE,
	SHARE_SIZE = CHECKSUM_AT + CHECKSUM_SIZE,
	DIGITS = (SHARE_SIZE * 8 + 4) / 5,
	GROUP = 5,
};

_Static_assert(DIGITS + DIGITS / GROUP + 8 < ESCROW_TEXT_SIZE, "a share's text fits");

static int checksum(const uint8_t bytes[SHARE_SIZE], uint8_t ret_checksum[CHECKSUM_SIZE])
{
	static const char label[] = "conductd share 1";
	const struct slice parts[] = { { label, sizeof(label) - 1 },
				       { (const char *)bytes, CHECKSUM_AT } };
	uint8_t hash[CRYPTO_SHA256_SIZE];
	int r = crypto_sha256_parts(parts, ARRAY_SIZE(parts), hash);

	memcpy(ret_checksum, hash, CHECKSUM_SIZE);
	return r;
}

static int share_write(const uint8_t set[SET_SIZE], const struct shamir_share *share,
		       char *ret_text)
{
	uint8_t bytes[SHARE_SIZE] = { VERSION };
	char digits[DIGITS + 3];
	char *at = ret_text;
	int r;

	memcpy(bytes + 1, set, SET_SIZE);
	bytes[PLACE_AT] = share->x;
	memcpy(bytes + VALUE_AT, share->bytes, VAULT_MASTER_SIZE);
	r = checksum(bytes, bytes + CHECKSUM_AT);
	codec_base32_encode(digits, bytes, sizeof(bytes));
	at += snprintf(at, ESCROW_TEXT_SIZE, "share%u", share->x);
	for (size_t i = 0; i < DIGITS; i++) {
		if (i % GROUP == 0)
			*at++ = '-';
		*at++ = digits[i];
	}
	*at = '\0';
	crypto_wipe(bytes, sizeof(bytes));
	crypto_wipe(digits, sizeof(digits));
	return r;
}

/* The texts are secret. Returns 0 or negative. */
int escrow_split(const uint8_t master[VAULT_MASTER_SIZE],
		 char ret_texts[ESCROW_SHARES][ESCROW_TEXT_SIZE])
{
	struct shamir_share shares[ESCROW_SHARES];
	uint8_t set[SET_SIZE];
	int r = crypto_random(set, sizeof(set));

	if (r == 0)
		r = shamir_split((struct slice){ (const char *)master, VAULT_MASTER_SIZE },
				 ESCROW_THRESHOLD, ESCROW_SHARES, shares);
	for (size_t i = 0; r == 0 && i < ESCROW_SHARES; i++)
		r = share_write(set, &shares[i], ret_texts[i]);
	crypto_wipe(shares, sizeof(shares));
	return r;
}

/* Everything before the first dash is for people. */
static int share_read(struct slice text, uint8_t ret_bytes[SHARE_SIZE])
{
	uint8_t sum[CHECKSUM_SIZE];
	const char *dash;
	size_t length;
	int r;

	while (text.length && (unsigned char)text.at[text.length - 1] <= ' ')
		text.length--;
	dash = text.length ? memchr(text.at, '-', text.length) : NULL;
	if (!dash || text.length >= ESCROW_TEXT_SIZE)
		return ESCROW_E_MALFORMED;
	text.length -= (size_t)(dash - text.at);
	text.at = dash;
	if (codec_base32_decode(text, ret_bytes, SHARE_SIZE, &length) || length != SHARE_SIZE ||
	    ret_bytes[0] != VERSION)
		return ESCROW_E_MALFORMED;
	r = checksum(ret_bytes, sum);
	if (r)
		return r;
	return crypto_equals(sum, ret_bytes + CHECKSUM_AT, CHECKSUM_SIZE) ? 0 : ESCROW_E_MALFORMED;
}

/* Returns 0, ESCROW_E_…, or negative. Whether the master key opens a file shows when it does. */
int escrow_join(const struct slice *texts, size_t n_texts, uint8_t ret_master[VAULT_MASTER_SIZE],
		size_t *ret_bad)
{
	struct shamir_share shares[ESCROW_SHARES];
	uint8_t bytes[SHARE_SIZE], set[SET_SIZE] = { 0 };
	int r = 0;

	*ret_bad = n_texts;
	if (n_texts < ESCROW_THRESHOLD || n_texts > ESCROW_SHARES)
		return ESCROW_E_SET;
	for (size_t i = 0; r == 0 && i < n_texts; i++) {
		r = share_read(texts[i], bytes);
		if (r == 0 && i > 0 && memcmp(set, bytes + 1, SET_SIZE) != 0)
			r = ESCROW_E_SET;
		if (r) {
			*ret_bad = i;
			break;
		}
		memcpy(set, bytes + 1, SET_SIZE);
		shares[i].x = bytes[PLACE_AT];
		memcpy(shares[i].bytes, bytes + VALUE_AT, VAULT_MASTER_SIZE);
	}
	if (r == 0 && shamir_join(shares, (unsigned)n_texts, ret_master, VAULT_MASTER_SIZE))
		r = ESCROW_E_SET;
	crypto_wipe(shares, sizeof(shares));
	crypto_wipe(bytes, sizeof(bytes));
	return r;
}
