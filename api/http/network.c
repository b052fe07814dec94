/*
 * Connections by network, so that one of them cannot have all places. There is an entry for each
 * network that has a connection, and no other; its place in the table depends on a number that
 * nobody outside knows.
 */

#include "api/http/network.h"
#include "daemon/crypto/crypto.h"

#include <stdlib.h>
#include <string.h>

enum { N_BUCKETS = 4096 };

struct network {
	struct network *next, **link;
	uint8_t name[CLIENT_NETWORK_SIZE];
	size_t n;
	size_t most;
};

struct networks {
	uint64_t seed[2];
	struct network *buckets[N_BUCKETS];
};

/* 0 or negative. */
int networks_new(struct networks **ret_networks)
{
	struct networks *networks = calloc(1, sizeof(*networks));
	int r = networks ? crypto_random(networks->seed, sizeof(networks->seed)) : -ENOMEM;

	if (r < 0) {
		free(networks);
		return r;
	}
	*ret_networks = networks;
	return 0;
}

/* No connection may be left. */
struct networks *networks_free(struct networks *networks)
{
	free(networks);
	return NULL;
}

/* The finalizer of MurmurHash3 (public domain), which lets every bit change every other. */
static uint64_t mix(uint64_t word)
{
	word = (word ^ word >> 33) * UINT64_C(0xff51afd7ed558ccd);
	word = (word ^ word >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return word ^ word >> 33;
}

static struct network **bucket_of(struct networks *networks,
				  const uint8_t name[CLIENT_NETWORK_SIZE])
{
	uint64_t word;

	memcpy(&word, name + 1, sizeof(word));
	word = mix(mix(word ^ networks->seed[0]) + name[0] + networks->seed[1]);
	return &networks->buckets[word % N_BUCKETS];
}

/**
 * network_enter() - one more connection of an address
 * @most: how many its network may have; the newest word counts
 * @ret_network: whom network_leave() is told when the connection ends
 *
 * Return: 0 or -ENOMEM.
 */
int network_enter(struct networks *networks, const struct client_address *address, size_t most,
		  struct network **ret_network)
{
	uint8_t name[CLIENT_NETWORK_SIZE];
	struct network **bucket, *network;

	client_network(address, name);
	bucket = bucket_of(networks, name);
	for (network = *bucket; network; network = network->next)
		if (memcmp(network->name, name, sizeof(name)) == 0)
			break;
	if (!network) {
		network = calloc(1, sizeof(*network));
		if (!network)
			return -ENOMEM;
		memcpy(network->name, name, sizeof(name));
		network->next = *bucket;
		network->link = bucket;
		if (*bucket)
			(*bucket)->link = &network->next;
		*bucket = network;
	}
	network->most = most;
	network->n++;
	*ret_network = network;
	return 0;
}

struct network *network_leave(struct network *network)
{
	if (!network || --network->n > 0)
		return NULL;
	*network->link = network->next;
	if (network->next)
		network->next->link = network->link;
	free(network);
	return NULL;
}

/* Whether it has more than it may have, and `reserve` more than that. Takes NULL. */
bool network_is_over(const struct network *network, size_t reserve)
{
	return network && network->n > network->most + reserve;
}
