#pragma once
/* Inside api/http: an answer as bytes, and as a line of the access log. */

#include "api/http/reply.h"

#include <time.h>

struct evbuffer;

/* What answers are written with, kept from one to the next. */
struct wire {
	struct buffer head;
	time_t second;
	char date[40]; /* of that second; "" before the first */
};

void wire_write_continue(struct evbuffer *output);
/* Leaves the head in wire->head. Negative: memory ran out, and the connection cannot go on. */
int wire_write_head(struct wire *wire, const struct exchange *exchange, bool is_last, bool is_tls);
/* What stands behind the head; shared, or the exchange's. */
struct slice wire_body(const struct exchange *exchange, bool is_head);
/* Adds the end of an answer, as much as has not been sent. 0 or negative. */
int wire_add(const struct exchange *exchange, struct slice head, struct slice body,
	     struct evbuffer *output);
void wire_log(const struct exchange *exchange, bool is_head, int64_t duration_us);
