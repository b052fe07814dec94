#pragma once
/* /v1/admin/holds: what must not be erased, and until when. */

struct exchange;

void holds_list(struct exchange *exchange);
void holds_add(struct exchange *exchange);
void holds_end(struct exchange *exchange);
