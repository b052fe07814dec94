/*
 * Messages between processes: whatever a peer writes, each message that is handed out fits the
 * table of types, a channel closes once and stays closed, a request is answered exactly once, and
 * every descriptor that was sent is closed again.
 *
 * The input is a list of packets: two bytes of length, one of choices, the bytes.
 */

#include "tests/fuzz/fuzz.h"

#include "daemon/ipc/channel.h"

#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUESTS = 4, DESCRIPTORS_MAX = 128 };

/* What one byte per packet decides. */
enum {
	CHOICE_DESCRIPTOR = 1,  /* one is passed along */
	CHOICE_DESCRIPTORS = 2, /* three are */
	CHOICE_REPLY = 4,       /* the message is answered */
	CHOICE_REQUEST = 8,     /* a request is sent first */
	CHOICE_FREE = 16,       /* the owner frees the channel when it hears of the message */
	CHOICE_SEND = 32,       /* something is sent first */
	CHOICE_HEADER = 64,     /* the version and the length are put right */
};

struct asked {
	struct ipc_request request;
	unsigned n_done;
	bool is_sent;
};

struct owner {
	struct ipc_channel *channel;
	struct asked asked[REQUESTS];
	unsigned n_asked;
	unsigned n_closed;
	uint8_t choice;
};

static struct event_base *base;

static void on_message(struct ipc_channel *channel, struct ipc_message *message, void *userdata)
{
	struct owner *owner = userdata;
	const struct ipc_bounds *row = ipc_bounds_find(message->type);

	PROPERTY(row && owner->n_closed == 0);
	PROPERTY(message->payload.length >= row->length_min &&
		 message->payload.length <= row->length_max);
	PROPERTY((message->descriptor >= 0) == row->has_descriptor);
	if (message->descriptor >= 0)
		close(message->descriptor);
	if (owner->choice & CHOICE_REPLY)
		PROPERTY(ipc_channel_reply(channel, message, IPC_TYPE_PONG, (struct slice){ 0 }) !=
			 -EINVAL);
	if (owner->choice & CHOICE_FREE)
		owner->channel = ipc_channel_free(channel);
}

static void on_closed(struct ipc_channel *channel, const char *why, void *userdata)
{
	struct owner *owner = userdata;

	owner->n_closed++;
	PROPERTY(owner->n_closed == 1 && fuzz_is_line(why) && !ipc_channel_is_open(channel));
	if (owner->choice & CHOICE_FREE)
		owner->channel = ipc_channel_free(channel);
}

static void on_done(struct ipc_request *request, enum ipc_outcome outcome,
		    const struct ipc_message *message)
{
	struct asked *asked = (struct asked *)(void *)request;

	asked->n_done++;
	PROPERTY(asked->is_sent && asked->n_done == 1);
	PROPERTY((outcome == IPC_ANSWERED) == (message != NULL));
	if (message && message->descriptor >= 0)
		close(message->descriptor);
}

static void send_packet(int raw, const uint8_t *bytes, size_t length, unsigned n_descriptors)
{
	union {
		char bytes[CMSG_SPACE(3 * sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	/* sendmsg() takes no const; it does not write. */
	struct iovec part = { (void *)(uintptr_t)bytes, length };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	int fds[3] = { raw, raw, raw };

	if (n_descriptors) {
		struct cmsghdr *head;

		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(n_descriptors * sizeof(int));
		head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(n_descriptors * sizeof(int));
		memcpy(CMSG_DATA(head), fds, n_descriptors * sizeof(int));
	}
	(void)!sendmsg(raw, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void own(struct owner *owner)
{
	if (owner->choice & CHOICE_REQUEST && owner->n_asked < REQUESTS) {
		struct asked *asked = &owner->asked[owner->n_asked++];

		asked->request.done = on_done;
		asked->is_sent = true;
		if (ipc_channel_request(owner->channel, &asked->request, IPC_TYPE_PING,
					(struct slice){ 0 }, 60000) != 0)
			asked->is_sent = false;
	}
	if (owner->choice & CHOICE_SEND)
		(void)ipc_channel_send(owner->channel, IPC_TYPE_DRAIN, (struct slice){ 0 });
}

/* Ids count from one, so a packet that names one of them may answer a request. */
static void step(struct owner *owner, int raw, const uint8_t *bytes, size_t length)
{
	uint8_t packet[1 << 16];
	uint32_t payload = (uint32_t)length - IPC_HEADER_LENGTH;

	memcpy(packet, bytes, length);
	if (owner->choice & CHOICE_HEADER && length >= IPC_HEADER_LENGTH) {
		packet[1] = 0;
		packet[2] = IPC_VERSION;
		packet[3] &= 1;
		memcpy(packet + 4, &payload, sizeof(payload));
		memset(packet + 9, 0, 3);
	}
	own(owner);
	send_packet(raw, packet, length,
		    owner->choice & CHOICE_DESCRIPTORS ? 3 : owner->choice & CHOICE_DESCRIPTOR);
	for (unsigned i = 0; i < 3; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static unsigned count_descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void run(int fds[2], const uint8_t *bytes, size_t size)
{
	struct owner owner = { .choice = 0 };
	const struct ipc_setup setup = { .base = base,
					 .fd = fds[0],
					 .on_message = on_message,
					 .on_closed = on_closed,
					 .userdata = &owner };
	int r = ipc_channel_new(&setup, &owner.channel);

	NOT_NEGATIVE(r, out);
	while (size >= 3 && owner.channel) {
		size_t length = (size_t)bytes[0] << 8 | bytes[1];

		owner.choice = bytes[2];
		bytes += 3;
		size -= 3;
		length = length < size ? length : size;
		step(&owner, fds[1], bytes, length);
		bytes += length;
		size -= length;
	}
	ipc_channel_free(owner.channel);
	for (unsigned i = 0; i < owner.n_asked; i++)
		PROPERTY(owner.asked[i].n_done == (owner.asked[i].is_sent ? 1 : 0));
out:
	close(fds[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	unsigned n_open;
	int fds[2];

	if (!base)
		base = event_base_new();
	if (!base) {
		PROPERTY(fuzz_has_fault());
		return 0;
	}
	n_open = count_descriptors();
	PROPERTY(ipc_pair_open(fds) == 0);
	run(fds, bytes, size);
	/* Descriptors that nobody received are closed by the kernel, maybe a little later. */
	PROPERTY(count_descriptors() == n_open);
	return 0;
}
