#pragma once
/* Files of secrets: made once, never overwritten, readable by their owner alone. */

#include "daemon/keys/index.h"

enum {
	KEY_FILE_E_EXISTS = 1, /* create: the file is there and stays as it is */
	KEY_FILE_E_ABSENT,
	KEY_FILE_E_EXPOSED,   /* others than the owner may read or write the file */
	KEY_FILE_E_MALFORMED, /* not 64 hex digits and a newline; too large */
	KEY_FILE_E_DIFFERS,   /* the database knows another index key */
};

/* Who else than the owner may have rights on a file that is read. */
enum key_file_kind { KEY_FILE_PUBLIC, KEY_FILE_SECRET, KEY_FILE_CREDENTIAL };

/* Any file of keys; texts are NUL-terminated. */
int key_file_create(const char *file, unsigned mode, const char *text);
int key_file_replace(const char *file, unsigned mode, const char *text);
int key_file_load(const char *file, enum key_file_kind kind, char *ret_text, size_t size,
		  size_t *ret_length);

int key_file_create_index(const char *file);
int key_file_load_index(const char *file, struct index_key *ret_key);
const char *key_file_explain(int outcome);
