/* daemon/app/address: what may be listened on. */

#include "daemon/app/address.h"
#include "tests/unit/suite.h"

START_TEST(numeric_addresses_are_read)
{
	struct address address;

	ck_assert_int_eq(0, address_read("127.0.0.1:8480", &address));
	ck_assert_str_eq("127.0.0.1", address.host);
	ck_assert_uint_eq(8480, address.port);
	ck_assert(address.is_loopback);
	ck_assert_int_eq(0, address_read("[::1]:1", &address));
	ck_assert_str_eq("::1", address.host);
	ck_assert(address.is_loopback);
	ck_assert_int_eq(0, address_read("0.0.0.0:65535", &address));
	ck_assert(!address.is_loopback);
	ck_assert_int_eq(0, address_read("[::]:80", &address));
	ck_assert(!address.is_loopback);
}
END_TEST

START_TEST(everything_else_is_refused)
{
	static const char *const bad[] = {
		"",
		":",
		"127.0.0.1",
		"127.0.0.1:",
		":80",
		"127.0.0.1:0",
		"127.0.0.1:65536",
		"127.0.0.1:123456",
		"127.0.0.1:+1",
		"127.0.0.1:8 0",
		"localhost:80",
		"::1:80",
		"[::1]",
		"[::1]80",
		"[127.0.0.1]:80",
		"[::1:80",
		"256.0.0.1:80",
		"127.1:80",
	};
	struct address address = { .port = 7 };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(address_read(bad[i], &address) == ADDRESS_E_MALFORMED, "%s", bad[i]);
	ck_assert_uint_eq(7, address.port);
}
END_TEST

SUITE("app/address", numeric_addresses_are_read, everything_else_is_refused)
