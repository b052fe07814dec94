/*
 * One request as libcurl is told of it. No redirects, http and https only, no proxy from the
 * environment, no password file, no decompression: nothing may lead it elsewhere, and a body is
 * never longer than it was on the wire.
 */

#include "daemon/fetch/transfer.h"

#include <stdlib.h>

enum { CONNECT_TIMEOUT_MS = 3000, RETRY_AFTER_MAX_S = 3600 };

void fetch_reply_deinit(struct fetch_reply *reply)
{
	buffer_deinit(&reply->body);
}

static size_t take_body(char *bytes, size_t size, size_t n, void *userdata)
{
	struct fetch_transfer *transfer = userdata;

	if (transfer->reply->body.length + size * n > transfer->body_max) {
		transfer->is_too_long = true;
		return 0;
	}
	buffer_append(&transfer->reply->body, bytes, size * n);
	return n;
}

static int add_header(struct fetch_transfer *transfer, const char *name, const char *value)
{
	struct curl_slist *longer;
	char *line;

	if (asprintf(&line, "%s: %s", name, value) < 0)
		return -ENOMEM;
	longer = curl_slist_append(transfer->headers, line);
	free(line);
	if (!longer)
		return -ENOMEM;
	transfer->headers = longer;
	return 0;
}

static int set_headers(const struct fetch_request *request, struct fetch_transfer *transfer)
{
	int r = 0;

	for (size_t i = 0; !r && i < request->n_headers; i++)
		r = add_header(transfer, request->headers[i].name, request->headers[i].value);
	if (!r && request->body)
		r = add_header(transfer, "Content-Type",
			       request->body_type ? request->body_type : "application/json");
	return r;
}

static int set_options(const struct fetch_request *request, struct fetch_transfer *transfer)
{
	CURL *curl = transfer->curl;

	if (curl_easy_setopt(curl, CURLOPT_URL, request->url) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, transfer->headers) != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK ||
	    curl_easy_setopt(curl, CURLOPT_PROXY, "") != CURLE_OK)
		return -ENOMEM;
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, request->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer->reply->error);
	if (request->body &&
	    curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, request->body) != CURLE_OK)
		return -ENOMEM;
	return 0;
}

/* Everything of the request is copied; `reply` is borrowed. 0 or -ENOMEM. */
int fetch_transfer_new(const struct fetch_request *request, struct fetch_reply *reply,
		       struct fetch_transfer **ret_transfer)
{
	struct fetch_transfer *transfer = calloc(1, sizeof(*transfer));
	int r;

	if (!transfer)
		return -ENOMEM;
	transfer->reply = reply;
	transfer->body_max = request->body_max ? request->body_max : (size_t)FETCH_BODY_MAX;
	transfer->curl = curl_easy_init();
	r = transfer->curl ? set_headers(request, transfer) : -ENOMEM;
	if (!r)
		r = set_options(request, transfer);
	if (r) {
		fetch_transfer_free(transfer);
		return r;
	}
	*ret_transfer = transfer;
	return 0;
}

struct fetch_transfer *fetch_transfer_free(struct fetch_transfer *transfer)
{
	if (!transfer)
		return NULL;
	if (transfer->curl)
		curl_easy_cleanup(transfer->curl);
	curl_slist_free_all(transfer->headers);
	free(transfer);
	return NULL;
}

int fetch_transfer_finish(struct fetch_transfer *transfer, CURLcode code)
{
	struct fetch_reply *reply = transfer->reply;
	curl_off_t retry_after_s = 0;

	if (code != CURLE_OK) {
		if (!reply->error[0])
			snprintf(reply->error, sizeof(reply->error), "%s",
				 curl_easy_strerror(code));
		if (transfer->is_too_long)
			return FETCH_E_TOO_LONG;
		return code == CURLE_OPERATION_TIMEDOUT ? FETCH_E_LATE : FETCH_E_UNREACHABLE;
	}
	curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &reply->status);
	curl_easy_getinfo(transfer->curl, CURLINFO_RETRY_AFTER, &retry_after_s);
	if (retry_after_s > 0)
		reply->retry_after_s = retry_after_s > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S
									 : (unsigned)retry_after_s;
	buffer_append(&reply->body, "", 0);
	return buffer_finish(&reply->body);
}

/* Sends the request and reads the answer into reply, which the caller gives zeroed and deinits. 0,
 * FETCH_E_UNREACHABLE, FETCH_E_LATE, FETCH_E_TOO_LONG, or -ENOMEM. */
int fetch_once(const struct fetch_request *request, struct fetch_reply *reply)
{
	struct fetch_transfer *transfer = NULL;
	int r = fetch_transfer_new(request, reply, &transfer);

	if (r)
		return r;
	r = fetch_transfer_finish(transfer, curl_easy_perform(transfer->curl));
	fetch_transfer_free(transfer);
	return r;
}
