#pragma once
/* Inside api/http: how many connections each network has open with one server. */

#include "api/http/client.h"

struct network;
struct networks;

int networks_new(struct networks **ret_networks);
struct networks *networks_free(struct networks *networks); /* takes NULL; NULL */
int network_enter(struct networks *networks, const struct client_address *address, size_t most,
		  struct network **ret_network);
struct network *network_leave(struct network *network); /* takes NULL; NULL */
bool network_is_over(const struct network *network, size_t reserve);
