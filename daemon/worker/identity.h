#pragma once
/* What web processes ask about wiki accounts: the worker asks the wiki, and makes the person known.
 */

#include "daemon/fetch/fetch.h"
#include "daemon/ipc/channel.h"
#include "daemon/worker/worker.h"

enum {
	IDENTITY_ASK_LIMIT = 256,         /* questions under way */
	IDENTITY_WAIT_MS = 4000,          /* for a wiki's whole answer */
	IDENTITY_AWAY_AFTER = 3,          /* failures in a row, then the wiki is left alone */
	IDENTITY_AWAY_MS = 1000,          /* at first; doubled with every further failure */
	IDENTITY_AWAY_MAX_MS = 30 * 1000, /* at most, also when the wiki asks for more */
};

struct identity;
struct worker;

int identity_new(struct worker *worker, struct identity **ret_identity);
struct identity *identity_free(struct identity *identity);
/* Takes the worker's present terms; what is under way ends by those it began with. */
void identity_reload(struct identity *identity);
/* A web process's end of a channel, which is taken. */
void identity_add_peer(struct identity *identity, int fd);
/* One that may ask these addresses' origins, and says who is asking. */
int identity_client_new(const struct worker *worker, const char *const *urls, size_t n_urls,
			struct fetch_client **ret_client);
/* Of the present terms; NULL: no wiki is configured. */
struct fetch_client *identity_client(const struct identity *identity);
