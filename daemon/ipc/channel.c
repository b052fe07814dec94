/*
 * One end of a channel. Sending never blocks: what the socket does not take waits in a bounded
 * queue. Everything received is checked against the table of types before anybody sees it; the
 * first malformed message closes the channel. Replies carry the id of the request and find it in
 * the list of open requests; a reply nobody waits for is dropped, because its request was late.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/ipc/channel.h"
#include "daemon/ipc/packet.h"

enum { FLAG_REPLY = 1 };

/* On the wire, in host order: both ends are one program. */
struct header {
	uint16_t type;
	uint8_t version;
	uint8_t flags;
	uint32_t length;
	uint32_t id;
};

_Static_assert(sizeof(struct header) == IPC_HEADER_LENGTH, "the header has no padding");

struct packet {
	struct packet *next;
	int fd; /* -1, or to be passed and closed */
	size_t length;
	char bytes[];
};

struct ipc_channel {
	struct ipc_setup setup;
	struct event *read_event;
	struct event *write_event;
	struct packet *first;
	struct packet **last;
	size_t n_packets;
	struct ipc_request *requests;
	size_t n_requests;
	uint32_t last_id;
	bool is_open;
	bool is_ending;       /* freed by its owner while one of its callbacks runs */
	unsigned n_callbacks; /* on the stack; the last one out frees an ending channel */
	char bytes[IPC_HEADER_LENGTH + IPC_PAYLOAD_LIMIT];
};

static int descriptor_close(int fd)
{
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

/*
 * Opens the two ends of a channel, close-on-exec and non-blocking. Both are the caller's.
 */
int ipc_pair_open(int ret_fds[2])
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return -errno;
	ret_fds[0] = fds[0];
	ret_fds[1] = fds[1];
	return 0;
}

static void request_unlink(struct ipc_request *request)
{
	struct ipc_channel *channel = request->channel;
	struct ipc_request **at = &channel->requests;

	/* It is there: from the send to done(). */
	while (*at != request)
		at = &(*at)->next;
	*at = request->next;
	channel->n_requests--;
	event_free(request->timer);
	request->timer = NULL;
	request->next = NULL;
	request->channel = NULL;
}

static void requests_fail(struct ipc_channel *channel)
{
	while (channel->requests) {
		struct ipc_request *request = channel->requests;

		request_unlink(request);
		request->done(request, IPC_CLOSED, NULL);
	}
}

/* A packet may have held keys. */
static void packet_free(struct packet *packet)
{
	descriptor_close(packet->fd);
	explicit_bzero(packet->bytes, packet->length);
	free(packet);
}

static void packets_drop(struct ipc_channel *channel)
{
	while (channel->first) {
		struct packet *packet = channel->first;

		channel->first = packet->next;
		packet_free(packet);
	}
	channel->last = &channel->first;
	channel->n_packets = 0;
}

static void channel_destroy(struct ipc_channel *channel)
{
	if (channel->read_event)
		event_free(channel->read_event);
	if (channel->write_event)
		event_free(channel->write_event);
	descriptor_close(channel->setup.fd);
	packets_drop(channel);
	free(channel);
}

/* The one place where a channel closes. The owner hears of it once and may free it. */
static void channel_close(struct ipc_channel *channel, const char *why)
{
	if (!channel->is_open)
		return;
	channel->is_open = false;
	event_del(channel->read_event);
	event_del(channel->write_event);
	channel->setup.fd = descriptor_close(channel->setup.fd);
	packets_drop(channel);
	requests_fail(channel);
	if (!channel->is_ending && channel->setup.on_closed)
		channel->setup.on_closed(channel, why, channel->setup.userdata);
}

static void callback_enter(struct ipc_channel *channel)
{
	channel->n_callbacks++;
}

static void callback_leave(struct ipc_channel *channel)
{
	if (--channel->n_callbacks == 0 && channel->is_ending)
		channel_destroy(channel);
}

static bool is_busy(int r)
{
	return r == -EAGAIN || r == -EINTR || r == -ENOBUFS;
}

static void packets_send(struct ipc_channel *channel)
{
	while (channel->first) {
		struct packet *packet = channel->first;
		int r = ipc_packet_send(channel->setup.fd,
					(struct slice){ packet->bytes, packet->length },
					packet->fd);

		if (is_busy(r)) {
			event_add(channel->write_event, NULL);
			return;
		}
		if (r < 0) {
			channel_close(channel, "the peer does not read");
			return;
		}
		channel->first = packet->next;
		if (!channel->first)
			channel->last = &channel->first;
		channel->n_packets--;
		packet_free(packet);
	}
}

static void on_writable(int fd, short what, void *userdata)
{
	struct ipc_channel *channel = userdata;

	callback_enter(channel);
	packets_send(channel);
	callback_leave(channel);
}

static int packet_queue(struct ipc_channel *channel, const struct header *header,
			struct slice payload, int fd)
{
	struct packet *packet;

	if (channel->n_packets >= IPC_QUEUE_LIMIT) {
		descriptor_close(fd);
		return IPC_E_FULL;
	}
	packet = malloc(sizeof(*packet) + sizeof(*header) + payload.length);
	if (!packet) {
		descriptor_close(fd);
		return -ENOMEM;
	}
	packet->next = NULL;
	packet->fd = fd;
	packet->length = sizeof(*header) + payload.length;
	memcpy(packet->bytes, header, sizeof(*header));
	if (payload.length)
		memcpy(packet->bytes + sizeof(*header), payload.at, payload.length);
	*channel->last = packet;
	channel->last = &packet->next;
	channel->n_packets++;
	/* Written from the loop, so that no callback runs before the sender has returned. */
	event_active(channel->write_event, EV_WRITE, 0);
	return 0;
}

static int message_send(struct ipc_channel *channel, const struct header *head,
			struct slice payload, int fd)
{
	const struct ipc_bounds *row = ipc_bounds_find(head->type);
	struct header header = *head;

	if (!row || payload.length < row->length_min || payload.length > row->length_max ||
	    row->has_descriptor != (fd >= 0)) {
		descriptor_close(fd);
		return -EINVAL;
	}
	if (!channel->is_open) {
		descriptor_close(fd);
		return IPC_E_CLOSED;
	}
	header.version = IPC_VERSION;
	header.length = (uint32_t)payload.length;
	return packet_queue(channel, &header, payload, fd);
}

/* A message that the table allows; the payload is copied by the caller's callback if it needs it.
 */
static const char *message_check(const struct header *header, size_t length, int fd)
{
	const struct ipc_bounds *row = ipc_bounds_find(header->type);

	if (header->version != IPC_VERSION)
		return "a message of another version";
	if (!row)
		return "a message of unknown type";
	if (header->flags & ~FLAG_REPLY)
		return "a message with unknown flags";
	if (header->length != length - sizeof(*header))
		return "a message that is not as long as it says";
	if (header->length < row->length_min || header->length > row->length_max)
		return "a message of forbidden length";
	if (row->has_descriptor != (fd >= 0))
		return "a message with a missing or unwanted descriptor";
	return NULL;
}

static void reply_deliver(struct ipc_channel *channel, struct ipc_message *message)
{
	struct ipc_request *request = channel->requests;

	while (request && request->id != message->id)
		request = request->next;
	if (!request) {
		descriptor_close(message->descriptor);
		return;
	}
	request_unlink(request);
	request->done(request, IPC_ANSWERED, message);
}

/* Reads one packet; returns false when there is none or the channel closed. */
static bool message_receive(struct ipc_channel *channel)
{
	struct ipc_received packet;
	struct ipc_message message;
	struct header header;
	const char *wrong;
	int r = ipc_packet_receive(channel->setup.fd, channel->bytes, sizeof(channel->bytes), 0,
				   &packet);

	if (is_busy(r))
		return false;
	if (r < 0) {
		channel_close(channel, "the socket failed");
		return false;
	}
	message.descriptor = packet.descriptor;
	if (packet.length == 0) {
		descriptor_close(message.descriptor);
		channel_close(channel, "the peer is gone");
		return false;
	}
	if (packet.length < sizeof(header) || packet.is_cut) {
		descriptor_close(message.descriptor);
		channel_close(channel, "a message that is too short or too long");
		return false;
	}
	memcpy(&header, channel->bytes, sizeof(header));
	wrong = message_check(&header, packet.length, message.descriptor);
	if (wrong) {
		descriptor_close(message.descriptor);
		channel_close(channel, wrong);
		return false;
	}
	message.type = header.type;
	message.id = header.id;
	message.payload = (struct slice){ channel->bytes + sizeof(header), header.length };
	if (header.flags & FLAG_REPLY)
		reply_deliver(channel, &message);
	else
		channel->setup.on_message(channel, &message, channel->setup.userdata);
	explicit_bzero(channel->bytes, packet.length);
	return true;
}

static void on_readable(int fd, short what, void *userdata)
{
	struct ipc_channel *channel = userdata;

	callback_enter(channel);
	/* Bounded, so that a chatty peer does not starve the loop. */
	for (unsigned i = 0; i < 64 && channel->is_open; i++)
		if (!message_receive(channel))
			break;
	callback_leave(channel);
}

/*
 * Makes a channel on a socket of ipc_pair_open(), which it takes, also on failure. on_message
 * owns the descriptor of a message that carries one.
 */
int ipc_channel_new(const struct ipc_setup *setup, struct ipc_channel **ret_channel)
{
	struct ipc_channel *channel = calloc(1, sizeof(*channel));

	if (!channel) {
		descriptor_close(setup->fd);
		return -ENOMEM;
	}
	channel->setup = *setup;
	channel->last = &channel->first;
	channel->is_open = true;
	channel->read_event = event_new(setup->base, setup->fd, EV_READ | EV_PERSIST, on_readable,
					channel);
	channel->write_event = event_new(setup->base, setup->fd, EV_WRITE, on_writable, channel);
	if (!channel->read_event || !channel->write_event ||
	    event_add(channel->read_event, NULL) < 0) {
		ipc_channel_free(channel);
		return -ENOMEM;
	}
	*ret_channel = channel;
	return 0;
}

/* Open requests are answered IPC_CLOSED; on_closed is not called. Returns NULL. */
struct ipc_channel *ipc_channel_free(struct ipc_channel *channel)
{
	if (!channel)
		return NULL;
	channel->is_ending = true;
	channel->setup.on_closed = NULL;
	callback_enter(channel);
	if (channel->read_event && channel->write_event)
		channel_close(channel, "freed");
	callback_leave(channel);
	return NULL;
}

bool ipc_channel_is_open(const struct ipc_channel *channel)
{
	return channel && channel->is_open;
}

/*
 * Sends a message that expects no answer. Returns 0, IPC_E_CLOSED, IPC_E_FULL (the peer has not
 * read for IPC_QUEUE_LIMIT messages), or -EINVAL for what the table of types forbids.
 */
int ipc_channel_send(struct ipc_channel *channel, uint16_t type, struct slice payload)
{
	return message_send(channel, &(struct header){ .type = type }, payload, -1);
}

/* As ipc_channel_send(), with a descriptor, which is taken and closed here once it is passed. */
int ipc_channel_send_descriptor(struct ipc_channel *channel, uint16_t type, struct slice payload,
				int fd)
{
	return message_send(channel, &(struct header){ .type = type }, payload, fd);
}

/* Answers a request that on_message was given. */
int ipc_channel_reply(struct ipc_channel *channel, const struct ipc_message *message, uint16_t type,
		      struct slice payload)
{
	const struct header header = { .type = type, .flags = FLAG_REPLY, .id = message->id };

	return message_send(channel, &header, payload, -1);
}

static void on_late(int fd, short what, void *userdata)
{
	struct ipc_request *request = userdata;

	request_unlink(request);
	request->done(request, IPC_LATE, NULL);
}

/*
 * Sends a request; request->done is called exactly once, never before this returns 0. On any other
 * return (as ipc_channel_send()) it is not called.
 */
int ipc_channel_request(struct ipc_channel *channel, struct ipc_request *request, uint16_t type,
			struct slice payload, unsigned deadline_ms)
{
	const struct timeval deadline = { .tv_sec = deadline_ms / 1000,
					  .tv_usec = (suseconds_t)(deadline_ms % 1000) * 1000 };
	struct event *timer;
	int r;

	if (channel->n_requests >= IPC_REQUEST_LIMIT)
		return IPC_E_FULL;
	timer = evtimer_new(channel->setup.base, on_late, request);
	if (!timer || event_add(timer, &deadline) < 0) {
		if (timer)
			event_free(timer);
		return -ENOMEM;
	}
	request->id = ++channel->last_id;
	r = message_send(channel, &(struct header){ .type = type, .id = request->id }, payload, -1);
	if (r) {
		event_free(timer);
		return r;
	}
	request->timer = timer;
	request->channel = channel;
	request->next = channel->requests;
	channel->requests = request;
	channel->n_requests++;
	return 0;
}
