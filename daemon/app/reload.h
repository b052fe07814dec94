#pragma once
/* Whether configuration, policy and issuers can be taken, and what a reload cannot change. */

#include "daemon/app/config.h"

int reload_check(const char *file, const struct config *old, struct config **ret_config);
bool reload_needs_restart(const struct config *old, const struct config *new);
