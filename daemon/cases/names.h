#pragma once
/* How user names in a body become the indexes that the database matches people by. */

#include "daemon/keys/index.h"
#include "daemon/json/value.h"

struct names {
	const struct index_key *key;
	struct slice scope; /* whose names: the scope of the wikis' issuer */
	/* The account of a name, where it is known: false when it is not. May be NULL. */
	bool (*find)(const void *userdata, const uint8_t name_ix[INDEX_SIZE],
		     uint8_t ret_id_ix[INDEX_SIZE]);
	const void *userdata;
};

/* Sets name_ix, skeleton_ix and, where known, id_ix in `object`. INDEX_E_MALFORMED: not a name. */
int names_set_indexes(const struct names *names, struct arena *arena, struct slice name,
		      struct value *object);
/* The name_ix in hex, as the arena's text. INDEX_E_MALFORMED: not a name. */
int names_index(const struct names *names, struct arena *arena, struct slice name,
		const char **ret_hex);
