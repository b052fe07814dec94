#pragma once
/* The wall around libcurl: one HTTP request and its whole answer, blocking, for conductctl. */

#include "daemon/base/buffer.h"

enum { FETCH_E_UNREACHABLE = 1 }; /* no answer; reply->error says why */

struct fetch_header {
	const char *name;
	const char *value;
};

struct fetch_request {
	const char *method;
	const char *url;
	const struct fetch_header *headers;
	size_t n_headers;
	const char *body; /* NULL: none; else JSON */
	long timeout_ms;
};

struct fetch_reply {
	long status;
	struct buffer body; /* at most 4 MiB; more is FETCH_E_UNREACHABLE */
	char error[256];
};

void fetch_reply_deinit(struct fetch_reply *reply); /* for CLEANUP() */
int fetch_once(const struct fetch_request *request, struct fetch_reply *reply);
