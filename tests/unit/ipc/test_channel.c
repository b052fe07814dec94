/* daemon/ipc/channel: what arrives, what is answered, and what closes a channel. */

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/ipc/channel.h"

struct side {
	struct ipc_channel *channel;
	unsigned n_messages;
	unsigned n_closed;
	uint16_t type;
	char payload[64];
	size_t payload_length;
	int descriptor;
	char why[80];
	bool answers;
	bool frees_itself;
};

struct pair {
	struct event_base *base;
	struct side one;
	struct side two;
	int raw; /* the bare socket where a test plays the other side itself; else -1 */
};

struct asked {
	struct ipc_request request;
	struct event_base *base;
	unsigned n_done;
	enum ipc_outcome outcome;
	char payload[16];
};

static void on_message(struct ipc_channel *channel, struct ipc_message *message, void *userdata)
{
	struct side *side = userdata;

	side->n_messages++;
	side->type = message->type;
	side->descriptor = message->descriptor;
	side->payload_length = message->payload.length;
	if (message->payload.length <= sizeof(side->payload))
		memcpy(side->payload, message->payload.at, message->payload.length);
	if (side->answers)
		ck_assert_int_eq(
			0, ipc_channel_reply(channel, message, IPC_TYPE_PONG, message->payload));
	if (side->frees_itself)
		side->channel = ipc_channel_free(channel);
}

static void on_closed(struct ipc_channel *channel, const char *why, void *userdata)
{
	struct side *side = userdata;

	side->n_closed++;
	strncpy(side->why, why, sizeof(side->why) - 1);
}

static void side_open(struct pair *pair, struct side *side, int fd)
{
	const struct ipc_setup setup = { .base = pair->base,
					 .fd = fd,
					 .on_message = on_message,
					 .on_closed = on_closed,
					 .userdata = side };

	ck_assert_int_eq(0, ipc_channel_new(&setup, &side->channel));
}

static void pair_init(struct pair *pair, bool is_raw)
{
	int fds[2];

	*pair = (struct pair){ .base = event_base_new(), .raw = -1 };
	ck_assert_int_eq(0, ipc_pair_open(fds));
	side_open(pair, &pair->one, fds[0]);
	if (is_raw)
		pair->raw = fds[1];
	else
		side_open(pair, &pair->two, fds[1]);
}

static void pair_deinit(struct pair *pair)
{
	ipc_channel_free(pair->one.channel);
	ipc_channel_free(pair->two.channel);
	if (pair->raw >= 0)
		close(pair->raw);
	event_base_free(pair->base);
}

static void pair_run(struct pair *pair)
{
	for (unsigned i = 0; i < 16; i++)
		event_base_loop(pair->base, EVLOOP_NONBLOCK);
}

static void on_done(struct ipc_request *request, enum ipc_outcome outcome,
		    const struct ipc_message *message)
{
	struct asked *asked = (struct asked *)(void *)request;

	asked->n_done++;
	asked->outcome = outcome;
	if (message)
		memcpy(asked->payload, message->payload.at, message->payload.length);
	if (asked->base)
		event_base_loopbreak(asked->base);
}

START_TEST(a_message_arrives_with_its_payload)
{
	struct pair pair;

	pair_init(&pair, false);
	ck_assert_int_eq(
		0, ipc_channel_send(pair.one.channel, IPC_TYPE_PING, (struct slice){ "hello", 5 }));
	ck_assert_uint_eq(0, pair.two.n_messages);
	pair_run(&pair);
	ck_assert_uint_eq(1, pair.two.n_messages);
	ck_assert_uint_eq(IPC_TYPE_PING, pair.two.type);
	ck_assert_uint_eq(5, pair.two.payload_length);
	ck_assert_int_eq(0, memcmp(pair.two.payload, "hello", 5));
	ck_assert_int_eq(-1, pair.two.descriptor);
	pair_deinit(&pair);
}
END_TEST

START_TEST(a_request_is_answered_once)
{
	struct asked asked = { .request.done = on_done };
	struct pair pair;

	pair_init(&pair, false);
	pair.two.answers = true;
	ck_assert_int_eq(0, ipc_channel_request(pair.one.channel, &asked.request, IPC_TYPE_PING,
						(struct slice){ "abc", 3 }, 10000));
	ck_assert_uint_eq(0, asked.n_done);
	pair_run(&pair);
	ck_assert_uint_eq(1, asked.n_done);
	ck_assert_int_eq(IPC_ANSWERED, asked.outcome);
	ck_assert_int_eq(0, memcmp(asked.payload, "abc", 3));
	ck_assert_uint_eq(0, pair.one.n_messages);
	pair_deinit(&pair);
	ck_assert_uint_eq(1, asked.n_done);
}
END_TEST

START_TEST(answers_find_their_requests_in_any_order)
{
	struct asked asked[3] = { { .request.done = on_done },
				  { .request.done = on_done },
				  { .request.done = on_done } };
	struct pair pair;

	pair_init(&pair, false);
	pair.two.answers = true;
	for (unsigned i = 0; i < 3; i++) {
		char text[2] = { (char)('a' + i), '\0' };

		ck_assert_int_eq(0, ipc_channel_request(pair.one.channel, &asked[i].request,
							IPC_TYPE_PING, (struct slice){ text, 1 },
							10000));
	}
	pair_run(&pair);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq('a' + (int)i, asked[i].payload[0]);
	pair_deinit(&pair);
}
END_TEST

START_TEST(a_request_that_nobody_answers_is_late_and_its_answer_dropped)
{
	struct asked asked = { .request.done = on_done };
	struct pair pair;

	pair_init(&pair, false);
	asked.base = pair.base;
	ck_assert_int_eq(0, ipc_channel_request(pair.one.channel, &asked.request, IPC_TYPE_PING,
						(struct slice){ 0 }, 1));
	event_base_dispatch(pair.base);
	ck_assert_int_eq(IPC_LATE, asked.outcome);
	/* The late answer: nobody has the id any more. */
	ck_assert_int_eq(0, ipc_channel_reply(pair.two.channel, &(struct ipc_message){ .id = 1 },
					      IPC_TYPE_PONG, (struct slice){ 0 }));
	pair_run(&pair);
	ck_assert_uint_eq(1, asked.n_done);
	ck_assert_uint_eq(0, pair.one.n_closed);
	ck_assert_uint_eq(0, pair.one.n_messages);
	pair_deinit(&pair);
}
END_TEST

START_TEST(a_request_to_a_peer_that_dies_is_answered_closed)
{
	struct asked asked = { .request.done = on_done };
	struct pair pair;

	pair_init(&pair, false);
	ck_assert_int_eq(0, ipc_channel_request(pair.one.channel, &asked.request, IPC_TYPE_PING,
						(struct slice){ 0 }, 10000));
	pair.two.channel = ipc_channel_free(pair.two.channel);
	pair_run(&pair);
	ck_assert_int_eq(IPC_CLOSED, asked.outcome);
	ck_assert_uint_eq(1, pair.one.n_closed);
	ck_assert(!ipc_channel_is_open(pair.one.channel));
	ck_assert_int_eq(IPC_E_CLOSED,
			 ipc_channel_send(pair.one.channel, IPC_TYPE_PING, (struct slice){ 0 }));
	pair_deinit(&pair);
	ck_assert_uint_eq(1, asked.n_done);
}
END_TEST

START_TEST(a_descriptor_travels)
{
	struct pair pair;
	int pipe_fds[2];
	char byte = 0;

	pair_init(&pair, false);
	ck_assert_int_eq(0, pipe(pipe_fds));
	ck_assert_int_eq(0, ipc_channel_send_descriptor(pair.one.channel, IPC_TYPE_VAULT,
							(struct slice){ 0 }, pipe_fds[1]));
	pair_run(&pair);
	ck_assert_int_ge(pair.two.descriptor, 0);
	ck_assert_int_eq(1, write(pair.two.descriptor, "x", 1));
	ck_assert_int_eq(1, read(pipe_fds[0], &byte, 1));
	ck_assert_int_eq('x', byte);
	close(pair.two.descriptor);
	close(pipe_fds[0]);
	pair_deinit(&pair);
}
END_TEST

START_TEST(what_the_table_forbids_is_not_sent)
{
	char long_payload[65] = { 0 };
	struct pair pair;

	pair_init(&pair, false);
	ck_assert_int_eq(-EINVAL, ipc_channel_send(pair.one.channel, 999, (struct slice){ 0 }));
	ck_assert_int_eq(-EINVAL, ipc_channel_send(pair.one.channel, IPC_TYPE_PING,
						   (struct slice){ long_payload, 65 }));
	ck_assert_int_eq(-EINVAL, ipc_channel_send(pair.one.channel, IPC_TYPE_RELOADED,
						   (struct slice){ 0 }));
	ck_assert_int_eq(-EINVAL,
			 ipc_channel_send(pair.one.channel, IPC_TYPE_VAULT, (struct slice){ 0 }));
	pair_run(&pair);
	ck_assert_uint_eq(0, pair.two.n_messages);
	pair_deinit(&pair);
}
END_TEST

START_TEST(a_queue_that_is_not_read_is_full_at_its_limit)
{
	struct pair pair;
	unsigned n = 0;

	pair_init(&pair, true);
	while (ipc_channel_send(pair.one.channel, IPC_TYPE_PING, (struct slice){ 0 }) == 0)
		ck_assert_uint_le(++n, IPC_QUEUE_LIMIT);
	ck_assert_uint_eq(IPC_QUEUE_LIMIT, n);
	ck_assert_int_eq(IPC_E_FULL,
			 ipc_channel_send(pair.one.channel, IPC_TYPE_PING, (struct slice){ 0 }));
	pair_deinit(&pair);
}
END_TEST

START_TEST(what_a_slow_peer_does_not_take_waits)
{
	char payload[64] = { 0 }, bytes[128];
	struct pair pair;
	unsigned n_sent = 0, n_received = 0;

	pair_init(&pair, true);
	/* The socket is full when the queue no longer empties. */
	for (int r = 0; r == 0; pair_run(&pair))
		while ((r = ipc_channel_send(pair.one.channel, IPC_TYPE_PING,
					     (struct slice){ payload, sizeof(payload) })) == 0 &&
		       ++n_sent % 16)
			ck_assert_uint_le(n_sent, 1000000);
	ck_assert_uint_gt(n_sent, IPC_QUEUE_LIMIT);
	for (unsigned idle = 0; idle < 2; idle++) {
		while (recv(pair.raw, bytes, sizeof(bytes), MSG_DONTWAIT) > 0) {
			n_received++;
			idle = 0;
		}
		pair_run(&pair);
	}
	ck_assert_uint_eq(n_sent, n_received);
	ck_assert_uint_eq(0, pair.one.n_closed);
	pair_deinit(&pair);
}
END_TEST

START_TEST(credentials_beside_a_message_are_no_descriptors)
{
	static const int on = 1;
	struct ipc_setup setup = { .on_message = on_message, .on_closed = on_closed };
	struct pair pair;
	int fds[2];

	pair_init(&pair, false);
	ck_assert_int_eq(0, ipc_pair_open(fds));
	ck_assert_int_eq(0, setsockopt(fds[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	ipc_channel_free(pair.one.channel);
	ipc_channel_free(pair.two.channel);
	setup.base = pair.base;
	setup.fd = fds[0];
	setup.userdata = &pair.one;
	ck_assert_int_eq(0, ipc_channel_new(&setup, &pair.one.channel));
	side_open(&pair, &pair.two, fds[1]);
	ck_assert_int_eq(
		0, ipc_channel_send(pair.two.channel, IPC_TYPE_PING, (struct slice){ "abc", 3 }));
	pair_run(&pair);
	ck_assert_uint_eq(1, pair.one.n_messages);
	ck_assert_int_eq(-1, pair.one.descriptor);
	pair_deinit(&pair);
}
END_TEST

START_TEST(a_pair_needs_free_descriptors)
{
	struct rlimit limit, none;
	int fds[2] = { 7, 7 };

	ck_assert_int_eq(0, getrlimit(RLIMIT_NOFILE, &limit));
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = limit.rlim_max };
	ck_assert_int_eq(0, setrlimit(RLIMIT_NOFILE, &none));
	ck_assert_int_eq(-EMFILE, ipc_pair_open(fds));
	ck_assert_int_eq(0, setrlimit(RLIMIT_NOFILE, &limit));
	ck_assert_int_eq(7, fds[0]);
}
END_TEST

START_TEST(a_chatty_peer_is_read_in_turns)
{
	struct pair pair;

	pair_init(&pair, false);
	for (unsigned i = 0; i < 100; i++)
		ck_assert_int_eq(
			0, ipc_channel_send(pair.one.channel, IPC_TYPE_PING, (struct slice){ 0 }));
	pair_run(&pair);
	ck_assert_uint_eq(100, pair.two.n_messages);
	pair_deinit(&pair);
}
END_TEST

START_TEST(open_requests_have_a_limit)
{
	static struct asked asked[IPC_REQUEST_LIMIT + 1];
	struct pair pair;

	pair_init(&pair, false);
	for (unsigned i = 0; i <= IPC_REQUEST_LIMIT; i++) {
		asked[i].request.done = on_done;
		ck_assert_int_eq(i == IPC_REQUEST_LIMIT ? IPC_E_FULL : 0,
				 ipc_channel_request(pair.one.channel, &asked[i].request,
						     IPC_TYPE_PING, (struct slice){ 0 }, 60000));
		if (i % 32 == 0)
			pair_run(&pair);
	}
	pair_deinit(&pair);
	for (unsigned i = 0; i < IPC_REQUEST_LIMIT; i++)
		ck_assert_int_eq(IPC_CLOSED, asked[i].outcome);
}
END_TEST

START_TEST(a_channel_may_close_unheard)
{
	struct pair pair;
	const struct ipc_setup setup = { .on_message = on_message, .userdata = &pair.two };
	struct ipc_setup deaf = setup;
	int fds[2];

	ck_assert(!ipc_channel_is_open(NULL));
	ck_assert_ptr_null(ipc_channel_free(NULL));
	pair_init(&pair, true);
	ck_assert_int_eq(0, ipc_pair_open(fds));
	deaf.base = pair.base;
	deaf.fd = fds[0];
	ck_assert_int_eq(0, ipc_channel_new(&deaf, &pair.two.channel));
	close(fds[1]);
	pair_run(&pair);
	ck_assert(!ipc_channel_is_open(pair.two.channel));
	pair_deinit(&pair);
}
END_TEST

START_TEST(the_owner_may_free_the_channel_in_its_callback)
{
	struct pair pair;

	pair_init(&pair, false);
	pair.two.frees_itself = true;
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(
			0, ipc_channel_send(pair.one.channel, IPC_TYPE_PING, (struct slice){ 0 }));
	pair_run(&pair);
	ck_assert_uint_eq(1, pair.two.n_messages);
	ck_assert_uint_eq(1, pair.one.n_closed);
	pair_deinit(&pair);
}
END_TEST

struct wire {
	uint16_t type;
	uint8_t version;
	uint8_t flags;
	uint32_t length;
	uint32_t id;
	char payload[80];
};

static const struct {
	struct wire wire;
	size_t size;
	const char *why;
} malformed[] = {
	{ { IPC_TYPE_PING, IPC_VERSION, 0, 0, 0, "" }, 11, "too short or too long" },
	{ { IPC_TYPE_PING, IPC_VERSION + 1, 0, 0, 0, "" }, 12, "another version" },
	{ { 0, IPC_VERSION, 0, 0, 0, "" }, 12, "unknown type" },
	{ { 65535, IPC_VERSION, 0, 0, 0, "" }, 12, "unknown type" },
	{ { IPC_TYPE_PING, IPC_VERSION, 2, 0, 0, "" }, 12, "unknown flags" },
	{ { IPC_TYPE_PING, IPC_VERSION, 0, 4, 0, "" }, 12, "not as long as it says" },
	{ { IPC_TYPE_PING, IPC_VERSION, 0, UINT32_MAX, 0, "" }, 12, "not as long as it says" },
	{ { IPC_TYPE_PING, IPC_VERSION, 0, 0, 0, "abcd" }, 16, "not as long as it says" },
	{ { IPC_TYPE_PING, IPC_VERSION, 0, 65, 0, "" }, 12 + 65, "forbidden length" },
	{ { IPC_TYPE_RELOADED, IPC_VERSION, 0, 0, 0, "" }, 12, "forbidden length" },
	{ { IPC_TYPE_VAULT, IPC_VERSION, 0, 0, 0, "" }, 12, "missing or unwanted descriptor" },
};

START_TEST(a_malformed_message_closes_the_channel)
{
	struct pair pair;

	pair_init(&pair, true);
	ck_assert_int_eq((int)malformed[_i].size,
			 send(pair.raw, &malformed[_i].wire, malformed[_i].size, 0));
	pair_run(&pair);
	ck_assert_uint_eq(0, pair.one.n_messages);
	ck_assert_uint_eq(1, pair.one.n_closed);
	ck_assert_ptr_nonnull(strstr(pair.one.why, malformed[_i].why));
	pair_deinit(&pair);
}
END_TEST

START_TEST(an_oversized_packet_closes_the_channel)
{
	size_t size = IPC_HEADER_LENGTH + IPC_PAYLOAD_LIMIT + 1;
	char *bytes = calloc(1, size);
	struct pair pair;

	pair_init(&pair, true);
	ck_assert_int_eq((int)size, send(pair.raw, bytes, size, 0));
	pair_run(&pair);
	ck_assert_uint_eq(1, pair.one.n_closed);
	ck_assert_ptr_nonnull(strstr(pair.one.why, "too short or too long"));
	free(bytes);
	pair_deinit(&pair);
}
END_TEST

/* Passes the writing end of a pipe along with a packet; returns the reading end. */
static int send_pipe(int raw, const void *packet, size_t length)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	/* sendmsg() takes no const; it does not write. */
	struct iovec part = { (void *)(uintptr_t)packet, length };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	int fds[2];

	ck_assert_int_eq(0, pipe(fds));
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fds[1], sizeof(int));
	ck_assert_int_eq((int)length, sendmsg(raw, &message, 0));
	close(fds[1]);
	return fds[0];
}

START_TEST(an_unwanted_descriptor_is_closed_and_closes_the_channel)
{
	/* An empty packet reads like the end of the peer. */
	static const size_t lengths[] = { IPC_HEADER_LENGTH, 3, 0 };

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct wire wire = { IPC_TYPE_PING, IPC_VERSION, 0, 0, 0, "" };
		struct pair pair;
		char byte;
		int fd;

		pair_init(&pair, true);
		fd = send_pipe(pair.raw, &wire, lengths[i]);
		pair_run(&pair);
		ck_assert_uint_eq(1, pair.one.n_closed);
		/* End of file: no copy of the writing end is left open. */
		ck_assert_int_eq(0, read(fd, &byte, 1));
		close(fd);
		pair_deinit(&pair);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ipc/channel");
	TCase *exchange = tcase_create("exchange");
	TCase *refusal = tcase_create("refusal");
	SRunner *runner;
	int n_failed;

	tcase_add_test(exchange, a_message_arrives_with_its_payload);
	tcase_add_test(exchange, a_request_is_answered_once);
	tcase_add_test(exchange, answers_find_their_requests_in_any_order);
	tcase_add_test(exchange, a_request_that_nobody_answers_is_late_and_its_answer_dropped);
	tcase_add_test(exchange, a_request_to_a_peer_that_dies_is_answered_closed);
	tcase_add_test(exchange, a_descriptor_travels);
	tcase_add_test(exchange, what_a_slow_peer_does_not_take_waits);
	tcase_add_test(exchange, credentials_beside_a_message_are_no_descriptors);
	tcase_add_test(exchange, a_pair_needs_free_descriptors);
	tcase_add_test(exchange, a_chatty_peer_is_read_in_turns);
	tcase_add_test(exchange, a_channel_may_close_unheard);
	tcase_add_test(refusal, open_requests_have_a_limit);
	tcase_add_test(exchange, the_owner_may_free_the_channel_in_its_callback);
	tcase_add_test(refusal, what_the_table_forbids_is_not_sent);
	tcase_add_test(refusal, a_queue_that_is_not_read_is_full_at_its_limit);
	tcase_add_loop_test(refusal, a_malformed_message_closes_the_channel, 0,
			    (int)ARRAY_SIZE(malformed));
	tcase_add_test(refusal, an_oversized_packet_closes_the_channel);
	tcase_add_test(refusal, an_unwanted_descriptor_is_closed_and_closes_the_channel);
	suite_add_tcase(suite, exchange);
	suite_add_tcase(suite, refusal);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
