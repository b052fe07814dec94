#pragma once
/* What a vault holds: the deployment's intake keys, the same on every host, and the host's own key
 * for signing the log. Plain memory, to be wiped with vault_keys_deinit(). */

#include "daemon/crypto/ed25519.h"
#include "daemon/keys/stanza.h"

enum {
	VAULT_INTAKE_MAX = 16,
	VAULT_HOST_MAX = 63,
	VAULT_KEYS_BYTES_MAX = KEYS_ID_SIZE + 1 + VAULT_INTAKE_MAX * (4 + HPKE_KEY_SIZE) +
			       ED25519_KEY_SIZE + 1 + VAULT_HOST_MAX,
};

struct vault_intake {
	struct intake_key public_part;
	uint8_t key[HPKE_KEY_SIZE];
};

struct vault_keys {
	uint8_t deployment[KEYS_ID_SIZE];
	struct vault_intake intake[VAULT_INTAKE_MAX]; /* by rising key_id */
	size_t n_intake;
	uint8_t signing[ED25519_KEY_SIZE];
	char host[VAULT_HOST_MAX + 1]; /* whose log-signing key it is */
};

enum {
	VAULT_KEYS_E_MALFORMED = 1,
	VAULT_KEYS_E_FULL,    /* VAULT_INTAKE_MAX of them */
	VAULT_KEYS_E_LAST,    /* the only one */
	VAULT_KEYS_E_DIFFERS, /* of another deployment, or two keys of one id */
};

bool vault_host_is_valid(const char *host); /* letters, digits, '.', '-', '_' */
/* A first set of keys, with one intake key. */
int vault_keys_new(const uint8_t deployment[KEYS_ID_SIZE], const char *host,
		   struct vault_keys *ret_keys);
/* Another host takes the same intake keys and a signing key of its own. */
int vault_keys_change_host(struct vault_keys *keys, const char *host);
const struct vault_intake *vault_keys_find(const struct vault_keys *keys, uint32_t key_id);
const struct intake_key *vault_keys_newest(const struct vault_keys *keys);
int vault_keys_add(struct vault_keys *keys, uint32_t key_id);
int vault_keys_remove(struct vault_keys *keys, uint32_t key_id);
int vault_keys_merge(struct vault_keys *keys, const struct vault_keys *others, size_t *ret_n_new);
void vault_keys_deinit(struct vault_keys *keys); /* usable with CLEANUP() */

/* As bytes, which are secret. */
size_t vault_keys_write(const struct vault_keys *keys, uint8_t ret_bytes[VAULT_KEYS_BYTES_MAX]);
int vault_keys_read(struct slice bytes, struct vault_keys *ret_keys);
