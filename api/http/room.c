/*
 * What all connections of a process may hold together: how many there are, how many of one network,
 * and how many bytes of requests and answers. Connections that wait for their clients stand in a
 * list, the longest waiting first: those are the ones that make room, so that a client that opens
 * thousands and says nothing keeps nobody out.
 */

#include "api/http/limits.h"
#include "api/http/state.h"

enum {
	SMALL_BODY = 16 * 1024, /* an emergency fits */
	SEARCH_MAX = 64,
	SEARCH_NETWORK_MAX = 256,
};

/* Puts the connection at the end of the list, or takes it out. */
void connection_wait(struct connection *connection, bool is_waiting)
{
	struct connection_owner *owner = connection->owner;

	if (connection->is_waiting) {
		*(connection->older ? &connection->older->younger
				    : &owner->oldest) = connection->younger;
		*(connection->younger ? &connection->younger->older
				      : &owner->youngest) = connection->older;
		connection->older = connection->younger = NULL;
	}
	connection->is_waiting = is_waiting;
	if (!is_waiting)
		return;
	connection->older = owner->youngest;
	*(owner->youngest ? &owner->youngest->younger : &owner->oldest) = connection;
	owner->youngest = connection;
}

static void evict(struct connection *connection)
{
	struct connection_owner *owner = connection->owner;

	if (owner->counters)
		atomic_fetch_add(&owner->counters->n_evicted, 1);
	connection_close(connection);
}

bool connection_evict(struct connection_owner *owner)
{
	if (!owner->oldest)
		return false;
	evict(owner->oldest);
	return true;
}

/* Of the same network, the one that has waited longest makes room, if it is soon found. */
static void evict_neighbour(const struct connection *connection)
{
	struct connection *at = connection->owner->oldest;

	for (unsigned i = 0; at && i < SEARCH_NETWORK_MAX; i++, at = at->younger)
		if (at->network == connection->network && !at->is_running) {
			evict(at);
			return;
		}
}

/* How many connections its network may have; 0: it is not counted. Behind a proxy and on this
 * machine, where a front for many people may be, an address says little. */
static size_t network_most(const struct connection *connection)
{
	const struct connection_owner *owner = connection->owner;
	const struct limits *limits = owner->gate->limits;
	size_t most = owner->limits.network_max;

	if (client_ranges_have(&owner->trusted, &connection->peer))
		return 0;
	if (limits && (client_is_loopback(&connection->peer) ||
		       client_ranges_have(&limits->shared, &connection->peer)))
		most *= limits->shared_factor;
	return most;
}

/*
 * A new connection, with its peer. Above a limit it is one for emergencies alone, see
 * exchange_authenticate(); false: its network has even more than that, and it is to be closed.
 */
bool connection_admit(struct connection *connection)
{
	struct connection_owner *owner = connection->owner;
	size_t most = network_most(connection);

	connection->is_reserve = owner->n_connections >= owner->limits.connections_max;
	if (most == 0)
		return true;
	if (network_enter(owner->networks, &connection->peer, most, &connection->network) < 0)
		return false;
	if (network_is_over(connection->network, 0))
		evict_neighbour(connection);
	if (network_is_over(connection->network, 0))
		connection->is_reserve = true;
	if (!network_is_over(connection->network, SERVER_RESERVE))
		return true;
	if (owner->counters)
		atomic_fetch_add(&owner->counters->n_crowded, 1);
	connection->network = network_leave(connection->network);
	return false;
}

/* Above the limit, somebody who has not fetched an answer for long does without it. */
static void make_room(struct connection *connection)
{
	struct connection_owner *owner = connection->owner;
	struct connection *at = owner->oldest, *next;

	for (unsigned i = 0; at && i < SEARCH_MAX && owner->n_held > owner->limits.buffers_max;
	     i++, at = next) {
		next = at->younger;
		if (at->n_held && at != connection && !at->is_running)
			evict(at);
	}
}

/* From here on the connection holds so many bytes, and not what it held before. */
void connection_hold(struct connection *connection, size_t n_bytes)
{
	struct connection_owner *owner = connection->owner;
	bool is_more = n_bytes > connection->n_held;

	owner->n_held = owner->n_held - connection->n_held + n_bytes;
	connection->n_held = n_bytes;
	if (is_more && owner->n_held > owner->limits.buffers_max)
		make_room(connection);
}

/* The last quarter is for bodies as small as an emergency's. */
bool connection_has_room(const struct connection_owner *owner, uint64_t body_length)
{
	size_t most = owner->limits.buffers_max;

	if (body_length > SMALL_BODY)
		most -= most / 4;
	return owner->n_held + body_length <= most;
}
