#pragma once
/* The listening sockets of one web process, which the parent keeps open over its restarts. */

#include "daemon/app/config.h"

int listeners_open(const struct config_texts *addresses, bool is_first, int **ret_fds,
		   size_t *ret_n_fds);
void listeners_close(int **fds, size_t *n_fds);
