/* What whoever started the daemon is told: readiness by sd_notify(3), the parent's id in a file. */

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/app/notify.h"
#include "daemon/base/error.h"
#include "daemon/base/log.h"

/* One datagram to $NOTIFY_SOCKET; without the variable nothing. */
void notify_send(const char *state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t length = path ? strlen(path) : 0;
	int fd;

	if (length < 2 || length >= sizeof(address.sun_path))
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	memcpy(address.sun_path, path, length);
	if (address.sun_path[0] == '@')
		address.sun_path[0] = '\0'; /* the abstract namespace */
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
	(void)close(fd);
}

/* Nothing for "". Logs why it failed. */
int notify_write_pid(const char *file)
{
	FILE *stream;

	if (*file == '\0')
		return 0;
	stream = fopen(file, "we");
	if (!stream) {
		log_say(LOG_LEVEL_ERROR, "%s: %s", file, strerror(errno));
		return -errno;
	}
	(void)fprintf(stream, "%d\n", (int)getpid());
	return fclose(stream) == 0 ? 0 : -errno;
}
