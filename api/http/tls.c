/* TLS under a connection: libevent's bufferevent for it, and what that one leaves to its user. */

#include "api/http/tls.h"
#include "daemon/crypto/tls.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { RESERVE_BLOCKS = 8, RESERVE_SIZE = 1024 };

static int plain_new_take(struct event_base *base, evutil_socket_t fd, struct bufferevent **ret_bev)
{
	struct bufferevent *bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);

	if (!bev) {
		evutil_closesocket(fd);
		return -ENOMEM;
	}
	*ret_bev = bev;
	return 0;
}

/* What libevent allocates half way is taken from here when memory has run out. */
struct reserve {
	void *blocks[RESERVE_BLOCKS];
	unsigned n;
};

/* libevent's allocator has no argument of ours. Not NULL only inside bev_new_take(). */
static struct reserve *reserve;

static void *reserve_malloc(size_t size)
{
	void *at = malloc(size);

	return at || size > RESERVE_SIZE || !reserve->n ? at : reserve->blocks[--reserve->n];
}

/* libevent crashes where there is memory for the first half of a bufferevent and none for the
 * second (bufferevent_openssl_new_impl(), bufferevent_free() of one without operations). */
static struct bufferevent *bev_new_take(struct event_base *base, evutil_socket_t fd,
					struct ssl_st *session)
{
	struct reserve blocks = { .n = 0 };
	struct bufferevent *bev = NULL;

	while (blocks.n < RESERVE_BLOCKS && (blocks.blocks[blocks.n] = malloc(RESERVE_SIZE)))
		blocks.n++;
	if (blocks.n == RESERVE_BLOCKS) {
		reserve = &blocks;
		event_set_mem_functions(reserve_malloc, realloc, free);
		bev = bufferevent_openssl_socket_new(base, fd, session, BUFFEREVENT_SSL_ACCEPTING,
						     BEV_OPT_CLOSE_ON_FREE);
		event_set_mem_functions(malloc, realloc, free);
		reserve = NULL;
	} else {
		tls_session_free(session);
	}
	while (blocks.n)
		free(blocks.blocks[--blocks.n]);
	return bev;
}

/**
 * http_tls_new_take() - a bufferevent that begins with the server's side of a handshake
 * @fd: owned from here on, also on failure
 * @tls: NULL: there is no handshake, and bytes are what they are
 *
 * The caller sets no high watermark: with TLS libevent would leave what is above it inside of
 * OpenSSL, where no event of the socket ever asks for it again. A record, 16 KiB at most, is handed
 * over at once, and the next one is not read before the caller had it.
 *
 * Return: 0 or negative.
 */
int http_tls_new_take(struct event_base *base, evutil_socket_t fd, struct tls *tls,
		      struct bufferevent **ret_bev)
{
	struct ssl_st *session = NULL;
	struct bufferevent *bev = NULL;
	int r;

	if (!tls)
		return plain_new_take(base, fd, ret_bev);
	r = tls_session_new(tls, fd, &session);
	if (r == 0)
		bev = bev_new_take(base, fd, session);
	if (!bev) {
		evutil_closesocket(fd);
		return r < 0 ? r : -ENOMEM;
	}
	*ret_bev = bev;
	return 0;
}

static void set_cork(struct bufferevent *bev, int is_on)
{
	(void)setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_CORK, &is_on, sizeof(is_on));
}

/* What the socket takes, without the loop's knowledge: what is left goes to libevent, which tries
 * the same bytes again. */
static void send_now(struct bufferevent *bev, struct evbuffer *staged)
{
	struct ssl_st *session = bufferevent_openssl_get_ssl(bev);
	struct evbuffer_iovec piece;
	size_t n = 1;

	while (n && evbuffer_peek(staged, -1, NULL, &piece, 1) > 0) {
		n = tls_session_write(session, piece.iov_base, piece.iov_len);
		evbuffer_drain(staged, n);
	}
}

/**
 * http_tls_send() - sends an answer, now
 * @staged: emptied
 *
 * Its first record is made of one piece, or its head would be a record of its own; the records of
 * one answer leave as one packet where the network has such large ones.
 *
 * Return: 0 or -ENOMEM.
 */
int http_tls_send(struct bufferevent *bev, struct evbuffer *staged)
{
	size_t length = evbuffer_get_length(staged);
	bool is_long = length > TLS_RECORD_MAX;

	if (!evbuffer_pullup(staged, (ssize_t)(is_long ? TLS_RECORD_MAX : length)))
		return -ENOMEM;
	if (evbuffer_get_length(bufferevent_get_output(bev)) == 0) {
		if (is_long)
			set_cork(bev, 1);
		send_now(bev, staged);
		if (is_long)
			set_cork(bev, 0);
	}
	return bufferevent_write_buffer(bev, staged) ? -ENOMEM : 0;
}

/* Tells the client that nothing more comes, so that it can tell an end from a cut. */
void http_tls_end(struct bufferevent *bev)
{
	tls_session_end(bufferevent_openssl_get_ssl(bev));
}
