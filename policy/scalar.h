#pragma once
/* Scalars as the schema reads them. */

#include "policy/schema.h"

int policy_scalar_check(const struct schema *schema, struct policy_node *node,
			struct policy_report *report);
