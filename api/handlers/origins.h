#pragma once
/* The origins of the wikis of a policy set: where reports come from, desktop and mobile. */

#include "policy/set.h"

struct origins; /* borrows from its set */

int origins_new(const struct policy_set *set, struct origins **ret_origins);
struct origins *origins_free(struct origins *origins);
/* https, the very host of a wiki or its mobile form, and no port; `origins` may be NULL. */
bool origins_have(const struct origins *origins, struct slice origin);
