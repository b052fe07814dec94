#pragma once
/* /v1/cases: the queue, a case, its history. */

struct exchange;

void cases_list(struct exchange *exchange);
void cases_show(struct exchange *exchange);
void cases_list_events(struct exchange *exchange);
