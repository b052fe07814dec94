/*
 * One blocking HTTP request over libcurl. No redirects, http and https only, no proxy from the
 * environment: the demo talks to loopback, and nothing may lead it elsewhere.
 */

#include "daemon/fetch/fetch.h"

#include <curl/curl.h>
#include <stdlib.h>

enum { FETCH_BODY_MAX = 4 * 1024 * 1024 };

void fetch_reply_deinit(struct fetch_reply *reply)
{
	buffer_deinit(&reply->body);
}

static size_t fetch_take_body(char *bytes, size_t size, size_t n, void *userdata)
{
	struct fetch_reply *reply = userdata;

	if (reply->body.length + n > FETCH_BODY_MAX)
		return 0;
	buffer_append(&reply->body, bytes, size * n);
	return n;
}

static int fetch_set_headers(const struct fetch_request *request, struct curl_slist **ret_list)
{
	for (size_t i = 0; i <= request->n_headers; i++) {
		struct curl_slist *longer;
		char *line;
		int n;

		if (i == request->n_headers && !request->body)
			break;
		n = i == request->n_headers ? asprintf(&line, "Content-Type: application/json")
					    : asprintf(&line, "%s: %s", request->headers[i].name,
						       request->headers[i].value);
		if (n < 0)
			return -ENOMEM;
		longer = curl_slist_append(*ret_list, line);
		free(line);
		if (!longer)
			return -ENOMEM;
		*ret_list = longer;
	}
	return 0;
}

/* Sends the request and reads the answer into reply, which the caller gives zeroed and deinits. 0,
 * FETCH_E_UNREACHABLE, or -ENOMEM. */
int fetch_once(const struct fetch_request *request, struct fetch_reply *reply)
{
	struct curl_slist *headers = NULL;
	CURL *curl = curl_easy_init();
	CURLcode code;
	int r;

	if (!curl)
		return -ENOMEM;
	r = fetch_set_headers(request, &headers);
	if (r < 0)
		goto done;
	curl_easy_setopt(curl, CURLOPT_URL, request->url);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, request->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, fetch_take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reply->error);
	if (request->body)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
	code = curl_easy_perform(curl);
	if (code != CURLE_OK) {
		r = FETCH_E_UNREACHABLE;
		if (!reply->error[0])
			snprintf(reply->error, sizeof(reply->error), "%s",
				 curl_easy_strerror(code));
		goto done;
	}
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply->status);
	buffer_append(&reply->body, "", 0);
	r = buffer_finish(&reply->body);
done:
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	return r;
}
