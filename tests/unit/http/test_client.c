/* Addresses, networks, and chains of proxies. */

#include "api/http/client.h"
#include "tests/unit/suite.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static struct client_address address(const char *text)
{
	struct client_address address = { { 0 } };

	ck_assert_msg(client_address_read(slice_of(text), &address) == 0, "%s", text);
	return address;
}

static bool is_in(const char *range, const char *text)
{
	struct client_address client = address(text);
	struct client_range read;
	struct client_ranges ranges = { &read, 1 };

	ck_assert_msg(client_range_read(range, &read) == 0, "%s", range);
	return client_ranges_have(&ranges, &client);
}

START_TEST(one_client_has_one_form)
{
	static const char *const forms[][2] = {
		{ "192.0.2.7", "::ffff:192.0.2.7" },
		{ "192.0.2.7", " 192.0.2.7:4711\t" },
		{ "192.0.2.7", "[::ffff:c000:207]:443" },
		{ "2001:db8::1", "[2001:db8::1]" },
		{ "2001:db8::1", "\"[2001:DB8:0:0::1]:443\"" },
		{ "2001:db8::1", "2001:0db8:0000:0000:0000:0000:0000:0001" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct client_address a = address(forms[i][0]), b = address(forms[i][1]);

		ck_assert_msg(memcmp(&a, &b, sizeof(a)) == 0, "%s", forms[i][1]);
	}
}
END_TEST

START_TEST(what_is_no_address_is_refused)
{
	static const char *const bad[] = {
		"",
		" ",
		"unknown",
		"_hidden",
		"1.2.3",
		"1.2.3.4.5",
		"01.2.3.4",
		"256.1.1.1",
		"0x7f.1.1.1",
		"1.2.3.4:",
		"1.2.3.4:x",
		"1.2.3.4:123456",
		"[::1",
		"[::1]x",
		"[::1]:",
		"[1.2.3.4]",
		"fe80::1%eth0",
		"::1::",
		"1.2.3.4 5.6.7.8",
		"[]",
		"\"\"",
		"2001:db8::1:99999",
		"localhost",
	};
	struct client_address ignored;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(client_address_read(slice_of(bad[i]), &ignored) == CLIENT_E_MALFORMED,
			      "%s", bad[i]);
}
END_TEST

START_TEST(networks_hold_their_own_addresses_alone)
{
	ck_assert(is_in("192.0.2.0/24", "192.0.2.255"));
	ck_assert(!is_in("192.0.2.0/24", "192.0.3.0"));
	ck_assert(is_in("192.0.2.128/25", "::ffff:192.0.2.129"));
	ck_assert(!is_in("192.0.2.128/25", "192.0.2.127"));
	ck_assert(is_in("10.0.0.1", "10.0.0.1"));
	ck_assert(!is_in("10.0.0.1", "10.0.0.2"));
	ck_assert(is_in("0.0.0.0/0", "203.0.113.9"));
	ck_assert(!is_in("0.0.0.0/0", "2001:db8::1"));
	ck_assert(is_in("2001:db8::/33", "2001:db8:7fff::1"));
	ck_assert(!is_in("2001:db8::/33", "2001:db8:8000::1"));
	ck_assert(is_in("::/0", "2001:db8::1"));
	ck_assert(!is_in("::/0", "203.0.113.9"));
}
END_TEST

START_TEST(networks_that_are_none_are_refused)
{
	static const char *const bad[] = { "",
					   "/8",
					   "10.0.0.0/",
					   "10.0.0.0/33",
					   "10.0.0.0/08",
					   "10.0.0.0/-1",
					   "10.0.0.1/8",
					   "10/8",
					   "2001:db8::/129",
					   "2001:db8::1/64",
					   "example.org",
					   "[::1]/128",
					   "*" };
	struct client_range ignored;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(client_range_read(bad[i], &ignored) == CLIENT_E_MALFORMED, "%s",
			      bad[i]);
}
END_TEST

/* peer, lines of X-Forwarded-For, who is meant; 10.0.0.0/8 and fd00::/8 are trusted. */
static const struct {
	const char *peer;
	const char *lines[3];
	const char *client;
} chains[] = {
	{ "203.0.113.9", { "198.51.100.1" }, "203.0.113.9" },
	{ "10.0.0.1", { NULL }, "10.0.0.1" },
	{ "10.0.0.1", { "" }, "10.0.0.1" },
	{ "10.0.0.1", { "198.51.100.1" }, "198.51.100.1" },
	{ "10.0.0.1", { "1.1.1.1, 198.51.100.1" }, "198.51.100.1" },
	{ "10.0.0.1", { "1.1.1.1, 198.51.100.1, 10.9.9.9" }, "198.51.100.1" },
	{ "10.0.0.1", { "1.1.1.1,10.0.0.3,198.51.100.1,10.9.9.9,10.0.0.2" }, "198.51.100.1" },
	{ "10.0.0.1", { "1.1.1.1", "198.51.100.1" }, "198.51.100.1" },
	{ "10.0.0.1", { "1.1.1.1", "198.51.100.1", "10.0.0.2" }, "198.51.100.1" },
	{ "10.0.0.1", { "10.0.0.5, 10.0.0.6" }, "10.0.0.5" },
	{ "10.0.0.1", { "1.1.1.1, unknown" }, "10.0.0.1" },
	{ "10.0.0.1", { "1.1.1.1, garbage, 10.0.0.2" }, "10.0.0.2" },
	{ "10.0.0.1", { "1.1.1.1," }, "10.0.0.1" },
	{ "10.0.0.1", { "[2001:db8::7]:4711" }, "2001:db8::7" },
	{ "fd00::1", { "1.1.1.1, ::ffff:198.51.100.1" }, "198.51.100.1" },
	{ "::ffff:10.0.0.1", { "198.51.100.1" }, "198.51.100.1" },
};

START_TEST(the_nearest_untrusted_hop_is_the_client)
{
	struct client_range ranges[2];
	const struct client_ranges trusted = { ranges, 2 };

	ck_assert_int_eq(client_range_read("10.0.0.0/8", &ranges[0]), 0);
	ck_assert_int_eq(client_range_read("fd00::/8", &ranges[1]), 0);
	for (size_t i = 0; i < ARRAY_SIZE(chains); i++) {
		struct client_address peer = address(chains[i].peer);
		struct client_address expected = address(chains[i].client), found;
		struct slice lines[3];
		size_t n = 0;

		while (n < 3 && chains[i].lines[n]) {
			lines[n] = slice_of(chains[i].lines[n]);
			n++;
		}
		found = client_find(&peer, &trusted, lines, n);
		ck_assert_msg(memcmp(&found, &expected, sizeof(found)) == 0, "chain %zu", i);
	}
}
END_TEST

static bool share_network(const char *one, const char *two)
{
	struct client_address a = address(one), b = address(two);
	uint8_t x[CLIENT_NETWORK_SIZE], y[CLIENT_NETWORK_SIZE];

	client_network(&a, x);
	client_network(&b, y);
	return memcmp(x, y, sizeof(x)) == 0;
}

START_TEST(a_network_is_24_bits_of_ipv4_and_64_of_ipv6)
{
	ck_assert(share_network("192.0.2.1", "192.0.2.254"));
	ck_assert(share_network("192.0.2.1", "::ffff:192.0.2.254"));
	ck_assert(!share_network("192.0.2.1", "192.0.3.1"));
	ck_assert(share_network("2001:db8:1:2::1", "2001:db8:1:2:ffff::"));
	ck_assert(!share_network("2001:db8:1:2::1", "2001:db8:1:3::1"));
	ck_assert(!share_network("c000:200::", "192.0.2.0"));
}
END_TEST

START_TEST(sockets_say_who_connected)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct client_address expected = address("192.0.2.1"), found;

	inet_pton(AF_INET, "192.0.2.1", &in4.sin_addr);
	inet_pton(AF_INET6, "::ffff:192.0.2.1", &in6.sin6_addr);
	client_address_from((struct sockaddr *)&in4, &found);
	ck_assert_mem_eq(&found, &expected, sizeof(found));
	client_address_from((struct sockaddr *)&in6, &found);
	ck_assert_mem_eq(&found, &expected, sizeof(found));
}
END_TEST

START_TEST(loopback_is_this_machine_alone)
{
	static const char *const here[] = { "127.0.0.1", "127.255.0.3", "::1", "::ffff:127.0.0.1" };
	static const char *const there[] = { "128.0.0.1", "::", "::2", "2001:db8::1", "7f00::1" };
	struct client_address address;

	for (size_t i = 0; i < ARRAY_SIZE(here); i++) {
		ck_assert_int_eq(0, client_address_read(slice_of(here[i]), &address));
		ck_assert(client_is_loopback(&address));
	}
	for (size_t i = 0; i < ARRAY_SIZE(there); i++) {
		ck_assert_int_eq(0, client_address_read(slice_of(there[i]), &address));
		ck_assert(!client_is_loopback(&address));
	}
}
END_TEST

SUITE("http/client", loopback_is_this_machine_alone, one_client_has_one_form,
      what_is_no_address_is_refused, networks_hold_their_own_addresses_alone,
      networks_that_are_none_are_refused, the_nearest_untrusted_hop_is_the_client,
      a_network_is_24_bits_of_ipv4_and_64_of_ipv6, sockets_say_who_connected)
