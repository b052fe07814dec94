/* daemon/fetch: which addresses are asked, and what a server may do to us. The server is a socket
 * on loopback that says one prepared text. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/fetch/fetch.h"
#include "tests/unit/suite.h"

static const struct {
	const char *url;
	const char *origin; /* NULL: refused */
} addresses[] = {
	{ "https://w.example", "https://w.example" },
	{ "https://w.example/w/api.php?x=1", "https://w.example" },
	{ "https://w.example:8443/", "https://w.example:8443" },
	{ "https://[2001:db8::1]:1/x", "https://[2001:db8::1]:1" },
	{ "http://127.0.0.1:80/x", "http://127.0.0.1:80" },
	{ "http://[::1]/x", "http://[::1]" },
	{ "http://localhost?x", "http://localhost" },
	{ "http://w.example/", NULL },
	{ "http://127.0.0.1.evil.example/", NULL },
	{ "http://localhost.evil.example/", NULL },
	{ "http://127.evil/", NULL },
	{ "https://user@w.example/", NULL },
	{ "https://user:pass@w.example/", NULL },
	{ "https://w.example:443@evil.example/", NULL },
	{ "https://w.example:/", NULL },
	{ "https://w.example:123456/", NULL },
	{ "https://w.example\\@evil.example/", NULL },
	{ "https://w.example/#x", NULL },
	{ "https://w.example/a b", NULL },
	{ "https://w.example/\r\nX: y", NULL },
	{ "https://w\xc3\xa4.example/", NULL },
	{ "https://", NULL },
	{ "https:///x", NULL },
	{ "https://-w/", NULL },
	{ "https://.w/", NULL },
	{ "https://[::1/", NULL },
	{ "HTTPS://w.example/", NULL },
	{ "ftp://w.example/", NULL },
	{ "file:///etc/passwd", NULL },
	{ "//w.example/", NULL },
	{ "", NULL },
};

START_TEST(an_address_is_https_or_http_on_loopback)
{
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		size_t length = 0;
		int r = fetch_origin_read(addresses[i].url, &length);

		ck_assert_msg((r == 0) == (addresses[i].origin != NULL), "%s: %d", addresses[i].url,
			      r);
		if (r == 0)
			ck_assert_slice_eq(((struct slice){ addresses[i].url, length }),
					   addresses[i].origin);
	}
}
END_TEST

START_TEST(a_form_value_is_escaped)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;

	fetch_escape(&buffer, slice_of("aZ09-._~ &=%+|\x1fé"));
	ck_assert_int_eq(buffer_finish(&buffer), 0);
	ck_assert_str_eq(buffer.at, "aZ09-._~%20%26%3D%25%2B%7C%1F%C3%A9");
}
END_TEST

struct scene {
	struct event_base *base;
	struct event *accepts;
	int listener;
	int peer;
	const char *says; /* sent as soon as somebody connects, then the end */
	bool is_silent;
	unsigned n_accepted;
	char url[64];
	struct fetch_client *client;
	struct fetch_call call;
	unsigned n_done;
	int outcome;
	long status;
	unsigned retry_after_s;
	size_t length;
};

static void on_request(evutil_socket_t fd, short what, void *userdata)
{
	struct scene *scene = userdata;
	char request[4096];

	ck_assert_int_gt(read(fd, request, sizeof(request)), 0);
	ck_assert_int_eq(write(fd, scene->says, strlen(scene->says)), (ssize_t)strlen(scene->says));
	(void)close(fd);
	scene->peer = -1;
}

static void on_accept(evutil_socket_t fd, short what, void *userdata)
{
	struct scene *scene = userdata;

	scene->peer = accept(fd, NULL, NULL);
	ck_assert_int_ge(scene->peer, 0);
	scene->n_accepted++;
	if (!scene->is_silent)
		ck_assert_int_eq(
			event_base_once(scene->base, scene->peer, EV_READ, on_request, scene, NULL),
			0);
}

static void on_done(struct fetch_call *call, int outcome, const struct fetch_reply *reply)
{
	struct scene *scene = (struct scene *)(void *)((char *)call - offsetof(struct scene, call));

	scene->n_done++;
	scene->outcome = outcome;
	scene->status = reply->status;
	scene->retry_after_s = reply->retry_after_s;
	scene->length = reply->body.length;
	event_base_loopbreak(scene->base);
}

static void scene_init(struct scene *scene, const char *says)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	const char *urls[] = { scene->url };

	*scene = (struct scene){ .base = event_base_new(),
				 .says = says,
				 .is_silent = !says,
				 .peer = -1,
				 .call = { .done = on_done } };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	scene->listener = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(scene->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(scene->listener, 8), 0);
	ck_assert_int_eq(getsockname(scene->listener, (struct sockaddr *)&address, &length), 0);
	(void)snprintf(scene->url, sizeof(scene->url), "http://127.0.0.1:%u/x",
		       ntohs(address.sin_port));
	scene->accepts = event_new(scene->base, scene->listener, EV_READ | EV_PERSIST, on_accept,
				   scene);
	ck_assert_int_eq(event_add(scene->accepts, NULL), 0);
	ck_assert_int_eq(fetch_client_new(&(struct fetch_client_setup){ .base = scene->base,
									.user_agent = "test",
									.urls = urls,
									.n_urls = 1 },
					  &scene->client),
			 0);
}

static void scene_deinit(struct scene *scene)
{
	fetch_client_free(scene->client);
	event_free(scene->accepts);
	if (scene->peer >= 0)
		(void)close(scene->peer);
	(void)close(scene->listener);
	event_base_free(scene->base);
}

static int start(struct scene *scene, const char *url, long timeout_ms)
{
	const struct fetch_request request = {
		.method = "GET", .url = url, .body_max = 16, .timeout_ms = timeout_ms
	};

	return fetch_start(scene->client, &request, &scene->call);
}

/* One request and its end. */
static void run(struct scene *scene, long timeout_ms)
{
	ck_assert_int_eq(start(scene, scene->url, timeout_ms), 0);
	ck_assert_uint_eq(scene->n_done, 0);
	event_base_dispatch(scene->base);
	ck_assert_uint_eq(scene->n_done, 1);
	ck_assert(fetch_client_is_idle(scene->client));
}

static const struct {
	const char *says;
	int outcome;
	long status;
	size_t length;
	unsigned retry_after_s;
} answers[] = {
	{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 0, 200, 2, 0 },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, 200, 0, 0 },
	{ "HTTP/1.0 200 OK\r\n\r\nto the end", 0, 200, 10, 0 },
	{ "HTTP/1.1 429 No\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", 0, 429, 0, 7 },
	{ "HTTP/1.1 429 No\r\nRetry-After: 99999\r\nContent-Length: 0\r\n\r\n", 0, 429, 0, 3600 },
	{ "HTTP/1.1 302 Go\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n", 0, 302, 0, 0 },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n12345678901234567", FETCH_E_TOO_LONG, 0, 16,
	  0 },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", FETCH_E_UNREACHABLE, 0, 0, 0 },
	{ "nonsense\r\n\r\n", FETCH_E_UNREACHABLE, 0, 0, 0 },
	{ "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", FETCH_E_UNREACHABLE, 0, 0, 0 },
};

START_TEST(an_answer_is_taken_as_it_is)
{
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		struct scene scene;

		scene_init(&scene, answers[i].says);
		run(&scene, 5000);
		ck_assert_msg(scene.outcome == answers[i].outcome, "%s: %d", answers[i].says,
			      scene.outcome);
		if (!scene.outcome) {
			ck_assert_int_eq(scene.status, answers[i].status);
			ck_assert_uint_eq(scene.length, answers[i].length);
			ck_assert_uint_eq(scene.retry_after_s, answers[i].retry_after_s);
		}
		ck_assert_uint_le(scene.length, 16);
		ck_assert_uint_eq(scene.n_accepted, 1);
		scene_deinit(&scene);
	}
}
END_TEST

START_TEST(a_silent_server_is_late)
{
	struct scene scene;

	scene_init(&scene, NULL);
	run(&scene, 100);
	ck_assert_int_eq(scene.outcome, FETCH_E_LATE);
	scene_deinit(&scene);
}
END_TEST

START_TEST(another_origin_is_forbidden)
{
	struct scene scene;

	scene_init(&scene, "");
	ck_assert_int_eq(start(&scene, "http://127.0.0.1:1/x", 100), FETCH_E_FORBIDDEN);
	ck_assert_int_eq(start(&scene, "https://w.example/", 100), FETCH_E_FORBIDDEN);
	ck_assert_int_eq(start(&scene, "file:///etc/passwd", 100), FETCH_E_FORBIDDEN);
	ck_assert_uint_eq(scene.n_done, 0);
	scene_deinit(&scene);
}
END_TEST

START_TEST(a_call_under_way_ends_with_its_client)
{
	struct scene scene;

	scene_init(&scene, NULL);
	ck_assert_int_eq(start(&scene, scene.url, 5000), 0);
	scene.client = fetch_client_free(scene.client);
	ck_assert_uint_eq(scene.n_done, 1);
	ck_assert_int_eq(scene.outcome, FETCH_E_UNREACHABLE);
	scene_deinit(&scene);
}
END_TEST

START_TEST(a_client_is_made_for_good_addresses_alone)
{
	struct event_base *base = event_base_new();
	struct fetch_client *client = NULL;
	const char *urls[] = { "http://w.example/" };

	ck_assert_int_eq(fetch_client_new(&(struct fetch_client_setup){ .base = base,
									.user_agent = "test",
									.urls = urls,
									.n_urls = 1 },
					  &client),
			 -EINVAL);
	event_base_free(base);
}
END_TEST

START_TEST(clients_are_equal_that_ask_the_same_under_the_same_name)
{
	static const char *const lists[][2] = { { "https://a.example/x", "https://b.example/" },
						{ "https://a.example/y", "https://b.example/z" },
						{ "https://a.example/", "https://c.example/" },
						{ "https://a.example/", NULL },
						{ "https://a.example/x", "https://b.example/" } };
	struct fetch_client *clients[ARRAY_SIZE(lists)];
	struct event_base *base = event_base_new();

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct fetch_client_setup setup = { .base = base,
							  .user_agent = i == 4 ? "other" : "test",
							  .urls = lists[i],
							  .n_urls = lists[i][1] ? 2 : 1 };

		ck_assert_int_eq(fetch_client_new(&setup, &clients[i]), 0);
		ck_assert_int_eq(fetch_client_equals(clients[0], clients[i]), i < 2);
	}
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		fetch_client_free(clients[i]);
	event_base_free(base);
}
END_TEST

SUITE("fetch/client", an_address_is_https_or_http_on_loopback, a_form_value_is_escaped,
      an_answer_is_taken_as_it_is, a_silent_server_is_late, another_origin_is_forbidden,
      a_call_under_way_ends_with_its_client, a_client_is_made_for_good_addresses_alone,
      clients_are_equal_that_ask_the_same_under_the_same_name)
