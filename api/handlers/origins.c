/*
 * Hosts of wikis, sorted. Their mobile sites are en.m.wikipedia.org for en.wikipedia.org and
 * m.wikidata.org for www.wikidata.org; such a name is turned back into the other and looked up, so
 * that no pattern ever decides.
 */

#include "api/handlers/origins.h"

#include <stdlib.h>
#include <string.h>

enum { HOST_MAX = 253 };

struct origins {
	size_t n_hosts;
	const char *hosts[];
};

static int compare_hosts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int origins_new(const struct policy_set *set, struct origins **ret_origins)
{
	size_t n = policy_set_count_wikis(set);
	struct origins *origins = malloc(sizeof(*origins) + n * sizeof(origins->hosts[0]));

	if (!origins)
		return -ENOMEM;
	origins->n_hosts = 0;
	for (size_t i = 0; i < n; i++) {
		const char *host = policy_set_wiki_at(set, i)->host;

		if (host)
			origins->hosts[origins->n_hosts++] = host;
	}
	qsort(origins->hosts, origins->n_hosts, sizeof(origins->hosts[0]), compare_hosts);
	*ret_origins = origins;
	return 0;
}

/* Takes NULL; returns NULL. */
struct origins *origins_free(struct origins *origins)
{
	free(origins);
	return NULL;
}

static bool has_host(const struct origins *origins, const char *host)
{
	return bsearch(&host, origins->hosts, origins->n_hosts, sizeof(origins->hosts[0]),
		       compare_hosts);
}

/* ret_host has room for HOST_MAX + 4 bytes. False: the name has no mobile form. */
static bool make_desktop(const char *host, char *ret_host)
{
	const char *dot = strchr(host, '.');

	if (strncmp(host, "m.", 2) == 0) {
		strcpy(ret_host, "www.");
		strcat(ret_host, host + 2);
		return true;
	}
	if (!dot || strncmp(dot, ".m.", 3) != 0)
		return false;
	memcpy(ret_host, host, (size_t)(dot - host));
	strcpy(ret_host + (dot - host), dot + 2);
	return true;
}

bool origins_have(const struct origins *origins, struct slice origin)
{
	static const char scheme[] = "https://";
	char host[HOST_MAX + 1], desktop[HOST_MAX + 4];
	size_t length;

	if (!origins || origin.length < sizeof(scheme) ||
	    memcmp(origin.at, scheme, sizeof(scheme) - 1) != 0)
		return false;
	length = origin.length - (sizeof(scheme) - 1);
	if (length > HOST_MAX || memchr(origin.at, '\0', origin.length))
		return false;
	memcpy(host, origin.at + sizeof(scheme) - 1, length);
	host[length] = '\0';
	return has_host(origins, host) ||
	       (make_desktop(host, desktop) && has_host(origins, desktop));
}
