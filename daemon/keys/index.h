#pragma once
/* People and names as the database compares them: HMACs under the index key, equality only. */

#include "daemon/base/arena.h"

enum { INDEX_SIZE = 32, INDEX_KEY_TEXT = 64, INDEX_MARK_TEXT = 64 };

struct index_key {
	uint8_t bytes[INDEX_SIZE];
};

/* The key file: 64 hex digits, with or without a line feed. */
enum { INDEX_E_MALFORMED = 1 };
int index_key_read(struct slice text, struct index_key *ret_key);
int index_key_new(struct index_key *ret_key);
void index_key_write(const struct index_key *key, char ret_text[INDEX_KEY_TEXT + 1]);
void index_key_deinit(struct index_key *key); /* wipes it */

/* What a database knows of its key: of the deployment's id, as text. */
int index_key_mark(const struct index_key *key, const char *deployment,
		   char ret_mark[INDEX_MARK_TEXT + 1]);
/* Whether the mark is of this key; also where there is none, .at being NULL. */
bool index_key_is_marked(const struct index_key *key, const char *deployment, struct slice mark);

/* An account: the central id of an issuer's scope. */
int index_of_id(const struct index_key *key, struct slice issuer, struct slice scope,
		struct slice id, uint8_t ret_index[INDEX_SIZE]);
/* A user name, folded here as wikis compare names. INDEX_E_MALFORMED: no valid text. */
int index_of_name(const struct index_key *key, struct arena *arena, struct slice scope,
		  struct slice user, uint8_t ret_index[INDEX_SIZE]);
/* What a name looks like, folded here. INDEX_E_MALFORMED as above. */
int index_of_skeleton(const struct index_key *key, struct arena *arena, struct slice name,
		      uint8_t ret_index[INDEX_SIZE]);
/* A file, by its digest in hex. */
int index_of_file(const struct index_key *key, struct slice digest, uint8_t ret_index[INDEX_SIZE]);
