/* api/http/network: connections counted by network. */

#include "api/http/network.h"
#include "tests/unit/suite.h"

enum { MANY = 20000 };

static struct networks *networks;

static struct client_address address_of(const char *text)
{
	struct client_address address;

	ck_assert_int_eq(0, client_address_read(slice_of(text), &address));
	return address;
}

static struct network *enter(const char *text, size_t most)
{
	struct client_address address = address_of(text);
	struct network *network = NULL;

	ck_assert_int_eq(0, network_enter(networks, &address, most, &network));
	return network;
}

static void begin(void)
{
	ck_assert_int_eq(0, networks_new(&networks));
}

static void end(void)
{
	networks = networks_free(networks);
}

START_TEST(addresses_of_one_network_are_counted_together)
{
	struct network *first = enter("192.0.2.1", 2), *second = enter("192.0.2.200", 2);
	struct network *other = enter("192.0.3.1", 2);

	ck_assert_ptr_eq(first, second);
	ck_assert_ptr_ne(first, other);
	ck_assert(!network_is_over(first, 0));
	ck_assert_ptr_eq(first, enter("192.0.2.3", 2));
	ck_assert(network_is_over(first, 0));
	ck_assert(!network_is_over(first, 1));
	ck_assert(!network_is_over(other, 0));
	ck_assert(!network_is_over(NULL, 0));
	for (int i = 0; i < 3; i++) {
		ck_assert_ptr_null(network_leave(first));
		if (i < 2)
			ck_assert(!network_is_over(first, 0));
	}
	network_leave(other);
	ck_assert_ptr_null(network_leave(NULL));
}
END_TEST

START_TEST(a_new_limit_counts_from_then_on)
{
	struct network *network = enter("2001:db8:1:2::1", 1);

	ck_assert_ptr_eq(network, enter("2001:db8:1:2:ffff::", 1));
	ck_assert(network_is_over(network, 0));
	ck_assert_ptr_eq(network, enter("2001:db8:1:2::3", 9));
	ck_assert(!network_is_over(network, 0));
	for (int i = 0; i < 3; i++)
		network_leave(network);
}
END_TEST

/* More networks than places in the table, gone in another order than they came. */
START_TEST(many_networks_are_told_apart_and_forgotten)
{
	static struct network *all[MANY];
	char text[64];

	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(text, sizeof(text), "2001:db8:%zx:%zx::1", i / 256, i % 256);
		all[i] = enter(text, 1);
		ck_assert(!network_is_over(all[i], 0));
	}
	for (size_t i = 0; i < MANY; i += 2)
		network_leave(all[i]);
	for (size_t i = 1; i < MANY; i += 2) {
		(void)snprintf(text, sizeof(text), "2001:db8:%zx:%zx::2", i / 256, i % 256);
		ck_assert_ptr_eq(all[i], enter(text, 1));
		ck_assert(network_is_over(all[i], 0));
	}
	for (size_t i = MANY - 1; i < MANY; i -= 2) {
		network_leave(all[i]);
		network_leave(all[i]);
	}
}
END_TEST

SUITE_EACH("http/network", begin, end, addresses_of_one_network_are_counted_together,
	   a_new_limit_counts_from_then_on, many_networks_are_told_apart_and_forgotten)
