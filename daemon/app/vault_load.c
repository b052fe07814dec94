/* Reading the vault's files, with what an operator is told of each way in which that can fail. */

#include "daemon/app/vault_load.h"
#include "daemon/base/log.h"
#include "daemon/keys/key_file.h"

#include <string.h>

static int outcome_of_file(int r)
{
	switch (r) {
	case KEY_FILE_E_ABSENT:
		return VAULT_LOAD_E_ABSENT;
	case KEY_FILE_E_EXPOSED:
		return VAULT_LOAD_E_EXPOSED;
	default:
		return r > 0 ? VAULT_LOAD_E_MALFORMED : r;
	}
}

static int outcome_of_content(int r)
{
	switch (r) {
	case VAULT_FILE_E_PASSPHRASE:
		return VAULT_LOAD_E_PASSPHRASE;
	case VAULT_FILE_E_MASTER:
		return VAULT_LOAD_E_MASTER;
	default:
		return r > 0 ? VAULT_LOAD_E_MALFORMED : r;
	}
}

static int text_load(const struct config *config, char text[VAULT_FILE_TEXT_MAX],
		     struct slice *ret_text)
{
	size_t length = 0;
	int r = key_file_load(config->vault_key_file, KEY_FILE_SECRET, text, VAULT_FILE_TEXT_MAX,
			      &length);

	*ret_text = (struct slice){ text, length };
	return outcome_of_file(r);
}

/* Returns 0, VAULT_LOAD_E_…, or negative. */
int vault_load_file(const struct config *config, const struct passphrase *passphrase,
		    struct vault_file *ret_file)
{
	char bytes[VAULT_FILE_TEXT_MAX];
	struct slice text;
	int r = text_load(config, bytes, &text);

	return r ? r
		 : outcome_of_content(
			   vault_file_read(text, passphrase_slice(passphrase), ret_file));
}

/* As vault_load_file(), without the passphrase. */
int vault_load_with_master(const struct config *config, const uint8_t master[VAULT_MASTER_SIZE],
			   struct vault_file *ret_file)
{
	char bytes[VAULT_FILE_TEXT_MAX];
	struct slice text;
	int r = text_load(config, bytes, &text);

	return r ? r : outcome_of_content(vault_file_read_with_master(text, master, ret_file));
}

/* Returns 0, VAULT_LOAD_E_ABSENT or VAULT_LOAD_E_MALFORMED, or negative. */
int vault_load_public(const char *file, struct public_keys *ret_keys)
{
	char text[PUBLIC_FILE_TEXT_MAX];
	size_t length;
	int r = key_file_load(file, KEY_FILE_PUBLIC, text, sizeof(text), &length);

	if (r)
		return outcome_of_file(r);
	return public_file_read((struct slice){ text, length }, ret_keys) ? VAULT_LOAD_E_MALFORMED
									  : 0;
}

/* What an operator is told; any negative error as well. */
const char *vault_load_explain(int outcome)
{
	switch (outcome) {
	case VAULT_LOAD_E_ABSENT:
		return "there is no such file: make it with `conductctl keys init`, or copy it "
		       "from another host or a backup where the deployment has its keys already";
	case VAULT_LOAD_E_EXPOSED:
		return "the file must be readable by its owner alone (mode 0600)";
	case VAULT_LOAD_E_MALFORMED:
		return "the file is damaged, or of another version: copy it from another host or a "
		       "backup";
	case VAULT_LOAD_E_PASSPHRASE:
		return "the passphrase does not open the file: give the right one, or let three "
		       "holders of escrow shares run `conductctl keys recover`; where they fail "
		       "as well, the file is damaged: copy it from another host or a backup";
	case VAULT_LOAD_E_MASTER:
		return "these shares are of another key file, or the file is damaged: give those "
		       "that were printed for this file, or copy it from another host or a "
		       "backup";
	case VAULT_LOAD_E_DEPLOYMENT:
		return "the keys are those of another deployment than the database: name the right "
		       "key file, or the right database";
	case VAULT_LOAD_E_DIFFERS:
		return "the public file is not of this key file, or names a key that it lacks: "
		       "copy the newer key file from another host, or run `conductctl keys init`";
	default:
		return outcome < 0 ? strerror(-outcome) : "in order";
	}
}

/* As vault_load_public(). */
int vault_load_public_or_log(const char *file, struct public_keys *ret_keys)
{
	int r = vault_load_public(file, ret_keys);

	if (r)
		log_say(LOG_LEVEL_ERROR, "%s: %s", file, vault_load_explain(r));
	return r;
}

/* A process belongs to one deployment as long as it lives. As sealer_reload(). */
int vault_load_renew_or_log(struct sealer *sealer, const struct public_keys *keys)
{
	int r = sealer_reload(sealer, &keys->intake);

	if (r)
		log_say(LOG_LEVEL_ERROR, "the public file is of another deployment than before: "
					 "name the right one, or restart");
	return r;
}
