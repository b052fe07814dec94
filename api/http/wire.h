#pragma once
/* Inside api/http: an answer as bytes, and as a line of the access log. */

#include "api/http/reply.h"

struct evbuffer;

void wire_write_continue(struct evbuffer *output);
/* Negative: memory ran out, and the connection cannot go on. */
int wire_write(const struct exchange *exchange, bool is_head, bool is_last, bool is_tls,
	       struct evbuffer *output);
void wire_log(const struct exchange *exchange, bool is_head, int64_t duration_us);
