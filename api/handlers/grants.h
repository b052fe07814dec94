#pragma once
/* /v1/admin/grants: who has which role where. */

struct exchange;

void grants_list(struct exchange *exchange);
void grants_add(struct exchange *exchange);
void grants_end_named(struct exchange *exchange); /* by person, role and body */
void grants_end(struct exchange *exchange);
