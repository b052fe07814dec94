#pragma once
/* A channel between two processes of one daemon: typed messages on a SEQPACKET socketpair. */

#include "daemon/ipc/message.h"

struct event_base;
struct ipc_channel;
struct ipc_request;

enum { IPC_QUEUE_LIMIT = 256, IPC_REQUEST_LIMIT = 1024, IPC_HEADER_LENGTH = 12 };

enum { IPC_E_CLOSED = 1, IPC_E_FULL };

struct ipc_message {
	uint16_t type;
	uint32_t id;          /* what a reply must repeat */
	struct slice payload; /* valid while the callback runs */
	int descriptor;       /* -1, or the receiver's own from here on */
};

enum ipc_outcome {
	IPC_ANSWERED,
	IPC_LATE,   /* the deadline passed */
	IPC_CLOSED, /* the channel closed first */
};

/* Lives in the caller's struct until done() is called, exactly once; done() keeps the channel. */
struct ipc_request {
	void (*done)(struct ipc_request *request, enum ipc_outcome outcome,
		     const struct ipc_message *message);

	/* The channel's, from send to done. */
	struct ipc_request *next;
	struct ipc_channel *channel;
	void *timer;
	uint32_t id;
};

struct ipc_setup {
	struct event_base *base;
	int fd; /* taken, also when ipc_channel_new() fails */
	void (*on_message)(struct ipc_channel *channel, struct ipc_message *message,
			   void *userdata);
	/* The peer is gone or spoke nonsense (why); may free the channel. */
	void (*on_closed)(struct ipc_channel *channel, const char *why, void *userdata);
	void *userdata;
};

int ipc_pair_open(int ret_fds[2]);
int ipc_channel_new(const struct ipc_setup *setup, struct ipc_channel **ret_channel);
struct ipc_channel *ipc_channel_free(struct ipc_channel *channel);
bool ipc_channel_is_open(const struct ipc_channel *channel);

int ipc_channel_send(struct ipc_channel *channel, uint16_t type, struct slice payload);
int ipc_channel_send_descriptor(struct ipc_channel *channel, uint16_t type, struct slice payload,
				int fd);
int ipc_channel_reply(struct ipc_channel *channel, const struct ipc_message *message, uint16_t type,
		      struct slice payload);
int ipc_channel_request(struct ipc_channel *channel, struct ipc_request *request, uint16_t type,
			struct slice payload, unsigned deadline_ms);
