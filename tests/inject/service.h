#pragma once
/* A web process's insides on a thread of their own: pool, handlers, server. */

#include "tests/inject/client.h"

struct service;

/* Serves on two free ports of 127.0.0.1, one with TLS (the file is PEM, certificate and key), with
 * the daemon's configuration; NULL: said on stderr why not. */
struct service *service_new(const char *config_file, const char *certificate_file);
/* Stops, joins the thread and frees everything; takes NULL. */
void service_free(struct service *service);
const struct client_target *service_target(const struct service *service, bool is_tls);
/* Whether all database connections are open and the policy is there. */
bool service_is_whole(const struct service *service);
