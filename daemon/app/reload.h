#pragma once
/* Whether configuration, policy and the files that they name can be taken. */

#include "daemon/app/config.h"
#include "daemon/ipc/page.h"

int reload_check(const char *file, const struct config *old, const struct page *page,
		 struct config **ret_config);
