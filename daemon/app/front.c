/*
 * What a web process takes from the configuration for its server. Everything is copied: a reload
 * replaces the configuration while requests of the last generation still run.
 */

#include "daemon/app/front.h"
#include "daemon/base/log.h"

#include <event2/event.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum {
	DESCRIPTORS_KEPT =
		96, /* listeners, channels, the log, and connections of a last generation */
	CONNECTIONS_LEAST = 16,
};

/* Return: 0, -ENOMEM, or -EINVAL for a text that the configuration should have refused. */
int front_read_ranges(struct arena *arena, const struct config_texts *texts,
		      struct client_ranges *ret_ranges)
{
	struct client_range *ranges = arena_alloc(arena, (texts->n + 1) * sizeof(*ranges));

	if (!ranges)
		return -ENOMEM;
	for (size_t i = 0; i < texts->n; i++)
		if (client_range_read(texts->at[i], &ranges[i]))
			return -EINVAL;
	*ret_ranges = (struct client_ranges){ ranges, texts->n };
	return 0;
}

/* With room for one more. Return: 0 or -ENOMEM. */
int front_copy_texts(struct arena *arena, const struct config_texts *texts,
		     struct config_texts *ret_texts)
{
	struct config_texts copies = { 0 };

	copies.at = arena_alloc(arena, (texts->n + 1) * sizeof(*copies.at));
	if (!copies.at)
		return -ENOMEM;
	for (; copies.n < texts->n; copies.n++) {
		copies.at[copies.n] = arena_strdup(arena, texts->at[copies.n]);
		if (!copies.at[copies.n])
			return -ENOMEM;
	}
	*ret_texts = copies;
	return 0;
}

/* What Host may name: host_names, and the host of our own pages, where people are sent back to.
 * Return: 0 or -ENOMEM. */
int front_copy_hosts(struct arena *arena, const struct config *config,
		     struct config_texts *ret_hosts)
{
	struct config_texts hosts;
	const char *at = strstr(config->public_url, "://");
	int r = front_copy_texts(arena, &config->host_names, &hosts);

	if (r)
		return r;
	*ret_hosts = hosts;
	if (!at)
		return 0;
	at += 3;
	/* The copy has room for one more. */
	hosts.at[hosts.n] = arena_strndup(arena, at,
					  *at == '[' ? strcspn(at, "]") + 1 : strcspn(at, ":"));
	if (!hosts.at[hosts.n++])
		return -ENOMEM;
	*ret_hosts = hosts;
	return 0;
}

/* `number`: of the web process, from 1. Return: 0, -ENOMEM or -EINVAL. */
int front_read_limits(struct arena *arena, const struct config *config, struct page *page,
		      unsigned number, struct limits *ret_limits)
{
	struct limits limits = {
		.table = page->budgets,
		.shared_factor = (uint32_t)config->shared_factor,
		.n_refused = page->web[number - 1].n_limited,
	};
	int r = front_read_ranges(arena, &config->shared_networks, &limits.shared);

	for (size_t i = 0; i < LIMIT_COUNT; i++)
		limits.most[i] = (uint32_t)config->limits[i];
	if (r == 0)
		*ret_limits = limits;
	return r;
}

static void on_keys(int fd, short what, void *userdata)
{
	struct page *page = userdata;
	int r = budget_turn_keys(page->budgets, (uint64_t)time(NULL) / 86400);

	if (r < 0)
		log_say(LOG_LEVEL_ERROR, "no new key for the budgets: %s", strerror(-r));
}

/* Return: 0 or -ENOMEM; the timer is the caller's. */
int front_watch_keys(struct event_base *base, struct page *page, struct event **ret_timer)
{
	const struct timeval minute = { .tv_sec = 60 };
	struct event *timer = event_new(base, -1, EV_PERSIST, on_keys, page);

	if (!timer || event_add(timer, &minute) < 0) {
		if (timer)
			event_free(timer);
		return -ENOMEM;
	}
	*ret_timer = timer;
	return 0;
}

/**
 * front_fit_connections() - connections that this process has descriptors for
 * @n_others: descriptors that it needs beside them, such as those to the database
 *
 * Raises the soft limit first. What is kept back lets the database be reached again when clients
 * have taken everything else.
 */
unsigned front_fit_connections(unsigned wanted, unsigned n_others)
{
	rlim_t needed = (rlim_t)wanted + SERVER_RESERVE + DESCRIPTORS_KEPT + n_others;
	struct rlimit limit;
	unsigned fitting;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return wanted;
	if (limit.rlim_cur < needed && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max < needed ? limit.rlim_max : needed;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= needed)
		return wanted;
	fitting = limit.rlim_cur > needed - wanted + CONNECTIONS_LEAST
			  ? wanted - (unsigned)(needed - limit.rlim_cur)
			  : CONNECTIONS_LEAST;
	log_say(LOG_LEVEL_WARN, "limits.connections is %u, and there are descriptors for %u",
		wanted, fitting);
	return fitting;
}
