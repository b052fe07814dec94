#pragma once
/* What seals and opens the words of one process: the intake key that new units are sealed to, and
 * the way to the vault, which alone opens them again. */

#include "daemon/base/text.h"
#include "daemon/keys/index.h"
#include "daemon/keys/vault_client.h"
#include "daemon/pg/pg.h"

enum { SEALER_SQL_MAX = 256 };

/* One per process; a reload of the key file changes it in place. */
struct sealer {
	struct intake_key intake; /* the deployment is in it */
	struct stanza_sender sender;
	struct ipc_channel *const *vault; /* *vault is NULL while there is none */
	uint64_t n_damaged;               /* words that did not open with their keys */
	bool is_foreign;                  /* the database has other indexes: nothing is sealed */
	char deployment[TEXT_UUID_LENGTH + 1]; /* as the database says it */
	char index_mark[INDEX_MARK_TEXT + 1];
	char index_sql[SEALER_SQL_MAX]; /* what asks for both */
};

/* `vault` is borrowed for the sealer's life. */
void sealer_init(struct sealer *sealer, const struct intake_key *intake,
		 struct ipc_channel *const *vault);
void sealer_deinit(struct sealer *sealer); /* wipes it */
/* Another intake key of the same deployment; of another one it is SEALER_E_DEPLOYMENT. */
enum { SEALER_E_DEPLOYMENT = 1 };
int sealer_reload(struct sealer *sealer, const struct intake_key *intake);
/* Whose database the pool is for: what is sealed here goes to no other one, where it could never be
 * opened. For the sealer's life. */
struct pg_identity sealer_identity(const struct sealer *sealer);
/* The same, and indexes of the database have to be made with this key. */
int sealer_identity_of_index(struct sealer *sealer, const struct index_key *key,
			     struct pg_identity *ret_identity);
/* The way to the vault, for vault_open(); may be NULL. */
struct ipc_channel *sealer_vault(const struct sealer *sealer);

/* A generation for a unit that is there already: above 1, at random, so that writers need not know
 * of each other. */
int sealer_new_generation(uint32_t *ret_generation);
/* A fresh key of a unit, and what the vault opens it from; ret_key is the caller's to wipe. */
int sealer_new_key(struct sealer *sealer, const uint8_t unit_id[KEYS_ID_SIZE], uint32_t generation,
		   struct unit_key *ret_key, uint8_t ret_stanza[STANZA_VAULT_SIZE],
		   uint32_t *ret_key_id);
