#pragma once
/* POST /v1/reports. */

struct exchange;

void reports_submit(struct exchange *exchange);
