/* X25519 against the vectors of RFC 7748. */

#include "tests/unit/crypto/hex.h"

#include "daemon/crypto/crypto.h"
#include "daemon/crypto/x25519.h"

/* RFC 7748 section 6.1. */
START_TEST(both_sides_of_the_rfc_agree)
{
	uint8_t alice[32], bob[32], alice_public[32], bob_public[32], shared[32], expected[32];

	hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a", alice, 32);
	hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb", bob, 32);
	ck_assert_int_eq(x25519_public(alice, alice_public), 0);
	hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a", expected, 32);
	ck_assert_mem_eq(alice_public, expected, 32);
	ck_assert_int_eq(x25519_public(bob, bob_public), 0);
	hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f", expected, 32);
	ck_assert_mem_eq(bob_public, expected, 32);
	hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742", expected, 32);
	ck_assert_int_eq(x25519_agree(alice, bob_public, shared), 0);
	ck_assert_mem_eq(shared, expected, 32);
	ck_assert_int_eq(x25519_agree(bob, alice_public, shared), 0);
	ck_assert_mem_eq(shared, expected, 32);
}
END_TEST

/* Points of small order: whatever the private key, the result would be zero. */
START_TEST(a_point_of_small_order_is_refused)
{
	static const char *const points[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	uint8_t own[32], point[32], shared[32] = { 7 };

	ck_assert_int_eq(crypto_random(own, sizeof(own)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(points); i++) {
		hex(points[i], point, 32);
		ck_assert_int_eq(x25519_agree(own, point, shared), X25519_E_POINT);
		ck_assert_uint_eq(shared[0], 7);
	}
}
END_TEST

SUITE("crypto/x25519", both_sides_of_the_rfc_agree, a_point_of_small_order_is_refused)
