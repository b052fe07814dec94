/*
 * Receipts: what is read, written anew, is the same receipt in the one true spelling, and that
 * spelling differs from the input only as people are forgiven; every secret survives the way to
 * paper and back.
 */

#include "tests/fuzz/fuzz.h"

#include "api/auth/receipt.h"

#include <ctype.h>
#include <string.h>

/* The digits alone, as Crockford's alphabet has them. */
static size_t fold(struct slice text, char *ret_digits)
{
	size_t n = 0;

	for (size_t i = 0; i < text.length; i++) {
		char c = (char)toupper((unsigned char)text.at[i]);

		if (c == '-')
			continue;
		ret_digits[n++] = c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c;
	}
	return n;
}

static void check_written(const struct receipt *receipt, struct slice text)
{
	uint8_t hash[RECEIPT_HASH_SIZE], hash_again[RECEIPT_HASH_SIZE];
	char written[RECEIPT_TEXT_SIZE], digits[64], written_digits[64];
	struct receipt again;
	size_t n;
	int r = receipt_write(receipt, written);

	NOT_NEGATIVE(r, out);
	n = fold((struct slice){ written, strlen(written) }, written_digits);
	if (text.at)
		PROPERTY(fold(text, digits) == n && memcmp(digits, written_digits, n) == 0);
	r = receipt_read((struct slice){ written, strlen(written) }, &again);
	NOT_NEGATIVE(r, out);
	PROPERTY(r == 0 && memcmp(&again, receipt, sizeof(again)) == 0);
	r = receipt_hash(receipt, hash);
	NOT_NEGATIVE(r, out);
	r = receipt_hash(&again, hash_again);
	NOT_NEGATIVE(r, out);
	PROPERTY(memcmp(hash, hash_again, sizeof(hash)) == 0);
	/* The database holds nothing that the secret could be read from. */
	PROPERTY(memcmp(hash, receipt->secret, RECEIPT_SECRET_SIZE) != 0);
out:
	return;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct slice text = { size ? (const char *)bytes : "", size };
	struct receipt receipt;
	int r;

	if (size == RECEIPT_SECRET_SIZE) {
		memcpy(receipt.secret, bytes, size);
		check_written(&receipt, (struct slice){ 0 });
	}
	r = receipt_read(text, &receipt);
	NOT_NEGATIVE(r, out);
	PROPERTY(r == 0 || r == RECEIPT_E_MALFORMED);
	if (r == 0) {
		PROPERTY(size <= 64);
		check_written(&receipt, text);
	}
out:
	return 0;
}

/* Half of the inputs become receipts whose checksum holds, spelt in some way or other. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t size_max, unsigned seed)
{
	struct receipt receipt = { { 0 } };
	char text[RECEIPT_TEXT_SIZE];
	size_t length;

	size = LLVMFuzzerMutate(bytes, size, size_max);
	if (seed % 2 || size_max < sizeof(text))
		return size;
	memcpy(receipt.secret, bytes,
	       size < sizeof(receipt.secret) ? size : sizeof(receipt.secret));
	if (receipt_write(&receipt, text))
		return size;
	length = strlen(text);
	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)(seed >> (i % 16) & 4 ? tolower((unsigned char)text[i])
							  : text[i]);
	return seed % 16 == 6 ? LLVMFuzzerMutate(bytes, length, size_max) : length;
}
