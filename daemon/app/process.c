/* The table of processes, in the order in which they are started. */

#include <unistd.h>

#include "daemon/app/process.h"

static unsigned count_one(const struct config *config)
{
	return 1;
}

static unsigned count_web(const struct config *config)
{
	long n = config->web_processes ? (long)config->web_processes
				       : sysconf(_SC_NPROCESSORS_ONLN);

	if (n < 1)
		return 1;
	return n > CONFIG_WEB_LIMIT ? CONFIG_WEB_LIMIT : (unsigned)n;
}

const struct process_kind process_kinds[] = {
	{ PAGE_VAULT, "vault", false, count_one, vault_run },
	{ PAGE_WORKER, "worker", false, count_one, worker_process_run },
	{ PAGE_WEB, "web", true, count_web, web_run },
};

const size_t process_n_kinds = ARRAY_SIZE(process_kinds);
