#pragma once
/* The key of one unit, as the database names it and the vault opens it. */

#include "api/handlers/verb.h"

/* Lives in the exchange's arena. */
struct unit_ask {
	struct exchange *exchange;
	struct vault_unit unit;
	struct vault_call vault;
	void (*done)(struct unit_ask *ask, const struct unit_key *key);
};

/* Takes the unit out of an answer {unit, generation, vault, key_id}. 0 or negative. */
int unit_ask_read(struct unit_ask *ask, const struct value *body);
/* `person` and `case_id` are whom it is counted for. done() runs once, or the exchange is refused;
 * the key is wiped behind it. */
void unit_ask_start(struct unit_ask *ask, const uint8_t person[KEYS_ID_SIZE],
		    const uint8_t case_id[KEYS_ID_SIZE],
		    void (*done)(struct unit_ask *ask, const struct unit_key *key));
/* `name` of an answer is `size` bytes in hex. 0 or negative. */
int unit_read_hex(const struct value *body, const char *name, void *ret_bytes, size_t size);
