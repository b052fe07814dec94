/* The server with handlers that answer later: clients that leave, draining, and what is logged. */

#include "api/http/server.h"
#include "daemon/base/log.h"

#include <arpa/inet.h>
#include <check.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct fixture {
	struct event_base *base;
	struct server *server;
	struct exchange *waiting; /* begun and not yet answered */
	size_t n_begun;
	bool is_drained;
	int fd; /* of the client */
};

static void begin(struct exchange *exchange)
{
	struct fixture *fixture = exchange->application;

	fixture->waiting = exchange;
	fixture->n_begun++;
}

static const struct route routes[] = {
	{ HTTP_GET, "/later", AUDIENCE_PUBLIC, 0, 0, begin, { NULL } },
	{ HTTP_GET, "/later/{id}", AUDIENCE_PUBLIC, 0, ROUTE_SLOT, begin, { NULL } },
};

static void fixture_init(struct fixture *fixture)
{
	const struct server_config config = {
		.routes = routes,
		.n_routes = ARRAY_SIZE(routes),
		.application = fixture,
	};
	struct sockaddr_in address;
	socklen_t length = sizeof(address);
	int fd;

	*fixture = (struct fixture){ .base = event_base_new() };
	ck_assert_int_eq(server_new(fixture->base, &config, &fixture->server), 0);
	ck_assert_int_eq(server_open_listener("127.0.0.1", 0, false, &fd), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	ck_assert_int_eq(server_listen_take(fixture->server, fd, NULL), 0);
	fixture->fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(fixture->fd, (struct sockaddr *)&address, length), 0);
	fcntl(fixture->fd, F_SETFL, O_NONBLOCK);
}

static void fixture_deinit(struct fixture *fixture)
{
	if (fixture->fd >= 0)
		close(fixture->fd);
	server_free(fixture->server);
	event_base_free(fixture->base);
}

static void ask(struct fixture *fixture, const char *target)
{
	char request[128];
	int length = snprintf(request, sizeof(request),
			      "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", target);
	size_t n_before = fixture->n_begun;

	ck_assert_int_eq(write(fixture->fd, request, (size_t)length), length);
	while (fixture->n_begun == n_before)
		event_base_loop(fixture->base, EVLOOP_ONCE);
}

/* Runs the loop until the client has a whole answer without body, or the end. */
static void read_answer(struct fixture *fixture, char *ret_text, size_t size)
{
	size_t length = 0;

	for (;;) {
		ssize_t n = read(fixture->fd, ret_text + length, size - 1 - length);

		if (n == 0)
			break;
		if (n > 0)
			length += (size_t)n;
		ret_text[length] = '\0';
		if (n > 0 && strstr(ret_text, "\r\n\r\n"))
			break;
		event_base_loop(fixture->base, EVLOOP_ONCE);
	}
}

static void on_drained(void *context)
{
	((struct fixture *)context)->is_drained = true;
}

START_TEST(work_goes_on_when_the_client_has_left)
{
	struct fixture fixture;

	fixture_init(&fixture);
	ask(&fixture, "/later");
	close(fixture.fd);
	fixture.fd = -1;
	event_base_loop(fixture.base, EVLOOP_NONBLOCK);
	ck_assert_uint_eq(server_n_connections(fixture.server), 1);
	exchange_reply_empty(fixture.waiting, 204);
	while (server_n_connections(fixture.server))
		event_base_loop(fixture.base, EVLOOP_ONCE);
	fixture_deinit(&fixture);
}
END_TEST

START_TEST(a_client_that_resets_is_dropped_after_the_answer)
{
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	struct fixture fixture;

	fixture_init(&fixture);
	ask(&fixture, "/later/x");
	setsockopt(fixture.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fixture.fd);
	fixture.fd = -1;
	event_base_loop(fixture.base, EVLOOP_NONBLOCK);
	exchange_refuse(fixture.waiting, 404, "conduct-not-found");
	while (server_n_connections(fixture.server))
		event_base_loop(fixture.base, EVLOOP_ONCE);
	fixture_deinit(&fixture);
}
END_TEST

START_TEST(draining_finishes_what_is_in_flight)
{
	struct fixture fixture;
	char answer[2048];

	fixture_init(&fixture);
	ask(&fixture, "/later");
	server_drain(fixture.server, 0, on_drained, &fixture);
	ck_assert(!fixture.is_drained);
	exchange_reply_empty(fixture.waiting, 204);
	read_answer(&fixture, answer, sizeof(answer));
	ck_assert_ptr_nonnull(strstr(answer, "HTTP/1.1 204 No Content\r\n"));
	ck_assert_ptr_nonnull(strstr(answer, "Connection: close\r\n"));
	close(fixture.fd);
	fixture.fd = -1;
	while (!fixture.is_drained)
		event_base_loop(fixture.base, EVLOOP_ONCE);
	ck_assert_uint_eq(server_n_connections(fixture.server), 0);
	fixture_deinit(&fixture);
}
END_TEST

/* As a reload meets a client that has just connected. */
START_TEST(draining_answers_the_first_request_of_a_connection)
{
	struct fixture fixture;
	char answer[2048];

	fixture_init(&fixture);
	while (server_n_connections(fixture.server) == 0)
		event_base_loop(fixture.base, EVLOOP_ONCE);
	server_drain(fixture.server, 0, on_drained, &fixture);
	ck_assert(!fixture.is_drained);
	ask(&fixture, "/later");
	exchange_reply_empty(fixture.waiting, 204);
	read_answer(&fixture, answer, sizeof(answer));
	ck_assert_ptr_nonnull(strstr(answer, "HTTP/1.1 204 No Content\r\n"));
	ck_assert_ptr_nonnull(strstr(answer, "Connection: close\r\n"));
	close(fixture.fd);
	fixture.fd = -1;
	while (!fixture.is_drained)
		event_base_loop(fixture.base, EVLOOP_ONCE);
	fixture_deinit(&fixture);
}
END_TEST

START_TEST(draining_answers_a_request_that_is_there_unread)
{
	static const char request[] = "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n";
	struct fixture fixture;
	char answer[2048] = "";

	fixture_init(&fixture);
	ask(&fixture, "/later");
	exchange_reply_empty(fixture.waiting, 204);
	read_answer(&fixture, answer, sizeof(answer));
	ck_assert_int_eq(write(fixture.fd, request, sizeof(request) - 1), sizeof(request) - 1);
	server_drain(fixture.server, 0, on_drained, &fixture);
	ck_assert(!fixture.is_drained);
	while (fixture.n_begun < 2)
		event_base_loop(fixture.base, EVLOOP_ONCE);
	exchange_reply_empty(fixture.waiting, 204);
	read_answer(&fixture, answer, sizeof(answer));
	ck_assert_ptr_nonnull(strstr(answer, "Connection: close\r\n"));
	fixture_deinit(&fixture);
}
END_TEST

START_TEST(draining_closes_idle_connections_at_once)
{
	struct fixture fixture;
	char answer[2048] = "";

	fixture_init(&fixture);
	ask(&fixture, "/later");
	exchange_reply_empty(fixture.waiting, 204);
	read_answer(&fixture, answer, sizeof(answer));
	server_drain(fixture.server, 0, on_drained, &fixture);
	ck_assert(fixture.is_drained);
	event_base_loop(fixture.base, EVLOOP_NONBLOCK); /* libevent closes sockets from the loop */
	ck_assert_int_eq(read(fixture.fd, answer, sizeof(answer)), 0);
	fixture_deinit(&fixture);
}
END_TEST

START_TEST(a_second_request_waits_for_the_first)
{
	static const char two[] = "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n"
				  "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n";
	struct fixture fixture;
	struct exchange *first;

	fixture_init(&fixture);
	ck_assert_int_eq(write(fixture.fd, two, sizeof(two) - 1), sizeof(two) - 1);
	while (!fixture.waiting)
		event_base_loop(fixture.base, EVLOOP_ONCE);
	event_base_loop(fixture.base, EVLOOP_NONBLOCK);
	ck_assert_uint_eq(fixture.n_begun, 1);
	first = fixture.waiting;
	exchange_reply_empty(first, 204);
	ck_assert_uint_eq(fixture.n_begun, 2);
	exchange_reply_empty(fixture.waiting, 204);
	fixture_deinit(&fixture);
}
END_TEST

START_TEST(listeners_take_numeric_addresses_alone)
{
	int fd = -1;

	ck_assert_int_eq(server_open_listener("localhost", 0, false, &fd), -EINVAL);
	ck_assert_int_eq(server_open_listener("127.0.0.1", 65536, false, &fd), -EINVAL);
	ck_assert_int_eq(fd, -1);
}
END_TEST

START_TEST(a_port_can_be_shared_only_when_asked)
{
	struct sockaddr_in address;
	socklen_t length = sizeof(address);
	int first, second = -1;

	ck_assert_int_eq(server_open_listener("127.0.0.1", 0, true, &first), 0);
	ck_assert_int_eq(getsockname(first, (struct sockaddr *)&address, &length), 0);
	ck_assert_int_eq(server_open_listener("127.0.0.1", ntohs(address.sin_port), false, &second),
			 -EADDRINUSE);
	ck_assert_int_eq(server_open_listener("127.0.0.1", ntohs(address.sin_port), true, &second),
			 0);
	close(first);
	close(second);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http/server");
	TCase *tcase = tcase_create("server");
	SRunner *runner;
	int n_failed;

	log_init("test", LOG_LEVEL_ERROR);
	signal(SIGPIPE, SIG_IGN); /* as the daemon does */
	tcase_add_test(tcase, work_goes_on_when_the_client_has_left);
	tcase_add_test(tcase, a_client_that_resets_is_dropped_after_the_answer);
	tcase_add_test(tcase, draining_finishes_what_is_in_flight);
	tcase_add_test(tcase, draining_answers_the_first_request_of_a_connection);
	tcase_add_test(tcase, draining_answers_a_request_that_is_there_unread);
	tcase_add_test(tcase, draining_closes_idle_connections_at_once);
	tcase_add_test(tcase, a_second_request_waits_for_the_first);
	tcase_add_test(tcase, listeners_take_numeric_addresses_alone);
	tcase_add_test(tcase, a_port_can_be_shared_only_when_asked);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? 1 : 0;
}
