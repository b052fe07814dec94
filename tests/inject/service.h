#pragma once
/* A web process's insides on a thread of their own: pool, handlers, server. */

#include "daemon/base/error.h"

struct service;

/* Serves on a free port of 127.0.0.1 with the daemon's configuration; NULL: said on stderr why not.
 */
struct service *service_new(const char *config_file);
/* Stops, joins the thread and frees everything; takes NULL. */
void service_free(struct service *service);
unsigned service_port(const struct service *service);
/* Whether all database connections are open and the policy is there. */
bool service_is_whole(const struct service *service);
