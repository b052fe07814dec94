#pragma once
/* POST /v1/cases/{id}/actions/{action}. */

struct exchange;

void actions_act(struct exchange *exchange);
