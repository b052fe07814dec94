#pragma once
/* One libcurl handle with what it needs; for this folder alone. */

#include <curl/curl.h>

#include "daemon/fetch/fetch.h"

struct fetch_transfer {
	CURL *curl;
	struct curl_slist *headers;
	struct fetch_reply *reply;
	size_t body_max;
	bool is_too_long;
};

int fetch_transfer_new(const struct fetch_request *request, struct fetch_reply *reply,
		       struct fetch_transfer **ret_transfer);
struct fetch_transfer *fetch_transfer_free(struct fetch_transfer *transfer);
/* After the last byte: fills the reply, and says 0 or FETCH_E_…; negative when out of memory. */
int fetch_transfer_finish(struct fetch_transfer *transfer, CURLcode code);
