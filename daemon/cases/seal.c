/*
 * The sealing half of a process. It has no private key: what it seals, the vault opens. A unit that
 * is written to again gets a new generation of its key, so that writing never waits for the vault;
 * generations are drawn at random from 31 bits, and a repeated one is refused by the database.
 */

#include "daemon/cases/seal.h"
#include "daemon/crypto/crypto.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { GENERATION_FIRST_LATER = 2, GENERATION_MAX = INT32_MAX };

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void sealer_init(struct sealer *sealer, const struct intake_key *intake,
		 struct ipc_channel *const *vault)
{
	*sealer = (struct sealer){ .intake = *intake, .vault = vault };
	text_write_uuid(sealer->deployment, intake->deployment);
}

struct pg_identity sealer_identity(const struct sealer *sealer)
{
	return (struct pg_identity){
		.sql = "select body ->> 'deployment' from conduct_api_1.readiness()",
		.answers = { sealer->deployment },
		.refusals = { "the keys are those of another deployment than the database: name "
			      "the right vault.key_file and vault.public_file, or the right "
			      "database" },
	};
}

/* A database that knows no index key takes any. Returns 0 or negative. */
int sealer_identity_of_index(struct sealer *sealer, const struct index_key *key,
			     struct pg_identity *ret_identity)
{
	struct pg_identity identity = sealer_identity(sealer);
	int r = index_key_mark(key, sealer->deployment, sealer->index_mark);

	if (r)
		return r;
	(void)snprintf(sealer->index_sql, sizeof(sealer->index_sql),
		       "select body ->> 'deployment', coalesce(body ->> 'index_mark', '%s')"
		       " from conduct_api_1.readiness()",
		       sealer->index_mark);
	identity.sql = sealer->index_sql;
	identity.answers[1] = sealer->index_mark;
	identity.refusals[1] =
		"the index key is not that of the database, under which nobody would be "
		"recognised: copy index_key_file from another host or a backup, and restart";
	*ret_identity = identity;
	return 0;
}

void sealer_deinit(struct sealer *sealer)
{
	stanza_sender_deinit(&sealer->sender);
	crypto_wipe(sealer, sizeof(*sealer));
}

/* The next key that is sealed goes to the new intake key. Returns 0, or SEALER_E_DEPLOYMENT for one
 * of another deployment, or another one of the same id: the vault would not open it. */
int sealer_reload(struct sealer *sealer, const struct intake_key *intake)
{
	if (memcmp(sealer->intake.deployment, intake->deployment, KEYS_ID_SIZE) != 0 ||
	    (sealer->intake.key_id == intake->key_id &&
	     memcmp(sealer->intake.public_key, intake->public_key, HPKE_KEY_SIZE) != 0))
		return SEALER_E_DEPLOYMENT;
	sealer->intake = *intake;
	return 0;
}

struct ipc_channel *sealer_vault(const struct sealer *sealer)
{
	return sealer->vault ? *sealer->vault : NULL;
}

/* Returns 0 or negative. */
int sealer_new_generation(uint32_t *ret_generation)
{
	const uint32_t n = (uint32_t)GENERATION_MAX - GENERATION_FIRST_LATER + 1;
	uint64_t drawn;
	int r = crypto_random(&drawn, sizeof(drawn));

	/* Of 64 bits the remainder prefers no value that anybody could notice. */
	if (r == 0)
		*ret_generation = GENERATION_FIRST_LATER + (uint32_t)(drawn % n);
	return r;
}

/* Returns 0 or negative: -EINVAL where the intake key is none, -EKEYREJECTED beside a database that
 * was indexed with another key. */
int sealer_new_key(struct sealer *sealer, const uint8_t unit_id[KEYS_ID_SIZE], uint32_t generation,
		   struct unit_key *ret_key, uint8_t ret_stanza[STANZA_VAULT_SIZE],
		   uint32_t *ret_key_id)
{
	CLEANUP(unit_key_deinit) struct unit_key key = { .generation = 0 };
	int r = sealer->is_foreign ? -EKEYREJECTED : unit_key_new(unit_id, generation, &key);

	if (r == 0)
		r = stanza_seal(&sealer->sender, &sealer->intake, now_ms(), &key, ret_stanza);
	if (r)
		return r > 0 ? -EINVAL : r;
	*ret_key = key;
	*ret_key_id = sealer->intake.key_id;
	return 0;
}
