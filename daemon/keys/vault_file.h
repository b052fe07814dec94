#pragma once
/*
 * The vault's key file, four lines of text:
 *
 *   conductd vault 1
 *   scrypt LOG2N R P SALT
 *   master HEX      the file's master key, sealed under scrypt(passphrase) for the two lines above
 *   keys HEX        struct vault_keys, sealed under the master key
 *
 * Who has the file needs the passphrase, or the master key from the escrow shares.
 */

#include "daemon/crypto/crypto.h"
#include "daemon/keys/vault_keys.h"

enum { VAULT_FILE_TEXT_MAX = 4096, VAULT_MASTER_SIZE = 32 };

enum {
	VAULT_FILE_E_MALFORMED = 1, /* not a vault's key file of a version known here, or damaged */
	VAULT_FILE_E_PASSPHRASE,    /* another passphrase, or a damaged file */
	VAULT_FILE_E_MASTER, /* the shares are those of another file, or the file is damaged */
};

/* Opened: the keys, and what the shares are made of. */
struct vault_file {
	struct vault_keys keys;
	uint8_t master[VAULT_MASTER_SIZE];
};

/* What opening a file is to cost: 128 MiB and a third of a second, or next to nothing where the
 * passphrase is 64 hex digits, as it is made at random: nobody guesses those at any price. */
struct crypto_scrypt_cost vault_file_cost_of(struct slice passphrase);
void vault_file_deinit(struct vault_file *file); /* wipes it; usable with CLEANUP() */
/* Returns 0 or negative; the text is NUL-terminated. */
int vault_file_write(const struct vault_file *file, struct slice passphrase,
		     const struct crypto_scrypt_cost *cost, char ret_text[VAULT_FILE_TEXT_MAX]);
int vault_file_read(struct slice text, struct slice passphrase, struct vault_file *ret_file);
/* Without the passphrase. */
int vault_file_read_with_master(struct slice text, const uint8_t master[VAULT_MASTER_SIZE],
				struct vault_file *ret_file);
