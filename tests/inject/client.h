#pragma once
/* A client, on a thread whose calls do not fail. */

#include "daemon/base/error.h"

enum { ANSWER_MAX = 512 * 1024, ASK_STEP_MS = 5 };

struct answer {
	int status;    /* 0: none, or not whole */
	bool has_hung; /* neither answered nor closed within the limit */
	size_t length;
	char *body;             /* in bytes[] */
	char bytes[ANSWER_MAX]; /* terminated */
};

struct client_target {
	unsigned port; /* of 127.0.0.1 */
	bool is_tls;
};

/* One connection, one request (with Connection: close), its answer. While there is none, wait() is
 * called every ASK_STEP_MS with what was waited so far; false ends the waiting. */
void client_ask(const struct client_target *target, const char *request,
		bool (*wait)(unsigned waited_ms), struct answer *ret_answer);
