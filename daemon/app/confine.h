#pragma once
/* Keeping files from a process that its account may read. */

#include "daemon/app/config.h"

enum {
	CONFINE_E_ABSENT = 1, /* the kernel has no Landlock */
};

/* The vault's files, for web and worker: for this process and what it starts, for good. */
int confine_secrets(const struct config *config);
/* Whether what web and worker write, or read anew, lies where they may. 0 or a logged refusal. */
int confine_check(const struct config *config);
