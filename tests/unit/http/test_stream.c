/* Bodies and answers in pieces: whoever is slower sets the pace, and who leaves is told of. */

#include "tests/unit/suite.h"

#include "api/http/server.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 1000, FILE_LENGTH = 300 * 1000 };

static struct event_base *base;
static struct server *server;
static struct exchange *now; /* begun, and not at its end */
static char room[PIECE], file[FILE_LENGTH], seen[FILE_LENGTH];
static size_t n_seen, n_asked, n_sent;
static bool has_left, takes_by_itself, sends_by_itself;
static int client;

static void on_piece(struct exchange *exchange, bool is_there);

static void take(void)
{
	uint64_t left = exchange_body_left(now);

	exchange_take(now, room, left < PIECE ? (size_t)left : PIECE, on_piece);
}

static void on_piece(struct exchange *exchange, bool is_there)
{
	uint64_t left = exchange_body_left(exchange);

	if (!is_there) {
		has_left = true;
		exchange_refuse(exchange, 408, "conduct-timeout");
		now = NULL;
		return;
	}
	n_asked = 0;
	memcpy(seen + n_seen, room, PIECE);
	n_seen += PIECE;
	if (left == 0) {
		exchange_reply_empty(exchange, 204);
		now = NULL;
	} else if (takes_by_itself) {
		take();
	}
}

static void on_upload(struct exchange *exchange)
{
	now = exchange;
	if (takes_by_itself)
		take();
}

static void refuse(struct exchange *exchange)
{
	exchange_refuse(exchange, 404, "conduct-not-found");
}

static void on_want(struct exchange *exchange, bool is_wanted)
{
	if (!is_wanted) {
		has_left = true;
		exchange_end(exchange);
		now = NULL;
		return;
	}
	n_asked++;
	if (!sends_by_itself)
		return;
	if (n_sent + 10 * PIECE == FILE_LENGTH)
		now = NULL;
	n_sent += 10 * PIECE;
	exchange_send(exchange, (struct slice){ file + n_sent - 10 * PIECE, 10 * PIECE });
}

static void on_download(struct exchange *exchange)
{
	now = exchange;
	exchange_set_etag(exchange, "one");
	exchange_begin_stream(exchange, 200, "text/plain", FILE_LENGTH, on_want);
}

static const struct route routes[] = {
	{ HTTP_POST,
	  "/file",
	  AUDIENCE_PUBLIC,
	  FILE_LENGTH,
	  ROUTE_RAW | ROUTE_STREAM,
	  on_upload,
	  { NULL } },
	{ HTTP_POST,
	  "/refused",
	  AUDIENCE_PUBLIC,
	  FILE_LENGTH,
	  ROUTE_RAW | ROUTE_STREAM,
	  refuse,
	  { NULL } },
	{ HTTP_GET, "/file", AUDIENCE_PUBLIC, 0, ROUTE_STREAM, on_download, { NULL } },
};

static void begin_with(struct server_config config)
{
	struct sockaddr_in address;
	socklen_t length = sizeof(address);
	int fd;

	signal(SIGPIPE, SIG_IGN);
	config.routes = routes;
	config.n_routes = ARRAY_SIZE(routes);
	base = event_base_new();
	now = NULL;
	n_seen = n_asked = n_sent = 0;
	has_left = false;
	takes_by_itself = sends_by_itself = true;
	for (size_t i = 0; i < sizeof(file); i++)
		file[i] = (char)(i * 31 + i / 256);
	ck_assert_int_eq(server_new(base, &config, &server), 0);
	ck_assert_int_eq(server_open_listener("127.0.0.1", 0, false, &fd), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	ck_assert_int_eq(server_listen_take(server, fd, NULL), 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&address, length), 0);
	fcntl(client, F_SETFL, O_NONBLOCK);
}

static void begin(void)
{
	begin_with((struct server_config){ 0 });
}

static void end(void)
{
	if (client >= 0)
		close(client);
	server = server_free(server);
	event_base_free(base);
}

static void turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
}

/* The connection has gone, with everything. */
static void wait_for_end(void)
{
	while (server_n_connections(server))
		event_base_loop(base, EVLOOP_ONCE);
}

static void say(const char *text)
{
	ck_assert_int_eq(write(client, text, strlen(text)), (int)strlen(text));
}

/* Writes and lets the server read, until all is written or the server takes no more. */
static size_t push(size_t from, size_t to)
{
	unsigned n_idle = 0;

	while (from < to && n_idle < 50) {
		ssize_t n = write(client, file + from, to - from);

		from += n > 0 ? (size_t)n : 0;
		n_idle = n > 0 ? 0 : n_idle + 1;
		turn();
	}
	return from;
}

/* All of the answer, until the server closes or `most` bytes have come. */
static size_t pull(char *ret_text, size_t most)
{
	size_t length = 0;

	while (length < most) {
		ssize_t n = read(client, ret_text + length, most - length);

		if (n == 0 || (n < 0 && errno != EAGAIN))
			break;
		length += n > 0 ? (size_t)n : 0;
		if (n < 0)
			event_base_loop(base, EVLOOP_ONCE);
	}
	return length;
}

static void read_head(char *ret_text, size_t size)
{
	size_t length = 0;

	do {
		length += pull(ret_text + length, 1);
		ret_text[length] = '\0';
		ck_assert_uint_lt(length, size - 1);
	} while (!strstr(ret_text, "\r\n\r\n"));
}

#define UPLOAD "POST /file HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000\r\n\r\n"

START_TEST(a_body_comes_in_pieces)
{
	char head[2048];

	begin();
	say(UPLOAD);
	ck_assert_uint_eq(push(0, FILE_LENGTH), FILE_LENGTH);
	read_head(head, sizeof(head));
	ck_assert_ptr_nonnull(strstr(head, "HTTP/1.1 204 "));
	ck_assert_uint_eq(n_seen, FILE_LENGTH);
	ck_assert_int_eq(memcmp(seen, file, FILE_LENGTH), 0);
	/* The connection is as good as new. */
	say("GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n");
	read_head(head, sizeof(head));
	ck_assert_ptr_nonnull(strstr(head, "HTTP/1.1 404 "));
	end();
}
END_TEST

/* Nobody takes: the client cannot push more than sockets hold. */
START_TEST(nothing_is_read_before_it_is_taken)
{
	int small = 16 * 1024;
	size_t n;

	begin();
	setsockopt(client, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	takes_by_itself = false;
	say(UPLOAD);
	while (!now)
		event_base_loop(base, EVLOOP_ONCE);
	n = push(0, FILE_LENGTH);
	take();
	while (n_seen < PIECE)
		event_base_loop(base, EVLOOP_ONCE);
	for (int i = 0; i < 100; i++)
		turn();
	ck_assert_uint_eq(n_seen, PIECE);
	takes_by_itself = true;
	take();
	ck_assert_uint_eq(push(n, FILE_LENGTH), FILE_LENGTH);
	while (now)
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert_int_eq(memcmp(seen, file, FILE_LENGTH), 0);
	end();
}
END_TEST

START_TEST(a_client_that_asks_first_is_told_when_the_body_is_taken)
{
	char head[2048];

	begin();
	takes_by_itself = false;
	say("POST /file HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
	    "Content-Length: 1000\r\n\r\n");
	while (!now)
		event_base_loop(base, EVLOOP_ONCE);
	for (int i = 0; i < 20; i++)
		turn();
	ck_assert_int_lt(read(client, head, sizeof(head)), 0);
	take();
	read_head(head, sizeof(head));
	ck_assert_str_eq(head, "HTTP/1.1 100 Continue\r\n\r\n");
	push(0, PIECE);
	read_head(head, sizeof(head));
	ck_assert_ptr_nonnull(strstr(head, "HTTP/1.1 204 "));
	end();
}
END_TEST

/* Early, without 100, and with an end: nobody reads what was not taken. */
START_TEST(a_refused_body_is_not_asked_for)
{
	static const char *const requests[] = {
		"POST /refused HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
		"Content-Length: 300000\r\n\r\n",
		"POST /refused HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000\r\n\r\n",
		"POST /file?a=b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000\r\n\r\n",
		"POST /file HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300001\r\n\r\n",
	};
	static const char *const statuses[] = { "404", "404", "400", "413" };
	char answer[4096], status[32];

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		begin();
		say(requests[i]);
		answer[pull(answer, sizeof(answer) - 1)] = '\0';
		snprintf(status, sizeof(status), "HTTP/1.1 %s ", statuses[i]);
		ck_assert_msg(strncmp(answer, status, strlen(status)) == 0, "%zu: %s", i, answer);
		ck_assert_ptr_nonnull(strstr(answer, "\r\nConnection: close\r\n"));
		ck_assert_ptr_null(now);
		end();
	}
}
END_TEST

START_TEST(a_client_that_leaves_its_body_is_told_of)
{
	begin();
	say(UPLOAD);
	push(0, FILE_LENGTH / 2);
	close(client);
	client = -1;
	wait_for_end();
	ck_assert(has_left);
	ck_assert_uint_le(n_seen, FILE_LENGTH / 2);
	end();
}
END_TEST

/* It leaves while nobody listens: the next piece does not come. */
START_TEST(a_client_that_left_meanwhile_is_told_of)
{
	begin();
	takes_by_itself = false;
	say(UPLOAD);
	while (!now)
		event_base_loop(base, EVLOOP_ONCE);
	close(client);
	client = -1;
	take();
	wait_for_end();
	ck_assert(has_left);
	end();
}
END_TEST

START_TEST(a_body_that_comes_too_slowly_is_given_up)
{
	char answer[2048];

	begin_with((struct server_config){ .body_idle_ms = 30 });
	say(UPLOAD);
	push(0, PIECE + 1);
	answer[pull(answer, sizeof(answer) - 1)] = '\0';
	ck_assert_ptr_nonnull(strstr(answer, "HTTP/1.1 408 "));
	ck_assert(has_left);
	wait_for_end();
	end();
}
END_TEST

#define DOWNLOAD "GET /file HTTP/1.1\r\nHost: localhost\r\n\r\n"

START_TEST(an_answer_leaves_in_pieces)
{
	char head[2048];

	begin();
	for (int i = 0; i < 2; i++) {
		n_sent = 0;
		say(DOWNLOAD);
		read_head(head, sizeof(head));
		ck_assert_ptr_nonnull(strstr(head, "HTTP/1.1 200 "));
		ck_assert_ptr_nonnull(strstr(head, "\r\nContent-Length: 300000\r\n"));
		ck_assert_uint_eq(pull(seen, FILE_LENGTH), FILE_LENGTH);
		ck_assert_int_eq(memcmp(seen, file, FILE_LENGTH), 0);
		ck_assert_ptr_null(now);
	}
	ck_assert_uint_eq(n_asked, 60);
	end();
}
END_TEST

START_TEST(heads_alone_have_no_pieces)
{
	char head[2048];

	begin();
	say("HEAD /file HTTP/1.1\r\nHost: localhost\r\n\r\n");
	read_head(head, sizeof(head));
	ck_assert_ptr_nonnull(strstr(head, "\r\nContent-Length: 300000\r\n"));
	say("GET /file HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \"one\"\r\n\r\n");
	read_head(head, sizeof(head));
	ck_assert_ptr_nonnull(strstr(head, "HTTP/1.1 304 "));
	ck_assert_uint_eq(n_asked, 0);
	now = NULL;
	end();
}
END_TEST

/* Who does not read is sent no more than sockets hold. */
START_TEST(no_piece_is_asked_for_before_the_last_has_left)
{
	begin();
	sends_by_itself = false;
	say(DOWNLOAD);
	while (!n_asked)
		event_base_loop(base, EVLOOP_ONCE);
	for (int i = 0; i < 20; i++)
		turn();
	ck_assert_uint_eq(n_asked, 1);
	exchange_end(now);
	now = NULL;
	wait_for_end();
	end();
}
END_TEST

START_TEST(an_answer_that_cannot_go_on_is_cut_off)
{
	begin();
	sends_by_itself = false;
	say(DOWNLOAD);
	while (!n_asked)
		event_base_loop(base, EVLOOP_ONCE);
	exchange_send(now, (struct slice){ file, PIECE });
	while (n_asked < 2)
		event_base_loop(base, EVLOOP_ONCE);
	exchange_end(now);
	now = NULL;
	ck_assert_uint_lt(pull(seen, FILE_LENGTH), 2 * PIECE);
	ck_assert_uint_eq(server_n_connections(server), 0);
	end();
}
END_TEST

START_TEST(a_client_that_leaves_its_answer_is_told_of)
{
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	char head[2048];

	begin();
	sends_by_itself = false;
	say(DOWNLOAD);
	read_head(head, sizeof(head));
	setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(client);
	client = -1;
	sends_by_itself = true;
	on_want(now, true);
	wait_for_end();
	ck_assert(has_left);
	end();
}
END_TEST

START_TEST(more_than_was_promised_is_not_sent)
{
	begin();
	sends_by_itself = false;
	say(DOWNLOAD);
	while (!n_asked)
		event_base_loop(base, EVLOOP_ONCE);
	exchange_send(now, (struct slice){ file, FILE_LENGTH + 1 });
	ck_assert(has_left);
	ck_assert_ptr_null(now);
	wait_for_end();
	end();
}
END_TEST

START_TEST(without_room_nothing_begins)
{
	char answer[4096];

	begin_with((struct server_config){ .buffers_max = 256 * 1024 });
	say(UPLOAD);
	answer[pull(answer, sizeof(answer) - 1)] = '\0';
	ck_assert_ptr_nonnull(strstr(answer, "HTTP/1.1 503 "));
	ck_assert_ptr_null(now);
	end();
}
END_TEST

SUITE("http/stream", a_body_comes_in_pieces, nothing_is_read_before_it_is_taken,
      a_client_that_asks_first_is_told_when_the_body_is_taken, a_refused_body_is_not_asked_for,
      a_client_that_leaves_its_body_is_told_of, a_client_that_left_meanwhile_is_told_of,
      a_body_that_comes_too_slowly_is_given_up, an_answer_leaves_in_pieces,
      heads_alone_have_no_pieces, no_piece_is_asked_for_before_the_last_has_left,
      an_answer_that_cannot_go_on_is_cut_off, a_client_that_leaves_its_answer_is_told_of,
      more_than_was_promised_is_not_sent, without_room_nothing_begins)
