/*
 * The passphrase is what a stolen copy of the key file lacks: it lies elsewhere, at best in a
 * credential that systemd decrypts with the machine's TPM, at least in a file that no backup takes.
 */

#include "daemon/keys/passphrase.h"
#include "daemon/base/codec.h"
#include "daemon/crypto/crypto.h"
#include "daemon/keys/key_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LENGTH_MIN = 12, RANDOM_SIZE = 32 };

/* True: there is a credential, and its name is in ret_path. */
bool passphrase_find_credential(char *ret_path, size_t size)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	int n = directory ? snprintf(ret_path, size, "%s/vault.passphrase", directory) : -1;

	return n > 0 && (size_t)n < size && access(ret_path, F_OK) == 0;
}

static int read_as(const char *file, enum key_file_kind kind, struct passphrase *ret_passphrase)
{
	size_t length = 0;
	int r = key_file_load(file, kind, ret_passphrase->text, sizeof(ret_passphrase->text),
			      &length);

	/* One line end is the editor's. */
	if (r == 0 && length > 0 && ret_passphrase->text[length - 1] == '\n')
		length--;
	ret_passphrase->length = length;
	switch (r) {
	case 0:
		return length < LENGTH_MIN ? PASSPHRASE_E_LENGTH : 0;
	case KEY_FILE_E_ABSENT:
		return PASSPHRASE_E_ABSENT;
	case KEY_FILE_E_EXPOSED:
		return PASSPHRASE_E_EXPOSED;
	case KEY_FILE_E_MALFORMED:
		return PASSPHRASE_E_LENGTH;
	default:
		return r;
	}
}

/* Returns 0, PASSPHRASE_E_…, or negative. */
int passphrase_read(const char *file, struct passphrase *ret_passphrase)
{
	return read_as(file, KEY_FILE_SECRET, ret_passphrase);
}

/* Returns 0, PASSPHRASE_E_…, or negative. */
int passphrase_find(const char *file, struct passphrase *ret_passphrase)
{
	CLEANUP(passphrase_deinit) struct passphrase found = { .length = 0 };
	char credential[4096];
	int r = PASSPHRASE_E_ABSENT;

	if (passphrase_find_credential(credential, sizeof(credential)))
		r = read_as(credential, KEY_FILE_CREDENTIAL, &found);
	else if (*file)
		r = passphrase_read(file, &found);
	if (r == 0)
		*ret_passphrase = found;
	return r;
}

/* Returns 0, PASSPHRASE_E_ABSENT where no file may be made, or negative. */
int passphrase_ensure(const char *file, bool *ret_is_made)
{
	char text[2 * RANDOM_SIZE + 2], credential[4096];
	uint8_t bytes[RANDOM_SIZE];
	int r;

	*ret_is_made = false;
	if (passphrase_find_credential(credential, sizeof(credential)))
		return 0;
	if (!*file)
		return PASSPHRASE_E_ABSENT;
	r = crypto_random(bytes, sizeof(bytes));
	codec_hex_encode(text, bytes, sizeof(bytes));
	strcat(text, "\n");
	if (r == 0)
		r = key_file_create(file, 0600, text);
	crypto_wipe(bytes, sizeof(bytes));
	crypto_wipe(text, sizeof(text));
	if (r == 0)
		*ret_is_made = true;
	return r == KEY_FILE_E_EXISTS ? 0 : r;
}

struct slice passphrase_slice(const struct passphrase *passphrase)
{
	return (struct slice){ passphrase->text, passphrase->length };
}

void passphrase_deinit(struct passphrase *passphrase)
{
	crypto_wipe(passphrase, sizeof(*passphrase));
}

/* What an operator is told; any negative error as well. */
const char *passphrase_explain(int outcome)
{
	switch (outcome) {
	case PASSPHRASE_E_ABSENT:
		return "there is no passphrase for the vault's key file: give the service the "
		       "credential vault.passphrase, or name its file as vault.passphrase_file";
	case PASSPHRASE_E_EXPOSED:
		return "the file of the passphrase must be readable by its owner alone (mode 0600)";
	case PASSPHRASE_E_LENGTH:
		return "the passphrase must have 12 to 1023 bytes";
	default:
		return outcome < 0 ? strerror(-outcome) : "in order";
	}
}
