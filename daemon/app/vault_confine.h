#pragma once
/* What the vault process gives up for good. */

#include "daemon/base/error.h"

/* No core dump, no debugger, and as much memory as the limits allow locked. *ret_is_locked: all of
 * it. */
int vault_confine_memory(bool *ret_is_locked);
/* No system call but those that a vault makes; another one ends the process. */
int vault_confine_calls(void);
