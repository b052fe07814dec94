/* One request and its answer; what is not whole counts as no answer. */

#include "tests/inject/client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
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

/* A connection, the answer that it is for, and who waits. */
struct link {
	int fd;
	SSL *tls; /* NULL: plain */
	bool (*wait)(unsigned waited_ms);
	unsigned waited_ms;
	struct slice request; /* what of it is not sent yet */
	struct answer *answer;
};

/* Bytes of one operation, 0 for an end, -1 when more has to come first. */
static int outcome(const struct link *link, int n)
{
	if (n > 0)
		return n;
	if (link->tls)
		return SSL_get_error(link->tls, n) == SSL_ERROR_WANT_READ ? -1 : 0;
	return n < 0 && errno == EAGAIN ? -1 : 0;
}

static int shake(struct link *link)
{
	return link->tls ? outcome(link, SSL_connect(link->tls)) : 1;
}

static int transmit(struct link *link)
{
	int length = (int)link->request.length;
	int n = link->tls ? SSL_write(link->tls, link->request.at, length)
			  : (int)send(link->fd, link->request.at, (size_t)length, MSG_NOSIGNAL);

	if (n > 0)
		link->request = (struct slice){ link->request.at + n, (size_t)(length - n) };
	return outcome(link, n);
}

static int receive(struct link *link)
{
	struct answer *answer = link->answer;
	char *at = answer->bytes + answer->length;
	int room = (int)(ANSWER_MAX - 1 - answer->length), n;

	n = outcome(link, link->tls ? SSL_read(link->tls, at, room)
				    : (int)recv(link->fd, at, (size_t)room, MSG_DONTWAIT));
	if (n > 0)
		answer->length += (size_t)n;
	answer->bytes[answer->length] = '\0';
	return n;
}

/* Tries an operation until it comes to something; false when the waiting has ended. */
static bool insist(struct link *link, int (*operation)(struct link *link), int *ret_n)
{
	while ((*ret_n = operation(link)) < 0) {
		struct pollfd waiting = { .fd = link->fd, .events = POLLIN };

		if (operation == transmit)
			waiting.events = POLLOUT;

		if (poll(&waiting, 1, ASK_STEP_MS) > 0)
			continue;
		link->waited_ms += ASK_STEP_MS;
		link->answer->has_hung = !link->wait(link->waited_ms);
		if (link->answer->has_hung)
			return false;
	}
	return true;
}

/* Who is refused before the end of what they send may find the connection closed, and the answer in
 * it. */
static void exchange(struct link *link)
{
	int n;

	if (!insist(link, shake, &n) || n == 0)
		return;
	while (n > 0 && link->request.length)
		if (!insist(link, transmit, &n))
			return;
	for (n = 1; n > 0 && link->answer->length < ANSWER_MAX - 1;)
		if (!insist(link, receive, &n))
			return;
}

static SSL *new_tls(int fd)
{
	static SSL_CTX *context;
	SSL *tls;

	if (!context)
		context = SSL_CTX_new(TLS_client_method());
	tls = SSL_new(context);
	SSL_set_fd(tls, fd);
	return tls;
}

void client_ask(const struct client_target *target, const char *request,
		bool (*wait)(unsigned waited_ms), struct answer *ret_answer)
{
	const struct sockaddr_in name = { .sin_family = AF_INET,
					  .sin_port = htons((uint16_t)target->port),
					  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct link link = { .wait = wait,
			     .request = { request, strlen(request) },
			     .answer = ret_answer };

	ret_answer->status = 0;
	ret_answer->has_hung = false;
	ret_answer->length = 0;
	ret_answer->bytes[0] = '\0';
	ret_answer->body = ret_answer->bytes;
	link.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(link.fd, (const struct sockaddr *)&name, sizeof(name)) == 0) {
		(void)fcntl(link.fd, F_SETFL, O_NONBLOCK);
		link.tls = target->is_tls ? new_tls(link.fd) : NULL;
		exchange(&link);
	}
	read_status(ret_answer);
	SSL_free(link.tls);
	ERR_clear_error();
	close(link.fd);
}
