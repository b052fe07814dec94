/* daemon/app/address: what may be listened on. */

#include "daemon/app/address.h"
#include "tests/unit/suite.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

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

static int open_socket(int family, bool is_listening)
{
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	if (family == AF_INET)
		ck_assert_int_eq(0, bind(fd, (struct sockaddr *)&four, sizeof(four)));
	if (family == AF_INET6)
		ck_assert_int_eq(0, bind(fd, (struct sockaddr *)&six, sizeof(six)));
	if (is_listening)
		ck_assert_int_eq(0, listen(fd, 1));
	return fd;
}

START_TEST(a_listening_socket_says_where)
{
	static const struct {
		int family;
		const char *host;
	} rows[] = { { AF_INET, "127.0.0.1" }, { AF_INET6, "::1" } };
	struct address address, other = { .host = "127.0.0.2" };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int fd = open_socket(rows[i].family, true);

		ck_assert_int_eq(0, address_of_socket(fd, &address));
		ck_assert_str_eq(rows[i].host, address.host);
		ck_assert(address.is_loopback && address.port);
		ck_assert(address_equals(&address, &address));
		ck_assert(!address_equals(&address, &other));
		other.port = address.port;
		ck_assert(!address_equals(&address, &other));
		close(fd);
	}
}
END_TEST

START_TEST(other_sockets_say_nothing)
{
	struct address address;
	int idle = open_socket(AF_INET, false), local = open_socket(AF_UNIX, false), fds[2];

	ck_assert_int_eq(ADDRESS_E_MALFORMED, address_of_socket(idle, &address));
	ck_assert_int_eq(
		0, bind(local, &(struct sockaddr){ .sa_family = AF_UNIX }, sizeof(sa_family_t)));
	ck_assert_int_eq(0, listen(local, 1));
	ck_assert_int_eq(ADDRESS_E_MALFORMED, address_of_socket(local, &address));
	ck_assert_int_eq(0, pipe(fds));
	ck_assert_int_eq(-ENOTSOCK, address_of_socket(fds[0], &address));
	ck_assert_int_eq(-EBADF, address_of_socket(-1, &address));
	close(idle);
	close(local);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

SUITE("app/address", numeric_addresses_are_read, everything_else_is_refused,
      a_listening_socket_says_where, other_sockets_say_nothing)
