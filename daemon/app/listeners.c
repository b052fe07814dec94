/*
 * Listening on the addresses of the configuration. Each web process has sockets of its own on the
 * same addresses, and the kernel shares the connections out among them (SO_REUSEPORT). A socket
 * that was inherited serves the address it is bound to; when there are fewer of them than web
 * processes, those that are left over open their own or, where the socket does not allow it, share
 * one.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/http/server.h"
#include "daemon/app/listeners.h"
#include "daemon/base/log.h"

enum { FIRST_FD = 3 }; /* sd_listen_fds(3) */

static int variable_read(const char *name, long most)
{
	const char *text = getenv(name);
	char *end = NULL;
	long number;

	if (!text || *text < '0' || *text > '9')
		return 0;
	errno = 0;
	number = strtol(text, &end, 10);
	return *end || errno || number > most ? 0 : (int)number;
}

/* The name at the head of a list that colons divide; moves behind it. */
static struct slice name_next(const char **names)
{
	struct slice name = { *names, strcspn(*names, ":") };

	*names += name.length + ((*names)[name.length] == ':');
	return name;
}

static int inherited_add(struct inherited *inherited, int fd, struct slice name)
{
	size_t n = inherited->n;
	socklen_t size = sizeof(int);
	int is_shared = 0;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || address_of_socket(fd, &inherited->at[n].address)) {
		log_say(LOG_LEVEL_ERROR, "LISTEN_FDS: descriptor %d is no listening TCP socket",
			fd);
		return -EINVAL;
	}
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	(void)getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &is_shared, &size);
	inherited->at[n].fd = fd;
	inherited->at[n].is_shared = is_shared;
	inherited->at[n].is_used = false;
	/* "own" is how a conductd hands over what it had opened itself. */
	inherited->at[n].is_lent = name.length != 3 || memcmp(name.at, "own", 3) != 0;
	inherited->n++;
	return 0;
}

/*
 * Reads LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES as sd_listen_fds_with_names(3) does, and removes
 * them. Returns 0, or negative and has said why.
 */
int inherited_take(struct inherited *inherited)
{
	int n = variable_read("LISTEN_PID", INT32_MAX) == (int)getpid()
			? variable_read("LISTEN_FDS", INHERITED_LIMIT)
			: 0;
	const char *names = getenv("LISTEN_FDNAMES");
	int r = 0;

	if (!names)
		names = "";
	inherited->n = 0;
	for (int fd = FIRST_FD; r == 0 && fd < FIRST_FD + n; fd++)
		r = inherited_add(inherited, fd, name_next(&names));
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	return r;
}

/* After everything was opened; names each that serves no address of the configuration. */
void inherited_close_unused(struct inherited *inherited)
{
	for (size_t i = 0; i < inherited->n; i++) {
		if (inherited->at[i].is_used)
			continue;
		log_say(LOG_LEVEL_WARN,
			"a socket for %s port %u was inherited, which the configuration does not "
			"name: closed",
			inherited->at[i].address.host, inherited->at[i].address.port);
		(void)close(inherited->at[i].fd);
	}
	inherited->n = 0;
}

static int listener_add(struct listeners *listeners, const struct listener *row, int fd,
			bool is_lent)
{
	struct listener *listener = &listeners->at[listeners->n];

	if (listeners->n == LISTENERS_LIMIT) {
		(void)close(fd);
		return -ENOSPC;
	}
	*listener = *row;
	listener->fd = fd;
	listener->is_lent = is_lent;
	listeners->n++;
	return 0;
}

/*
 * Deals the nth socket of an address to the nth process, and so on in turn. Positive: none fell to
 * this one, and it may open its own.
 */
static int inherited_deal(struct inherited *inherited, const struct address *address,
			  unsigned number, unsigned n_processes, const struct listener *row,
			  struct listeners *listeners)
{
	unsigned nth = 0;
	size_t first = inherited->n, n_before = listeners->n;
	int fd, r = 0;

	for (size_t i = 0; r == 0 && i < inherited->n; i++) {
		if (!address_equals(&inherited->at[i].address, address))
			continue;
		if (first == inherited->n)
			first = i;
		if (nth++ % n_processes != number - 1)
			continue;
		r = inherited->at[i].is_used ? -EINVAL : 0;
		inherited->at[i].is_used = true;
		if (r == 0)
			r = listener_add(listeners, row, inherited->at[i].fd,
					 inherited->at[i].is_lent);
	}
	if (r < 0 || listeners->n > n_before)
		return r;
	if (first == inherited->n || inherited->at[first].is_shared)
		return 1;
	fd = fcntl(inherited->at[first].fd, F_DUPFD_CLOEXEC, FIRST_FD);
	return fd < 0 ? -errno : listener_add(listeners, row, fd, inherited->at[first].is_lent);
}

static bool is_inherited(const struct inherited *inherited, const struct address *address)
{
	for (size_t i = 0; i < inherited->n; i++)
		if (address_equals(&inherited->at[i].address, address))
			return true;
	return false;
}

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

static int address_open(const char *text, struct inherited *inherited, unsigned number,
			unsigned n_processes, const struct listener *row,
			struct listeners *listeners)
{
	struct address address;
	int fd = -1;
	int r = address_read(text, &address) ? -EINVAL : 0;

	if (r == 0)
		r = inherited_deal(inherited, &address, number, n_processes, row, listeners);
	if (r <= 0)
		return r;
	r = row->kind != LISTENER_OPS && number == 1 && !is_inherited(inherited, &address)
		    ? check_port_is_free(&address)
		    : 0;
	if (r == 0)
		r = server_open_listener(address.host, address.port, row->kind != LISTENER_OPS,
					 &fd);
	return r < 0 ? r : listener_add(listeners, row, fd, false);
}

static int address_try(const char *text, struct inherited *inherited, unsigned number,
		       unsigned n_processes, const struct listener *row,
		       struct listeners *listeners)
{
	int r = address_open(text, inherited, number, n_processes, row, listeners);

	if (r < 0)
		log_say(LOG_LEVEL_ERROR, "cannot listen on %s: %s", text, strerror(-r));
	return r;
}

/*
 * The sockets of web process `number`, from 1; they are the caller's also on failure, for
 * listeners_close(). Logs the address that cannot be had.
 */
int listeners_open_web(const struct config *config, struct inherited *inherited, unsigned number,
		       unsigned n_processes, struct listeners *listeners)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < config->listen.n; i++)
		r = address_try(config->listen.at[i], inherited, number, n_processes,
				&(struct listener){ .kind = LISTENER_PLAIN, .row = i }, listeners);
	for (size_t i = 0; r == 0 && i < config->n_tls; i++)
		r = address_try(config->tls[i].listen, inherited, number, n_processes,
				&(struct listener){ .kind = LISTENER_TLS, .row = i }, listeners);
	return r;
}

/* The socket of the worker's ops port; as listeners_open_web(). */
int listeners_open_ops(const struct config *config, struct inherited *inherited,
		       struct listeners *listeners)
{
	return address_try(config->ops_listen, inherited, 1, 1,
			   &(struct listener){ .kind = LISTENER_OPS }, listeners);
}

/* Takes none, too. */
void listeners_close(struct listeners *listeners)
{
	while (listeners->n)
		(void)close(listeners->at[--listeners->n].fd);
}
