#pragma once
/* What the commands of `conductctl keys` share. */

#include "daemon/app/control.h"
#include "daemon/app/vault_load.h"
#include "daemon/keys/key_file.h"

struct keys_work {
	const struct config *config;
	struct pg_session *session;
	uint8_t deployment[KEYS_ID_SIZE];
	uint32_t active_id; /* the database's; 0: it knows no intake key */
	uint32_t newest_id;
	char index_mark[INDEX_MARK_TEXT + 1]; /* the database's; "": it knows no index key */
	struct passphrase passphrase;
	struct vault_file file;
};

void keys_work_deinit(struct keys_work *work); /* usable with CLEANUP() */

/* Each says on stderr what went wrong, and returns CONTROL_OK or CONTROL_FAILED. */
int keys_work_start(struct control *control, struct keys_work *work);
/* Whether the index key is the database's; 0 or KEY_FILE_E_DIFFERS. */
int keys_check_index(const struct keys_work *work, const struct index_key *key);
/* Configuration, database, passphrase, and the key file of the database's deployment. */
int keys_work_open(struct control *control, struct keys_work *work);
int keys_query(const struct keys_work *work, const char *sql, const char *const *params,
	       unsigned n_params, struct pg_rows **ret_rows);
int keys_write_file(const struct keys_work *work, bool is_new);
int keys_write_public(const struct keys_work *work, uint32_t key_id);
/* Asks again what the database knows: keys_work_start() has done it once. */
int keys_ask_database(struct keys_work *work);
/* The rows of keys that the database does not have yet. */
int keys_register(const struct keys_work *work);
/* Whether the database has the very keys of the file; prints their states. */
int keys_compare(const struct keys_work *work);
/* The same for one key that the file has; prints nothing. */
int keys_check(const struct keys_work *work, uint32_t key_id);
int keys_print_shares(const struct keys_work *work);
