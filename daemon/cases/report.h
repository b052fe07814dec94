#pragma once
/* The body of a report: its shape, what the policy says to it, and the emergency lane's mercy. */

#include "daemon/cases/form.h"
#include "policy/set.h"

/* True: nobody may be refused. `set` may be NULL. */
bool report_is_emergency(const struct value *body, const struct policy_set *set);
/* 0: the caller owns *ret_args, usable when check->n_errors is 0; or negative. `is_unverified`: a
 * credential was dropped. `set` may be NULL on the emergency lane. */
int report_check(struct form_check *check, const struct policy_set *set, const struct value *body,
		 bool is_emergency, bool is_unverified, struct value **ret_args);
