#pragma once
/* What the jobs of the vault's keys keep between their runs. */

#include "daemon/worker/internal.h"

enum { ROTATION_PAUSE_MS = 50 }; /* between two pieces: the vault has readers to serve */

struct rotation {
	char trouble[320]; /* with the keys; "" while they are in order */
	/* Of the leader's pass over the stanzas of older keys. */
	bool has_more;
	char after[96];  /* where it is: [key, unit, generation]; "": at the start */
	uint64_t n_left; /* so far in this pass: what does not open */
	uint64_t n_left_before;
};

int rotation_new(struct rotation **ret_rotation);
struct rotation *rotation_free(struct rotation *rotation);
