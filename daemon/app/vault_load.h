#pragma once
/* The vault's files as the configuration names them, for the vault process, its readers and
 * conductctl. */

#include "daemon/app/config.h"
#include "daemon/cases/seal.h"
#include "daemon/keys/passphrase.h"
#include "daemon/keys/public_file.h"
#include "daemon/keys/vault_file.h"

enum {
	VAULT_LOAD_E_ABSENT = 1,
	VAULT_LOAD_E_EXPOSED,
	VAULT_LOAD_E_MALFORMED,
	VAULT_LOAD_E_PASSPHRASE,
	VAULT_LOAD_E_MASTER,
	VAULT_LOAD_E_DEPLOYMENT, /* keys of another deployment than the database's */
	VAULT_LOAD_E_DIFFERS,    /* the public file is not the key file's public half */
};

int vault_load_file(const struct config *config, const struct passphrase *passphrase,
		    struct vault_file *ret_file);
int vault_load_with_master(const struct config *config, const uint8_t master[VAULT_MASTER_SIZE],
			   struct vault_file *ret_file);
int vault_load_public(const char *file, struct public_keys *ret_keys);
const char *vault_load_explain(int outcome);
/* For processes: the same, and the log is told what is wrong. */
int vault_load_public_or_log(const char *file, struct public_keys *ret_keys);
int vault_load_renew_or_log(struct sealer *sealer, const struct public_keys *keys);
