/*
 * Listening on the addresses of the configuration. Each web process has sockets of its own on the
 * same addresses, and the kernel shares the connections out among them (SO_REUSEPORT).
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/http/server.h"
#include "daemon/app/address.h"
#include "daemon/app/listeners.h"
#include "daemon/base/log.h"

/*
 * The listeners of web processes share their port, also with another daemon of the same account;
 * one that does not share finds out whether somebody else has it.
 */
static int check_port_is_free(const struct address *address)
{
	int fd = -1;
	int r = server_open_listener(address->host, address->port, false, &fd);

	if (r == 0)
		(void)close(fd);
	return r;
}

/*
 * The sockets are the caller's, for listeners_close(). is_first: these are the daemon's first on
 * those addresses, so nobody else may be there. Logs the address that cannot be had.
 */
int listeners_open(const struct config_texts *addresses, bool is_first, int **ret_fds,
		   size_t *ret_n_fds)
{
	int *fds = calloc(addresses->n + 1, sizeof(*fds));
	size_t n = 0;
	int r = 0;

	if (!fds)
		return -ENOMEM;
	for (; r == 0 && n < addresses->n; n += r == 0) {
		struct address address;

		r = address_read(addresses->at[n], &address) ? -EINVAL : 0;
		if (r == 0 && is_first)
			r = check_port_is_free(&address);
		if (r == 0)
			r = server_open_listener(address.host, address.port, true, &fds[n]);
		if (r < 0)
			log_say(LOG_LEVEL_ERROR, "cannot listen on %s: %s", addresses->at[n],
				strerror(-r));
	}
	if (r < 0) {
		listeners_close(&fds, &n);
		return r;
	}
	*ret_fds = fds;
	*ret_n_fds = n;
	return 0;
}

/* Takes none, too. */
void listeners_close(int **fds, size_t *n_fds)
{
	for (size_t i = 0; i < *n_fds; i++)
		(void)close((*fds)[i]);
	free(*fds);
	*fds = NULL;
	*n_fds = 0;
}
