/*
 * What all connections of a process may hold together: how many there are, and how many bytes of
 * requests and answers. Connections that wait for their clients stand in a list, the longest
 * waiting first: those are the ones that make room, so that a client that opens thousands and says
 * nothing keeps nobody out.
 */

#include "api/http/state.h"

enum {
	SMALL_BODY = 16 * 1024, /* an emergency fits */
	SEARCH_MAX = 64,
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
