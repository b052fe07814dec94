/* unix(7): SCM_RIGHTS. What is received is closed unless somebody takes it. */

#include "daemon/ipc/packet.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* descriptor: -1, or a copy goes along. Returns 0 or -errno of sendmsg(2). */
int ipc_packet_send(int fd, struct slice bytes, int descriptor)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec part = { .iov_len = bytes.length };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

	/* sendmsg() only reads it. */
	memcpy(&part.iov_base, &bytes.at, sizeof(part.iov_base));
	if (descriptor >= 0) {
		struct cmsghdr *head;

		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		head = &control.align;
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(head), &descriptor, sizeof(int));
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* The last one; others are closed. */
static int descriptor_take(struct msghdr *message)
{
	int fd = -1;

	for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head;
	     head = CMSG_NXTHDR(message, head)) {
		size_t n;

		if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
			continue;
		n = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			if (fd >= 0)
				(void)close(fd);
			memcpy(&fd, CMSG_DATA(head) + i * sizeof(int), sizeof(int));
		}
	}
	return fd;
}

/* flags: of recvmsg(2). Also an empty packet, which reads like the end, may bring a descriptor.
 * Returns 0 or -errno of recvmsg(2). */
int ipc_packet_receive(int fd, char *bytes, size_t size, int flags,
		       struct ipc_received *ret_received)
{
	union {
		char bytes[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec part = { .iov_base = bytes, .iov_len = size };
	struct msghdr message = { .msg_iov = &part,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	ssize_t length = recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC);

	if (length < 0)
		return -errno;
	*ret_received = (struct ipc_received){ .length = (size_t)length,
					       .descriptor = descriptor_take(&message),
					       .is_cut = message.msg_flags &
							 (MSG_TRUNC | MSG_CTRUNC) };
	return 0;
}
