#pragma once
/* /v1/cases/{id}/messages: the conversations of a case, one channel for each party. */

struct exchange;

void messages_list(struct exchange *exchange);
void messages_post(struct exchange *exchange);
