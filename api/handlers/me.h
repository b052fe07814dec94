#pragma once
/* /v1/me: the person who asks. */

struct exchange;

void me_show(struct exchange *exchange);
void me_list_participations(struct exchange *exchange);
