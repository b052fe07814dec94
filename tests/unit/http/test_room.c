/* The server when there is too much of something: connections, bytes, time. */

#include "api/http/limits.h"
#include "api/http/server.h"
#include "daemon/base/log.h"

#include <check.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS = SERVER_RESERVE + 8, ANSWER_MAX = 4096, BIG = 8 << 20 };

static struct event_base *base;
static struct server *server;
static struct page_web counters;
static struct sockaddr_in address;
static in_addr_t source; /* of clients; 0: the machine's choice */
static struct exchange *waiting[CLIENTS];
static size_t n_waiting;
static int clients[CLIENTS];
static size_t n_clients;

static void wait_for_test(struct exchange *exchange)
{
	waiting[n_waiting++] = exchange;
}

static void answer_emergency(struct exchange *exchange)
{
	exchange_authenticate(exchange, AUDIENCE_EMERGENCY, wait_for_test);
}

static void answer_report(struct exchange *exchange)
{
	exchange_authenticate(exchange, AUDIENCE_REPORTER, wait_for_test);
}

static void answer_big(struct exchange *exchange)
{
	char *bytes = calloc(1, BIG);

	exchange_reply_bytes(exchange, 200, "text/plain", (struct slice){ bytes, BIG });
	free(bytes);
}

static void answer_empty(struct exchange *exchange)
{
	exchange_reply_empty(exchange, 204);
}

static void admit(void *context, struct exchange *exchange, enum audience audience,
		  void (*next)(struct exchange *exchange))
{
	next(exchange);
}

static const struct route routes[] = {
	{ HTTP_GET, "/emergency", AUDIENCE_LATE, 0, 0, answer_emergency, { NULL } },
	{ HTTP_GET, "/report", AUDIENCE_LATE, 0, 0, answer_report, { NULL } },
	{ HTTP_GET, "/big", AUDIENCE_PUBLIC, 0, 0, answer_big, { NULL } },
	{ HTTP_POST, "/body", AUDIENCE_PUBLIC, 64 * 1024, ROUTE_RAW, answer_empty, { NULL } },
};

static void begin(struct server_config config)
{
	socklen_t length = sizeof(address);
	int fd;

	alarm(60);
	counters = (struct page_web){ 0 };
	n_waiting = n_clients = 0;
	source = 0;
	config.routes = routes;
	config.n_routes = ARRAY_SIZE(routes);
	config.gate.authenticate = admit;
	config.counters = &counters;
	base = event_base_new();
	ck_assert_int_eq(server_new(base, &config, &server), 0);
	ck_assert_int_eq(server_open_listener("127.0.0.1", 0, false, &fd), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	ck_assert_int_eq(server_listen_take(server, fd, NULL), 0);
}

static void end(void)
{
	for (size_t i = 0; i < n_clients; i++)
		close(clients[i]);
	server_free(server);
	event_base_free(base);
	alarm(0);
}

static int connect_client(void)
{
	const struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = source };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&from, sizeof(from)), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	clients[n_clients++] = fd;
	return fd;
}

static int open_client(void)
{
	size_t n = server_n_connections(server), n_evicted = counters.n_evicted;
	int fd = connect_client();

	while (server_n_connections(server) == n && counters.n_evicted == n_evicted)
		event_base_loop(base, EVLOOP_ONCE);
	return fd;
}

static void say(int fd, const char *text)
{
	ck_assert_int_eq(write(fd, text, strlen(text)), strlen(text));
}

static void ask(int fd, const char *target)
{
	char request[128];

	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", target);
	say(fd, request);
}

/* The answer's head, or "" when the connection was closed. */
static const char *read_head(int fd)
{
	static char text[ANSWER_MAX];
	size_t length = 0;

	text[0] = '\0';
	while (length < sizeof(text) - 1 && !strstr(text, "\r\n\r\n")) {
		ssize_t n = read(fd, text + length, sizeof(text) - 1 - length);

		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return "";
		if (n > 0)
			text[length += (size_t)n] = '\0';
		else
			event_base_loop(base, EVLOOP_ONCE);
	}
	return text;
}

static bool answers(int fd, const char *status)
{
	const char *head = read_head(fd);

	return strncmp(head, "HTTP/1.1 ", 9) == 0 && strncmp(head + 9, status, 3) == 0;
}

static void wait_until_begun(size_t n)
{
	while (n_waiting < n)
		event_base_loop(base, EVLOOP_ONCE);
}

START_TEST(who_waits_longest_makes_room)
{
	int first, second, third;

	begin((struct server_config){ .connections_max = 2 });
	first = open_client();
	second = open_client();
	/* It has said something since, so it waits less long than the second. */
	ask(first, "/emergency");
	wait_until_begun(1);
	exchange_reply_empty(waiting[0], 204);
	ck_assert(answers(first, "204"));
	third = open_client();
	ck_assert_str_eq(read_head(second), "");
	ask(third, "/emergency");
	wait_until_begun(2);
	exchange_reply_empty(waiting[1], 204);
	ck_assert(answers(third, "204"));
	ask(first, "/emergency");
	wait_until_begun(3);
	exchange_reply_empty(waiting[2], 204);
	ck_assert(answers(first, "204"));
	ck_assert_uint_eq(counters.n_evicted, 1);
	end();
}
END_TEST

START_TEST(half_a_head_keeps_nobody_out)
{
	begin((struct server_config){ .connections_max = 3 });
	for (int i = 0; i < 20; i++)
		say(open_client(), "GET /emergency HTTP/1.1\r\nHost: loc");
	ask(open_client(), "/emergency");
	wait_until_begun(1);
	ck_assert_uint_le(server_n_connections(server), 3);
	exchange_reply_empty(waiting[0], 204);
	ck_assert(answers(clients[n_clients - 1], "204"));
	end();
}
END_TEST

START_TEST(when_everybody_works_the_reserve_is_for_emergencies)
{
	int fd;

	begin((struct server_config){ .connections_max = 1 });
	ask(open_client(), "/report");
	wait_until_begun(1);
	fd = open_client();
	ask(fd, "/report");
	ck_assert(answers(fd, "503"));
	ck_assert_uint_eq(counters.n_overloaded, 1);
	fd = open_client();
	ask(fd, "/emergency");
	wait_until_begun(2);
	exchange_reply_empty(waiting[1], 204);
	ck_assert(answers(fd, "204"));
	exchange_reply_empty(waiting[0], 204);
	ck_assert(answers(clients[0], "204"));
	end();
}
END_TEST

START_TEST(beyond_the_reserve_clients_wait_to_be_accepted)
{
	int late;

	begin((struct server_config){ .connections_max = 1 });
	for (size_t i = 0; i <= SERVER_RESERVE; i++) {
		ask(open_client(), "/emergency");
		wait_until_begun(i + 1);
	}
	late = connect_client();
	ask(late, "/emergency");
	for (int i = 0; i < 10; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_uint_eq(server_n_connections(server), SERVER_RESERVE + 1);
	ck_assert_uint_eq(n_waiting, SERVER_RESERVE + 1);
	exchange_reply_empty(waiting[0], 204);
	ck_assert(answers(clients[0], "204"));
	close(clients[0]);
	clients[0] = open("/dev/null", O_RDONLY);
	wait_until_begun(SERVER_RESERVE + 2);
	for (size_t i = 1; i < n_waiting; i++)
		exchange_reply_empty(waiting[i], 204);
	ck_assert(answers(late, "204"));
	end();
}
END_TEST

START_TEST(a_network_has_so_many_connections_and_those_that_wait_make_room)
{
	int first, second, third;

	begin((struct server_config){ .network_max = 2 });
	first = open_client();
	second = open_client();
	third = open_client();
	ck_assert_str_eq(read_head(first), "");
	ck_assert_uint_eq(server_n_connections(server), 2);
	ask(second, "/report");
	wait_until_begun(1);
	ask(third, "/report");
	wait_until_begun(2);
	/* Nobody waits now. */
	ask(open_client(), "/report");
	ck_assert(answers(clients[3], "503"));
	ask(open_client(), "/emergency");
	wait_until_begun(3);
	for (size_t i = 0; i < 3; i++)
		exchange_reply_empty(waiting[i], 204);
	ck_assert(answers(second, "204"));
	ck_assert(answers(third, "204"));
	ck_assert(answers(clients[4], "204"));
	ck_assert_uint_eq(counters.n_crowded, 0);
	end();
}
END_TEST

START_TEST(above_its_reserve_a_network_is_closed_and_others_are_served)
{
	begin((struct server_config){ .network_max = 1 });
	for (size_t i = 0; i <= SERVER_RESERVE; i++) {
		ask(open_client(), "/emergency");
		wait_until_begun(i + 1);
	}
	ck_assert_str_eq(read_head(connect_client()), "");
	ck_assert_uint_eq(counters.n_crowded, 1);
	source = htonl(INADDR_LOOPBACK + 256); /* 127.0.1.1 */
	ask(open_client(), "/report");
	wait_until_begun(SERVER_RESERVE + 2);
	exchange_reply_empty(waiting[SERVER_RESERVE + 1], 204);
	ck_assert(answers(clients[n_clients - 1], "204"));
	for (size_t i = 0; i <= SERVER_RESERVE; i++)
		exchange_reply_empty(waiting[i], 204);
	end();
}
END_TEST

START_TEST(networks_of_many_people_have_more_connections_and_proxies_are_not_counted)
{
	const struct limits limits = { .shared_factor = 3 };
	struct client_range range;

	ck_assert_int_eq(client_range_read("127.0.0.0/24", &range), 0);
	begin((struct server_config){ .network_max = 1, .gate.limits = &limits });
	for (int i = 0; i < 4; i++)
		(void)open_client();
	ck_assert_uint_eq(server_n_connections(server), 3);
	end();
	begin((struct server_config){ .network_max = 1, .trusted_proxies = { &range, 1 } });
	for (int i = 0; i < 4; i++)
		(void)open_client();
	ck_assert_uint_eq(server_n_connections(server), 4);
	end();
}
END_TEST

START_TEST(a_late_answer_is_503_and_its_work_goes_on)
{
	int fd;

	begin((struct server_config){ .exchange_ms = 20 });
	fd = open_client();
	ask(fd, "/report");
	ck_assert(answers(fd, "503"));
	ck_assert_uint_eq(n_waiting, 1);
	ck_assert_uint_eq(counters.n_late, 1);
	exchange_reply_empty(waiting[0], 204);
	while (server_n_connections(server))
		event_base_loop(base, EVLOOP_ONCE);
	end();
}
END_TEST

START_TEST(a_client_that_left_a_late_answer_is_forgotten_with_it)
{
	int fd;

	begin((struct server_config){ .exchange_ms = 20 });
	fd = open_client();
	ask(fd, "/report");
	ck_assert(answers(fd, "503"));
	close(fd);
	clients[0] = open("/dev/null", O_RDONLY);
	for (int i = 0; i < 10; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_uint_eq(server_n_connections(server), 1);
	exchange_refuse(waiting[0], 404, "conduct-not-found");
	while (server_n_connections(server))
		event_base_loop(base, EVLOOP_ONCE);
	end();
}
END_TEST

START_TEST(a_slow_head_and_a_slow_body_are_408)
{
	int head, body;

	begin((struct server_config){ .head_timeout_ms = 20, .body_idle_ms = 20 });
	head = open_client();
	say(head, "GET /report HTTP/1.1\r\n");
	ck_assert(answers(head, "408"));
	body = open_client();
	say(body, "POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{");
	ck_assert(answers(body, "408"));
	end();
}
END_TEST

START_TEST(who_does_not_read_is_closed)
{
	int fd;

	begin((struct server_config){ .write_timeout_ms = 20, .write_rate = 1U << 30 });
	fd = open_client();
	ask(fd, "/big");
	while (server_n_connections(server))
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert_int_ge(fd, 0);
	end();
}
END_TEST

/* True when the loop has nothing more to do by itself. */
static bool is_settled(void)
{
	for (int i = 0; i < 1000; i++) {
		(void)event_base_get_max_events(base, EVENT_BASE_COUNT_ACTIVE, 1);
		event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		if (event_base_get_max_events(base, EVENT_BASE_COUNT_ACTIVE, 0) == 0)
			return true;
	}
	return false;
}

START_TEST(who_has_said_all_and_does_not_read_costs_nothing_meanwhile)
{
	static char bytes[1 << 16];
	size_t length;
	ssize_t n;
	int fd;

	begin((struct server_config){ 0 });
	fd = open_client();
	say(fd, "GET /big HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
	length = strlen(read_head(fd));
	shutdown(fd, SHUT_WR);
	ck_assert(is_settled());
	ck_assert_uint_eq(server_n_connections(server), 1);
	while ((n = read(fd, bytes, sizeof(bytes))) != 0) {
		ck_assert(n > 0 || errno == EAGAIN);
		length += n > 0 ? (size_t)n : 0;
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	ck_assert_uint_gt(length + ANSWER_MAX, BIG); /* what came with the head is not counted */
	ck_assert(is_settled());
	ck_assert_uint_eq(server_n_connections(server), 0);
	end();
}
END_TEST

START_TEST(answers_that_nobody_fetches_make_room_for_others)
{
	int slow, other;

	begin((struct server_config){ .buffers_max = BIG + BIG / 2 });
	slow = open_client();
	ask(slow, "/big");
	while (counters.n_evicted == 0) {
		other = open_client();
		ask(other, "/big");
		for (int i = 0; i < 50 && counters.n_evicted == 0; i++)
			event_base_loop(base, EVLOOP_NONBLOCK);
		ck_assert_uint_lt(n_clients, 8);
	}
	ck_assert_uint_lt(server_n_connections(server), n_clients);
	end();
}
END_TEST

START_TEST(bodies_are_taken_as_far_as_there_is_room)
{
	int fd;

	begin((struct server_config){ .buffers_max = 40000 });
	fd = open_client();
	say(fd, "POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 39000\r\n\r\n");
	ck_assert(answers(fd, "503"));
	/* This much is kept for what is as small as an emergency. */
	for (int i = 0; i < 2; i++) {
		fd = open_client();
		say(fd, "POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16384\r\n"
			"Expect: 100-continue\r\n\r\n");
		ck_assert(answers(fd, "100"));
	}
	fd = open_client();
	say(fd, "POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16384\r\n\r\n");
	ck_assert(answers(fd, "503"));
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http/room");
	TCase *tcase = tcase_create("room");
	SRunner *runner;
	int n_failed;

	log_init("test", LOG_LEVEL_ERROR);
	signal(SIGPIPE, SIG_IGN); /* as the daemon does */
	tcase_add_test(tcase, who_waits_longest_makes_room);
	tcase_add_test(tcase, half_a_head_keeps_nobody_out);
	tcase_add_test(tcase, when_everybody_works_the_reserve_is_for_emergencies);
	tcase_add_test(tcase, beyond_the_reserve_clients_wait_to_be_accepted);
	tcase_add_test(tcase, a_network_has_so_many_connections_and_those_that_wait_make_room);
	tcase_add_test(tcase, above_its_reserve_a_network_is_closed_and_others_are_served);
	tcase_add_test(tcase,
		       networks_of_many_people_have_more_connections_and_proxies_are_not_counted);
	tcase_add_test(tcase, a_late_answer_is_503_and_its_work_goes_on);
	tcase_add_test(tcase, a_client_that_left_a_late_answer_is_forgotten_with_it);
	tcase_add_test(tcase, a_slow_head_and_a_slow_body_are_408);
	tcase_add_test(tcase, who_does_not_read_is_closed);
	tcase_add_test(tcase, who_has_said_all_and_does_not_read_costs_nothing_meanwhile);
	tcase_add_test(tcase, answers_that_nobody_fetches_make_room_for_others);
	tcase_add_test(tcase, bodies_are_taken_as_far_as_there_is_room);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? 1 : 0;
}
