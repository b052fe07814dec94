/* TLS under a connection: libevent's bufferevent for it, and what that one leaves to its user. */

#include "api/http/tls.h"
#include "daemon/crypto/tls.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>

enum { FRAME = 15000 }; /* what libevent writes at once (bufferevent_openssl.c) */

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
	r = tls_session_new(tls, &session);
	if (r == 0)
		bev = bufferevent_openssl_socket_new(base, fd, session, BUFFEREVENT_SSL_ACCEPTING,
						     BEV_OPT_CLOSE_ON_FREE);
	if (!bev) {
		/* libevent has freed the session. */
		evutil_closesocket(fd);
		return r < 0 ? r : -ENOMEM;
	}
	*ret_bev = bev;
	return 0;
}

/**
 * http_tls_send() - sends an answer, now
 * @staged: emptied
 *
 * libevent writes as soon as bytes are added, a record for each chain: an answer goes in whole and
 * its first record in one piece, or its head would be a packet of its own. Callbacks may run.
 *
 * Return: 0 or -ENOMEM.
 */
int http_tls_send(struct bufferevent *bev, struct evbuffer *staged)
{
	size_t length = evbuffer_get_length(staged);

	if (!evbuffer_pullup(staged, (ssize_t)(length < FRAME ? length : FRAME)) ||
	    bufferevent_write_buffer(bev, staged))
		return -ENOMEM;
	return 0;
}

/* Tells the client that nothing more comes, so that it can tell an end from a cut. */
void http_tls_end(struct bufferevent *bev)
{
	tls_session_end(bufferevent_openssl_get_ssl(bev));
}
