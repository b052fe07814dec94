#pragma once
/* GET /v1/policy… : the code of conduct, for everybody. */

struct exchange;

void policy_show(struct exchange *exchange);
void policy_show_rule(struct exchange *exchange);
void policy_list_versions(struct exchange *exchange);
void policy_show_version(struct exchange *exchange);
