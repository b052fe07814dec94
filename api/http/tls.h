#pragma once
/* Inside api/http: a connection whose bytes are TLS. */

#include "api/http/server.h"

#include <event2/util.h>

struct bufferevent;
struct evbuffer;

int http_tls_new_take(struct event_base *base, evutil_socket_t fd, struct tls *tls,
		      struct bufferevent **ret_bev);
int http_tls_send(struct bufferevent *bev, struct evbuffer *staged);
void http_tls_end(struct bufferevent *bev);
