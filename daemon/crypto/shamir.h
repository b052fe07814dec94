#pragma once
/* A secret in shares, so that any `threshold` of them give it back and fewer tell nothing: Shamir's
 * scheme, byte by byte over GF(2^8) with the polynomial of AES. */

#include "daemon/base/error.h"

enum { SHAMIR_SHARES_MAX = 16, SHAMIR_SECRET_MAX = 64 };

struct shamir_share {
	uint8_t x; /* its place, 1 to 255 */
	uint8_t bytes[SHAMIR_SECRET_MAX];
};

int shamir_split(struct slice secret, unsigned threshold, unsigned n_shares,
		 struct shamir_share *ret_shares);
enum { SHAMIR_E_SHARES = 1 }; /* two of the same place, or one of none */
int shamir_join(const struct shamir_share *shares, unsigned n_shares, void *ret_secret,
		size_t length);
uint8_t shamir_multiply(uint8_t a, uint8_t b);
