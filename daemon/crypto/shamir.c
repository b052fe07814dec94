/*
 * Shamir's secret sharing (Communications of the ACM 22, 1979). Each byte of the secret is the
 * value at 0 of a random polynomial of degree threshold - 1, a share holds the values at its place
 * x, and joining interpolates at 0 (Lagrange). The field is that of AES (FIPS 197 section 4). No
 * table is looked up by a secret, so nothing of it shows in the cache.
 */

#include "daemon/crypto/shamir.h"
#include "daemon/crypto/crypto.h"

#include <string.h>

/* The product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1, in constant time. */
uint8_t shamir_multiply(uint8_t a, uint8_t b)
{
	unsigned product = 0, left = a;

	for (unsigned i = 0; i < 8; i++) {
		product ^= left & (0u - (b >> i & 1u));
		left = (left << 1 ^ (0x11bu & (0u - (left >> 7 & 1u)))) & 0xffu;
	}
	return (uint8_t)product;
}

/* a^254, which is the inverse of a. */
static uint8_t inverse(uint8_t a)
{
	uint8_t power = a, product = 1;

	for (unsigned i = 1; i < 8; i++) {
		power = shamir_multiply(power, power);
		product = shamir_multiply(product, power);
	}
	return product;
}

/*
 * Makes shares at the places 1 to n_shares. The secret has at most SHAMIR_SECRET_MAX bytes, there
 * are 2 to SHAMIR_SHARES_MAX shares, and the threshold is 2 to n_shares; else -EINVAL. The shares
 * are to be wiped.
 */
int shamir_split(struct slice secret, unsigned threshold, unsigned n_shares,
		 struct shamir_share *ret_shares)
{
	uint8_t random[SHAMIR_SHARES_MAX * SHAMIR_SECRET_MAX];
	size_t n_random = (threshold - 1) * secret.length;
	int r;

	if (secret.length == 0 || secret.length > SHAMIR_SECRET_MAX || threshold < 2 ||
	    threshold > n_shares || n_shares > SHAMIR_SHARES_MAX)
		return -EINVAL;
	r = crypto_random(random, n_random);
	for (unsigned i = 0; r == 0 && i < n_shares; i++) {
		struct shamir_share *share = &ret_shares[i];

		*share = (struct shamir_share){ .x = (uint8_t)(i + 1) };
		for (size_t at = 0; at < secret.length; at++) {
			uint8_t value = 0;

			/* Horner's rule, from the highest coefficient down to the secret. */
			for (size_t k = threshold - 1; k-- > 0;)
				value = shamir_multiply(
					(uint8_t)(value ^ random[k * secret.length + at]),
					share->x);
			share->bytes[at] = (uint8_t)(value ^ (uint8_t)secret.at[at]);
		}
	}
	crypto_wipe(random, sizeof(random));
	return r;
}

/*
 * Joins shares of one secret. Too few, or shares of two secrets, give bytes that mean nothing: who
 * calls has to know the secret when it sees it. Returns 0 or SHAMIR_E_SHARES.
 */
int shamir_join(const struct shamir_share *shares, unsigned n_shares, void *ret_secret,
		size_t length)
{
	uint8_t *secret = ret_secret;

	if (n_shares == 0 || n_shares > SHAMIR_SHARES_MAX || length > SHAMIR_SECRET_MAX)
		return SHAMIR_E_SHARES;
	for (unsigned i = 0; i < n_shares; i++) {
		if (shares[i].x == 0)
			return SHAMIR_E_SHARES;
		for (unsigned j = 0; j < i; j++)
			if (shares[i].x == shares[j].x)
				return SHAMIR_E_SHARES;
	}
	memset(secret, 0, length);
	for (unsigned i = 0; i < n_shares; i++) {
		uint8_t weight = 1;

		for (unsigned j = 0; j < n_shares; j++)
			if (j != i)
				weight = shamir_multiply(
					weight, shamir_multiply(shares[j].x,
								inverse((uint8_t)(shares[i].x ^
										  shares[j].x))));
		for (size_t at = 0; at < length; at++)
			secret[at] ^= shamir_multiply(shares[i].bytes[at], weight);
	}
	return 0;
}
