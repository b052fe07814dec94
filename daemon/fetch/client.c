/*
 * Many requests on one event loop: libcurl says which sockets it wants watched and when it wants to
 * be woken, and is told what happened. A call is over in one place, on_message(), never inside of a
 * callback of libcurl.
 */

#include "daemon/fetch/transfer.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

enum { ORIGIN_LIMIT = 4096, HOST_CONNECTION_LIMIT = 16, CONNECTION_LIMIT = 64 };

struct fetch_client {
	struct event_base *base;
	CURLM *multi;
	struct event *timer;
	char *user_agent;
	char *origins[ORIGIN_LIMIT];
	size_t n_origins;
	struct fetch_call *calls;
	size_t n_calls;
};

struct watch {
	struct fetch_client *client;
	struct event *event;
};

static void call_end(struct fetch_client *client, struct fetch_call *call, int outcome)
{
	struct fetch_call **at = &client->calls;
	struct fetch_reply reply = call->reply;

	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	client->n_calls--;
	curl_multi_remove_handle(client->multi, call->transfer->curl);
	call->transfer = fetch_transfer_free(call->transfer);
	call->done(call, outcome, &reply);
	fetch_reply_deinit(&reply);
}

static void read_messages(struct fetch_client *client)
{
	CURLMsg *message;
	int n;

	while ((message = curl_multi_info_read(client->multi, &n))) {
		struct fetch_call *call = NULL;
		int outcome;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
		outcome = fetch_transfer_finish(call->transfer, message->data.result);
		call_end(client, call, outcome < 0 ? FETCH_E_UNREACHABLE : outcome);
	}
}

static void on_socket(evutil_socket_t fd, short what, void *userdata)
{
	const struct watch *watch = userdata;
	struct fetch_client *client = watch->client;
	int bits = (what & EV_READ ? CURL_CSELECT_IN : 0) |
		   (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
	int n_running;

	curl_multi_socket_action(client->multi, fd, bits, &n_running);
	read_messages(client);
}

static void on_time(evutil_socket_t fd, short what, void *userdata)
{
	struct fetch_client *client = userdata;
	int n_running;

	curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &n_running);
	read_messages(client);
}

/* libcurl wants to be woken in so many milliseconds; -1: not at all. */
static int set_timer(CURLM *multi, long timeout_ms, void *userdata)
{
	struct fetch_client *client = userdata;
	const struct timeval interval = { .tv_sec = timeout_ms / 1000,
					  .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000 };

	if (timeout_ms < 0)
		evtimer_del(client->timer);
	else if (evtimer_add(client->timer, &interval) < 0)
		return -1;
	return 0;
}

static struct watch *watch_free(struct watch *watch)
{
	if (watch && watch->event)
		event_free(watch->event);
	free(watch);
	return NULL;
}

static int set_socket(CURL *curl, curl_socket_t fd, int what, void *userdata, void *assigned)
{
	struct fetch_client *client = userdata;
	struct watch *watch = assigned;
	short events = EV_PERSIST;

	if (what == CURL_POLL_REMOVE) {
		curl_multi_assign(client->multi, fd, watch_free(watch));
		return 0;
	}
	if (!watch) {
		watch = calloc(1, sizeof(*watch));
		if (!watch)
			return -1;
		watch->client = client;
		curl_multi_assign(client->multi, fd, watch);
	}
	if (what != CURL_POLL_OUT)
		events |= EV_READ;
	if (what != CURL_POLL_IN)
		events |= EV_WRITE;
	if (watch->event)
		event_free(watch->event);
	watch->event = event_new(client->base, fd, events, on_socket, watch);
	return watch->event && event_add(watch->event, NULL) == 0 ? 0 : -1;
}

static int add_origins(struct fetch_client *client, const struct fetch_client_setup *setup)
{
	for (size_t i = 0; i < setup->n_urls; i++) {
		size_t length;

		if (client->n_origins == ORIGIN_LIMIT || fetch_origin_read(setup->urls[i], &length))
			return -EINVAL;
		client->origins[client->n_origins] = strndup(setup->urls[i], length);
		if (!client->origins[client->n_origins])
			return -ENOMEM;
		client->n_origins++;
	}
	return 0;
}

static int multi_make(struct fetch_client *client)
{
	CURLM *multi = curl_multi_init();

	if (!multi)
		return -ENOMEM;
	client->multi = multi;
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, set_socket);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, client);
	curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)HOST_CONNECTION_LIMIT);
	curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)CONNECTION_LIMIT);
	return 0;
}

/* -EINVAL: an address that fetch_origin_read() refuses. */
int fetch_client_new(const struct fetch_client_setup *setup, struct fetch_client **ret_client)
{
	struct fetch_client *client = calloc(1, sizeof(*client));
	int r;

	if (!client)
		return -ENOMEM;
	client->base = setup->base;
	client->user_agent = strdup(setup->user_agent);
	client->timer = evtimer_new(setup->base, on_time, client);
	r = client->user_agent && client->timer ? add_origins(client, setup) : -ENOMEM;
	if (!r)
		r = multi_make(client);
	if (r) {
		fetch_client_free(client);
		return r;
	}
	*ret_client = client;
	return 0;
}

struct fetch_client *fetch_client_free(struct fetch_client *client)
{
	if (!client)
		return NULL;
	while (client->calls)
		call_end(client, client->calls, FETCH_E_UNREACHABLE);
	if (client->multi)
		curl_multi_cleanup(client->multi);
	if (client->timer)
		event_free(client->timer);
	for (size_t i = 0; i < client->n_origins; i++)
		free(client->origins[i]);
	free(client->user_agent);
	free(client);
	return NULL;
}

/* Whether both ask the same origins in the same order under the same name. */
bool fetch_client_equals(const struct fetch_client *a, const struct fetch_client *b)
{
	if (a->n_origins != b->n_origins || strcmp(a->user_agent, b->user_agent) != 0)
		return false;
	for (size_t i = 0; i < a->n_origins; i++)
		if (strcmp(a->origins[i], b->origins[i]) != 0)
			return false;
	return true;
}

bool fetch_client_is_idle(const struct fetch_client *client)
{
	return !client->calls;
}

static bool is_allowed(const struct fetch_client *client, const char *url)
{
	size_t length;

	if (fetch_origin_read(url, &length))
		return false;
	for (size_t i = 0; i < client->n_origins; i++)
		if (strlen(client->origins[i]) == length &&
		    memcmp(client->origins[i], url, length) == 0)
			return true;
	return false;
}

/* Everything of the request is copied. */
int fetch_start(struct fetch_client *client, const struct fetch_request *request,
		struct fetch_call *call)
{
	int r;

	if (!is_allowed(client, request->url))
		return FETCH_E_FORBIDDEN;
	if (client->n_calls >= FETCH_CALL_LIMIT)
		return FETCH_E_FULL;
	call->reply = (struct fetch_reply){ 0 };
	r = fetch_transfer_new(request, &call->reply, &call->transfer);
	if (r < 0)
		return r;
	curl_easy_setopt(call->transfer->curl, CURLOPT_PRIVATE, (char *)call);
	curl_easy_setopt(call->transfer->curl, CURLOPT_USERAGENT, client->user_agent);
	if (curl_multi_add_handle(client->multi, call->transfer->curl) != CURLM_OK) {
		call->transfer = fetch_transfer_free(call->transfer);
		return -ENOMEM;
	}
	call->next = client->calls;
	client->calls = call;
	client->n_calls++;
	return 0;
}
