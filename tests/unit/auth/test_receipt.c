/* Receipts: written, read with tolerance, refused when a character is wrong, hashed as documented.
 */

#include "api/auth/receipt.h"
#include "daemon/base/codec.h"
#include "daemon/crypto/crypto.h"

#include "tests/unit/suite.h"
#include <ctype.h>
#include <string.h>

START_TEST(a_receipt_reads_back)
{
	char text[RECEIPT_TEXT_SIZE];

	for (int i = 0; i < 200; i++) {
		struct receipt receipt, again;

		ck_assert_int_eq(receipt_new(&receipt), 0);
		ck_assert_int_eq(receipt_write(&receipt, text), 0);
		ck_assert_uint_eq(strlen(text), RECEIPT_TEXT_SIZE - 2);
		ck_assert_int_eq(text[5], '-');
		ck_assert_int_eq(text[29], '-');
		ck_assert_int_eq(receipt_read(slice_of(text), &again), 0);
		ck_assert_mem_eq(receipt.secret, again.secret, RECEIPT_SECRET_SIZE);
	}
}
END_TEST

START_TEST(case_hyphens_and_confusables_are_tolerated)
{
	struct receipt receipt = { { 1, 0, 8, 66, 16, 132, 33 } }, again;
	char text[RECEIPT_TEXT_SIZE], loose[2 * RECEIPT_TEXT_SIZE];
	size_t n = 0;

	ck_assert_int_eq(receipt_write(&receipt, text), 0);
	for (size_t i = 0; text[i]; i++) {
		if (text[i] == '-')
			continue;
		loose[n++] = text[i] == '0' ? 'o' : text[i] == '1' ? 'l' : (char)tolower(text[i]);
	}
	ck_assert_int_eq(receipt_read((struct slice){ loose, n }, &again), 0);
	ck_assert_mem_eq(receipt.secret, again.secret, RECEIPT_SECRET_SIZE);
}
END_TEST

START_TEST(a_word_is_no_receipt)
{
	struct receipt receipt = { { 1, 0, 8, 66, 16, 132, 33 } }, other = { { 2 } };
	uint8_t hash[RECEIPT_HASH_SIZE], word[RECEIPT_HASH_SIZE], again[RECEIPT_HASH_SIZE];

	ck_assert_int_eq(receipt_hash(&receipt, hash), 0);
	ck_assert_int_eq(receipt_hash_word(&receipt, word), 0);
	ck_assert_mem_ne(hash, word, sizeof(hash));
	ck_assert_int_eq(receipt_hash_word(&receipt, again), 0);
	ck_assert_mem_eq(word, again, sizeof(word));
	ck_assert_int_eq(receipt_hash_word(&other, again), 0);
	ck_assert_mem_ne(word, again, sizeof(word));
}
END_TEST

START_TEST(near_misses_are_malformed)
{
	struct receipt receipt, again;
	char text[RECEIPT_TEXT_SIZE];

	/* Two bytes of checksum let one miss in 65,536 through: a fixed receipt makes the count
	 * sure. */
	memset(&receipt, 7, sizeof(receipt));
	ck_assert_int_eq(receipt_write(&receipt, text), 0);
	for (size_t i = 0; text[i]; i++) {
		char was = text[i];

		if (was == '-')
			continue;
		text[i] = was == 'Z' ? 'Y' : 'Z';
		ck_assert_int_eq(receipt_read(slice_of(text), &again), RECEIPT_E_MALFORMED);
		text[i] = was;
	}
	text[strlen(text) - 1] = '\0';
	ck_assert_int_eq(receipt_read(slice_of(text), &again), RECEIPT_E_MALFORMED);
}
END_TEST

/* The linker sends the comparison here (--wrap); crypto.c's own is in constant time. */
static unsigned n_compared;
static size_t compared_length;

bool __real_crypto_equals(const void *a, const void *b, size_t length);
bool __wrap_crypto_equals(const void *a, const void *b, size_t length);

bool __wrap_crypto_equals(const void *a, const void *b, size_t length)
{
	n_compared++;
	compared_length = length;
	return __real_crypto_equals(a, b, length);
}

/* An early end of the comparison would tell how much of a guess is right. */
START_TEST(the_checksum_is_compared_in_constant_time)
{
	struct receipt receipt = { { 9, 8, 7 } }, again;
	char text[RECEIPT_TEXT_SIZE];

	ck_assert_int_eq(receipt_write(&receipt, text), 0);
	for (size_t i = 0; text[i]; i++) {
		if (text[i] == '-')
			continue;
		for (const char *digit = "0123456789ABCDEFGHJKMNPQRSTVWXY"; *digit; digit++) {
			char was = text[i];

			/* The last digit holds fewer bits than the others: others of it are none.
			 */
			if (i == strlen(text) - 1)
				break;
			text[i] = *digit;
			n_compared = 0;
			ck_assert_int_eq(receipt_read(slice_of(text), &again),
					 *digit == was ? 0 : RECEIPT_E_MALFORMED);
			ck_assert_uint_eq(n_compared, 1);
			ck_assert_uint_eq(compared_length, 2);
			text[i] = was;
		}
	}
}
END_TEST

/* 100,000 guesses, a million in full effort, beside 64 receipts that were given out: whole
 * receipts, and digits by chance, of which the checksum lets one in 65,536 through. */
START_TEST(guesses_find_nothing)
{
	enum { N_REAL = 64 };
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint8_t real[N_REAL][RECEIPT_HASH_SIZE], hash[RECEIPT_HASH_SIZE], random[32];
	const char *effort = getenv("EFFORT");
	unsigned n = effort && strcmp(effort, "full") == 0 ? 1000000 : 100000, n_taken = 0,
		 n_lost = 0;
	struct receipt receipt, again;
	char text[RECEIPT_TEXT_SIZE];
	bool is_found = false;

	for (unsigned i = 0; i < N_REAL; i++) {
		ck_assert_int_eq(receipt_new(&receipt), 0);
		ck_assert_int_eq(receipt_hash(&receipt, real[i]), 0);
	}
	for (unsigned i = 0; i < n; i++) {
		bool is_whole = i & 1;

		if (receipt_new(&receipt) || receipt_write(&receipt, text) ||
		    crypto_random(random, sizeof(random)))
			ck_abort();
		if (!is_whole) {
			/* The last digit stays: half of its values are no end of 18 bytes. */
			for (size_t k = 0; k < RECEIPT_TEXT_SIZE - 2; k++)
				if (text[k] != '-' && text[k + 1])
					text[k] = digits[random[k % sizeof(random)] & 31];
		}
		if (receipt_read(slice_of(text), &again)) {
			n_lost += is_whole;
			continue;
		}
		n_taken += !is_whole;
		if (receipt_hash(&again, hash))
			ck_abort();
		for (unsigned k = 0; k < N_REAL; k++)
			is_found |= memcmp(hash, real[k], sizeof(hash)) == 0;
	}
	ck_assert(!is_found);
	ck_assert_uint_eq(n_lost, 0);
	/* About n / 131,072: this is far beyond chance. */
	ck_assert_uint_le(n_taken, 20 + n / 2 / 6553);
}
END_TEST

START_TEST(what_is_no_receipt_is_malformed)
{
	static const char *const texts[] = {
		"",
		"-",
		"ABCDE",
		"ABCDE-ABCDE-ABCDE-ABCDE-ABCDE-ABCDU",
		"ABCDE-ABCDE-ABCDE-ABCDE-ABCDE-ABCDE-ABCDE-ABCDE-ABCDE",
		"' or 1=1 --"
	};
	struct receipt receipt;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		ck_assert_int_eq(receipt_read(slice_of(texts[i]), &receipt), RECEIPT_E_MALFORMED);
	ck_assert_int_eq(receipt_read((struct slice){ "ABCDE\0ABCDE", 11 }, &receipt),
			 RECEIPT_E_MALFORMED);
}
END_TEST

/* Computed with Python's hmac and hashlib: RFC 5869 by hand, then SHA-256. */
START_TEST(the_hash_is_that_of_the_derived_value)
{
	struct receipt receipt = { { 0 } };
	uint8_t hash[RECEIPT_HASH_SIZE];
	char text[2 * RECEIPT_HASH_SIZE + 1];

	ck_assert_int_eq(receipt_hash(&receipt, hash), 0);
	codec_hex_encode(text, hash, sizeof(hash));
	ck_assert_str_eq(text, "669938620c400e89ae9740ba61da3ce851e385046a4b755569ade990481a2268");
}
END_TEST

SUITE("auth/receipt", a_receipt_reads_back, case_hyphens_and_confusables_are_tolerated,
      near_misses_are_malformed, the_checksum_is_compared_in_constant_time, guesses_find_nothing,
      what_is_no_receipt_is_malformed, the_hash_is_that_of_the_derived_value, a_word_is_no_receipt)
