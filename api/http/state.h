#pragma once
/* Inside api/http: what a connection is, for connection.c and state.c alone. */

#include "api/http/connection.h"
#include "api/http/network.h"

struct bufferevent;
struct event;

enum connection_state {
	CONNECTION_SHAKE, /* TLS: the handshake is under way */
	CONNECTION_IDLE,  /* between requests */
	CONNECTION_HEAD,  /* the first byte of a head has come */
	CONNECTION_BODY,
	CONNECTION_TAKE,   /* the handler waits for a piece of the body */
	CONNECTION_BUSY,   /* the handler works */
	CONNECTION_SLOT,   /* the answer waits for the grid */
	CONNECTION_SEND,   /* an answer leaves piece by piece */
	CONNECTION_FULL,   /* the client does not read */
	CONNECTION_LATE,   /* 503 has been written, and the handler still works */
	CONNECTION_LINGER, /* the last answer is written; its client may still be sending */
	CONNECTION_CLOSED,
};

struct connection {
	struct connection_owner *owner;
	struct connection *next, **link;
	struct bufferevent *bev;
	struct event *timer;
	enum connection_state state;
	struct http_parser parser;
	struct client_address peer;
	struct exchange *exchange;
	struct exchange_refusal refusal; /* answered once the body has been read */
	uint64_t body_length;
	size_t n_body_seen;
	int64_t request_us;  /* when the request was complete; its head's first byte before that */
	int64_t deadline_us; /* of a body: by its length */
	int64_t due_us;      /* when the state has lasted too long; 0: it may last */
	int64_t armed_us;    /* when the timer comes; 0: it does not */
	int64_t written_us;  /* by when all output must have left; 0: there is none */
	bool owes_continue;  /* a client waits for 100 before it sends its body */
	bool is_head;        /* HEAD: the answer has no body */
	bool is_last;        /* close after this answer */
	bool has_ended;      /* the client sends nothing more */
	bool is_running;     /* the caller goes on with it: nobody else may free it */
	bool is_tls;
	bool reads;              /* input is wanted */
	bool is_reserve;         /* above the limit of connections, or of its network's */
	struct network *network; /* NULL: its network is not counted */
	bool is_waiting;         /* in the owner's list of those */
	struct connection *older, *younger;
	size_t n_held; /* bytes of its request and answers, as far as they are its own */
};

/* The one place where a connection changes its state; sets what the new state waits for. */
void connection_enter(struct connection *connection, enum connection_state state);
/* Lets what is read follow the state. */
void connection_sync(struct connection *connection);
void connection_run(struct connection *connection);
void connection_close(struct connection *connection);
void connection_write(struct connection *connection);
int connection_send(struct connection *connection, const struct exchange *exchange);
void connection_deliver(struct exchange *exchange);

int64_t connection_now_us(void); /* monotonic */
void connection_set_timer(struct connection *connection, int64_t us);
bool connection_is_due(struct connection *connection);
void connection_set_body_timer(struct connection *connection);

/* stream.c */
enum { CONNECTION_STREAM_ROOM = 256 * 1024 /* what a body or answer in pieces holds at most */ };
bool connection_is_stream(const struct connection *connection);
bool connection_take(struct connection *connection);
void connection_begin_send(struct connection *connection);
void connection_sent(struct connection *connection);
void connection_leave(struct connection *connection);

/* room.c */
bool connection_admit(struct connection *connection);
void connection_wait(struct connection *connection, bool is_waiting);
void connection_hold(struct connection *connection, size_t n_bytes);
bool connection_has_room(const struct connection_owner *owner, uint64_t body_length);

/* refuse.c */
void connection_name_client(struct connection *connection, const struct http_request *request);
bool connection_is_host_known(const struct connection *connection, struct slice host);
const char *connection_refusal_key(int status);
