#pragma once
/* /v1/bodies: who may sit on a panel, and where a case may go. */

struct exchange;

void bodies_show(struct exchange *exchange);
