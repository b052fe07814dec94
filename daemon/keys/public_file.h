#pragma once
/*
 * The public half of a vault's key file, which web and worker read:
 *
 *   conductd vault public 1
 *   deployment UUID
 *   intake ID HEX        what new units are sealed to
 *   log HOST HEX         what this host's log signatures are checked with
 */

#include "daemon/keys/vault_keys.h"

enum { PUBLIC_FILE_TEXT_MAX = 512 };

enum {
	PUBLIC_FILE_E_MALFORMED = 1,
	PUBLIC_FILE_E_DIFFERS, /* not the public half of these keys */
};

struct public_keys {
	struct intake_key intake; /* the deployment is in it */
	char host[VAULT_HOST_MAX + 1];
	uint8_t log_key[ED25519_KEY_SIZE];
};

int public_keys_of(const struct vault_keys *keys, const struct intake_key *intake,
		   struct public_keys *ret_public);
int public_keys_check(const struct public_keys *public, const struct vault_keys *keys);
bool public_keys_equal(const struct public_keys *a, const struct public_keys *b);
void public_file_write(const struct public_keys *keys, char ret_text[PUBLIC_FILE_TEXT_MAX]);
int public_file_read(struct slice text, struct public_keys *ret_keys);
