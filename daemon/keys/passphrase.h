#pragma once
/* Where the passphrase of the vault's key file comes from. */

#include "daemon/base/error.h"

enum { PASSPHRASE_MAX = 1024 };

struct passphrase {
	char text[PASSPHRASE_MAX];
	size_t length;
};

enum {
	PASSPHRASE_E_ABSENT = 1, /* neither a credential nor a file */
	PASSPHRASE_E_EXPOSED,    /* others than the owner may read or write the file */
	PASSPHRASE_E_LENGTH,     /* shorter than 12 bytes, or longer than PASSPHRASE_MAX */
};

int passphrase_read(const char *file, struct passphrase *ret_passphrase);
/* $CREDENTIALS_DIRECTORY/vault.passphrase, where systemd puts it; else the file, unless its name is
 * "". */
int passphrase_find(const char *file, struct passphrase *ret_passphrase);
bool passphrase_find_credential(char *ret_path, size_t size);
/* Makes the file with a random passphrase, unless there is one or a credential. */
int passphrase_ensure(const char *file, bool *ret_is_made);
struct slice passphrase_slice(const struct passphrase *passphrase);
void passphrase_deinit(struct passphrase *passphrase); /* wipes it; usable with CLEANUP() */
const char *passphrase_explain(int outcome);
