/* Shares: any three of five give the secret back, two are compatible with every secret. */

#include "tests/unit/crypto/hex.h"

#include "daemon/crypto/crypto.h"
#include "daemon/crypto/shamir.h"

enum { SECRET = 32, SHARES = 5, THRESHOLD = 3 };

static uint8_t secret[SECRET];
static struct shamir_share shares[SHARES];

static void split(void)
{
	ck_assert_int_eq(crypto_random(secret, SECRET), 0);
	ck_assert_int_eq(
		shamir_split((struct slice){ (char *)secret, SECRET }, THRESHOLD, SHARES, shares),
		0);
}

/* FIPS 197 sections 4.2 and 4.2.1. */
START_TEST(products_are_those_of_fips_197)
{
	ck_assert_uint_eq(shamir_multiply(0x57, 0x83), 0xc1);
	ck_assert_uint_eq(shamir_multiply(0x57, 0x13), 0xfe);
	ck_assert_uint_eq(shamir_multiply(0x57, 0x02), 0xae);
	ck_assert_uint_eq(shamir_multiply(0x57, 0x04), 0x47);
	ck_assert_uint_eq(shamir_multiply(0x57, 0x08), 0x8e);
	ck_assert_uint_eq(shamir_multiply(0x57, 0x10), 0x07);
}
END_TEST

/* f(x) = 0x42 + 0x01 x + 0x03 x^2, worked out by hand. */
START_TEST(a_known_polynomial_is_interpolated)
{
	const struct shamir_share known[] = { { 1, { 0x40 } }, { 2, { 0x4c } }, { 3, { 0x4e } } };
	uint8_t value = 0;

	ck_assert_int_eq(shamir_join(known, ARRAY_SIZE(known), &value, 1), 0);
	ck_assert_uint_eq(value, 0x42);
}
END_TEST

START_TEST(any_three_or_more_give_the_secret_back)
{
	split();
	for (unsigned set = 0; set < 1u << SHARES; set++) {
		struct shamir_share some[SHARES];
		uint8_t joined[SECRET];
		unsigned n = 0;

		for (unsigned i = 0; i < SHARES; i++)
			if (set >> i & 1)
				some[n++] = shares[i];
		if (n == 0)
			continue;
		ck_assert_int_eq(shamir_join(some, n, joined, SECRET), 0);
		ck_assert_int_eq(memcmp(joined, secret, SECRET) == 0, n >= THRESHOLD);
	}
}
END_TEST

/* Two shares and any guess of the secret lie on one polynomial, so the two tell nothing: a third
 * share that agrees with the guess exists and is another for every guess. */
START_TEST(two_shares_fit_every_secret)
{
	bool is_seen[256] = { false };

	split();
	for (unsigned third = 0; third < 256; third++) {
		struct shamir_share some[] = { shares[0], shares[3], { 5, { (uint8_t)third } } };
		uint8_t guess = 0;

		ck_assert_int_eq(shamir_join(some, ARRAY_SIZE(some), &guess, 1), 0);
		ck_assert(!is_seen[guess]);
		is_seen[guess] = true;
	}
}
END_TEST

START_TEST(no_share_is_the_secret_and_no_two_splits_are_alike)
{
	struct shamir_share again[SHARES];

	split();
	ck_assert_int_eq(
		shamir_split((struct slice){ (char *)secret, SECRET }, THRESHOLD, SHARES, again),
		0);
	for (unsigned i = 0; i < SHARES; i++) {
		ck_assert_uint_eq(shares[i].x, i + 1);
		ck_assert_int_ne(memcmp(shares[i].bytes, secret, SECRET), 0);
		ck_assert_int_ne(memcmp(shares[i].bytes, again[i].bytes, SECRET), 0);
	}
}
END_TEST

START_TEST(shares_of_one_place_or_none_are_refused)
{
	const struct slice whole = { (char *)secret, SECRET };
	struct shamir_share some[SHAMIR_SHARES_MAX + 1];
	uint8_t joined[SECRET];

	split();
	some[0] = some[1] = shares[0];
	ck_assert_int_eq(shamir_join(some, 2, joined, SECRET), SHAMIR_E_SHARES);
	some[1].x = 0;
	ck_assert_int_eq(shamir_join(some, 2, joined, SECRET), SHAMIR_E_SHARES);
	ck_assert_int_eq(shamir_join(some, 0, joined, SECRET), SHAMIR_E_SHARES);
	ck_assert_int_eq(shamir_join(some, SHAMIR_SHARES_MAX + 1, joined, SECRET), SHAMIR_E_SHARES);
	ck_assert_int_eq(shamir_split(whole, 1, 5, some), -EINVAL);
	ck_assert_int_eq(shamir_split(whole, 6, 5, some), -EINVAL);
	ck_assert_int_eq(shamir_split(whole, 3, SHAMIR_SHARES_MAX + 1, some), -EINVAL);
	ck_assert_int_eq(shamir_split((struct slice){ "", 0 }, 3, 5, some), -EINVAL);
}
END_TEST

SUITE("crypto/shamir", products_are_those_of_fips_197, a_known_polynomial_is_interpolated,
      any_three_or_more_give_the_secret_back, two_shares_fit_every_secret,
      no_share_is_the_secret_and_no_two_splits_are_alike, shares_of_one_place_or_none_are_refused)
