#pragma once
/*
 * The words of a request are sealed before the database sees them, each under the key of the unit
 * that it will be erased with. What the database keeps of the key goes along with them: an entry
 * among the words, whose kind says what it is (sql/api/00_core.sql, store_words()).
 */

#include "daemon/cases/seal.h"
#include "daemon/cases/words.h"

#define SEALING_VAULT "$vault"     /* id: a unit; bytes: SEALING_VAULT_SIZE */
#define SEALING_RECEIPT "$receipt" /* id: a unit; bytes: SEALING_RECEIPT_SIZE */
#define SEALING_CHANNEL "$channel" /* id: a party; no bytes */

enum {
	SEALING_VAULT_SIZE = 4 + 4 + STANZA_VAULT_SIZE, /* generation, intake key, stanza */
	SEALING_RECEIPT_SIZE = KEYS_ID_SIZE + 4 +
			       STANZA_CHANNEL_SIZE, /* party, generation, stanza */
};

/* All words that are not sealed yet, under a new key of the unit: generation 0 is a random one. */
int sealing_unit(struct words *words, struct sealer *sealer, const uint8_t unit_id[KEYS_ID_SIZE],
		 uint32_t generation);
/* The same under the key of a party's channel, which is there already. */
int sealing_channel(struct words *words, struct sealer *sealer, const struct unit_key *channel,
		    const uint8_t party_id[KEYS_ID_SIZE]);

/* The same in two steps, for who seals more than words under the key: the key, which is the
 * caller's to wipe, with its stanza among the words; later the words. */
int sealing_new_key(struct words *words, struct sealer *sealer, const uint8_t unit_id[KEYS_ID_SIZE],
		    uint32_t generation, struct unit_key *ret_key);
int sealing_words(struct words *words, const struct sealer *sealer, const struct unit_key *key);

/* What a report opens. */
struct sealing_report {
	uint8_t report[KEYS_ID_SIZE]; /* units */
	uint8_t case_file[KEYS_ID_SIZE];
	uint8_t identity[KEYS_ID_SIZE];
	uint8_t reporter[KEYS_ID_SIZE]; /* a party */
	const uint8_t *receipt;         /* STANZA_RECEIPT_SIZE: opens the reporter's channel */
};

int sealing_report(struct words *words, struct sealer *sealer, const struct sealing_report *report);
