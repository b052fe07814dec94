/* One request and its answer; what is not whole counts as no answer. */

#include "tests/inject/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static void read_status(struct answer *answer)
{
	char *end = strstr(answer->bytes, "\r\n\r\n");
	const char *length = strcasestr(answer->bytes, "\r\ncontent-length:");

	if (!end || strncmp(answer->bytes, "HTTP/1.1 ", 9) != 0)
		return;
	answer->body = end + 4;
	if (length && length < end &&
	    strtoul(length + 17, NULL, 10) !=
		    answer->length - (size_t)(answer->body - answer->bytes))
		return;
	answer->status = atoi(answer->bytes + 9);
}

static void read_all(int fd, bool (*wait)(unsigned waited_ms), struct answer *answer)
{
	unsigned waited_ms = 0;

	while (answer->length < ANSWER_MAX - 1) {
		struct pollfd waiting = { .fd = fd, .events = POLLIN };
		ssize_t n;

		if (poll(&waiting, 1, ASK_STEP_MS) <= 0) {
			waited_ms += ASK_STEP_MS;
			answer->has_hung = !wait(waited_ms);
			if (answer->has_hung)
				return;
			continue;
		}
		n = recv(fd, answer->bytes + answer->length, ANSWER_MAX - 1 - answer->length, 0);
		if (n <= 0)
			return;
		answer->length += (size_t)n;
		answer->bytes[answer->length] = '\0';
	}
}

void client_ask(unsigned port, const char *request, bool (*wait)(unsigned waited_ms),
		struct answer *ret_answer)
{
	const struct sockaddr_in name = { .sin_family = AF_INET,
					  .sin_port = htons((uint16_t)port),
					  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ret_answer->status = 0;
	ret_answer->has_hung = false;
	ret_answer->length = 0;
	ret_answer->bytes[0] = '\0';
	ret_answer->body = ret_answer->bytes;
	if (connect(fd, (const struct sockaddr *)&name, sizeof(name)) == 0 &&
	    send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request))
		read_all(fd, wait, ret_answer);
	read_status(ret_answer);
	close(fd);
}
