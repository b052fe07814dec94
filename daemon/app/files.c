/*
 * Whether the files that the configuration names are there and can be used by the account of the
 * daemon. Each that cannot is logged with the key that names it.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/app/files.h"
#include "daemon/app/process.h"
#include "daemon/app/reload.h"
#include "daemon/app/vault_load.h"
#include "daemon/base/buffer.h"
#include "daemon/base/log.h"
#include "daemon/keys/key_file.h"
#include "daemon/pg/conninfo.h"
#include "daemon/worker/worker.h"

/* What of a conninfo names a file; passwords and keys are taken by libpq from private ones alone.
 */
static const struct {
	const char *keyword;
	bool is_private;
} conninfo_files[] = { { "passfile", true },
		       { "sslkey", true },
		       { "sslcert", false },
		       { "sslrootcert", false },
		       { "sslcrl", false } };

static int refuse(const char *key, const char *file, const char *why)
{
	log_say(LOG_LEVEL_ERROR, "%s: %s: %s", key, file, why);
	return FILES_E_REFUSED;
}

/* Opens it as the daemon will. Returns FILES_E_REFUSED or 0 with its status. */
static int look(const char *key, const char *file, struct stat *ret_status)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int r = 0;

	if (fd < 0)
		return refuse(key, file,
			      errno == EACCES ? "the daemon's account may not read it"
					      : strerror(errno));
	if (fstat(fd, ret_status) < 0)
		r = refuse(key, file, strerror(errno));
	else if (!S_ISREG(ret_status->st_mode))
		r = refuse(key, file, "not a file");
	(void)close(fd);
	return r;
}

static int check_secret(const struct config_issuer *issuer, const struct config_client *client)
{
	struct stat status;
	char key[160];
	int r;

	(void)snprintf(key, sizeof(key), "issuer %s, secret_file of client %s", issuer->name,
		       client->id);
	r = look(key, client->secret_file, &status);
	if (r)
		return r;
	if (status.st_size == 0)
		return refuse(key, client->secret_file, "the file is empty");
	if (status.st_size > WORKER_SECRET_SIZE_MAX)
		return refuse(key, client->secret_file, "too long for a secret");
	if (status.st_mode & 07)
		log_say(LOG_LEVEL_WARN, "%s: %s: everybody may read it: set its mode to 0600", key,
			client->secret_file);
	return 0;
}

/* The secrets of issuers' clients, which the worker reads when somebody logs in. */
int files_check_secrets(const struct config *config)
{
	int r = 0;

	for (size_t i = 0; i < config->n_issuers; i++)
		for (size_t j = 0; j < config->issuers[i].n_clients; j++)
			if (config->issuers[i].clients[j].is_login &&
			    check_secret(&config->issuers[i], &config->issuers[i].clients[j]))
				r = FILES_E_REFUSED;
	return r;
}

static int check_conninfo(const char *key, const char *conninfo)
{
	int result = 0;

	for (size_t i = 0; i < ARRAY_SIZE(conninfo_files); i++) {
		CLEANUP(buffer_deinit) struct buffer text = BUFFER_NULL;
		struct stat status;
		char name[64];
		int r = pg_conninfo_find(conninfo, conninfo_files[i].keyword, &text);

		if (r > 0) {
			log_say(LOG_LEVEL_ERROR, "%s: %s", key, text.at ? text.at : "malformed");
			return FILES_E_REFUSED;
		}
		if (r < 0)
			return r;
		/* sslrootcert=system is a store, not a file (libpq 16). */
		if (text.length == 0 || text.at[0] != '/')
			continue;
		(void)snprintf(name, sizeof(name), "%s, %s", key, conninfo_files[i].keyword);
		r = look(name, text.at, &status);
		if (r == 0 && conninfo_files[i].is_private && (status.st_mode & 077))
			r = refuse(name, text.at,
				   "others may read it, so that libpq does not use "
				   "it: set its mode to 0600");
		if (r)
			result = r;
	}
	return result;
}

static int check_index_key(const struct config *config)
{
	struct index_key key;
	int r = key_file_load_index(config->index_key_file, &key);

	if (r)
		return refuse("index_key_file", config->index_key_file, key_file_explain(r));
	index_key_deinit(&key);
	return 0;
}

/* Where the passphrase is the service's credential alone, whoever asks cannot open the key file. */
static int check_vault(const struct config *config)
{
	CLEANUP(passphrase_deinit) struct passphrase passphrase = { .length = 0 };
	CLEANUP(vault_file_deinit) struct vault_file file = { .keys = { .n_intake = 0 } };
	bool is_credential = !*config->vault_passphrase_file;
	struct public_keys public;
	int r = passphrase_find(config->vault_passphrase_file, &passphrase);

	if (r && !(r == PASSPHRASE_E_ABSENT && is_credential))
		return refuse("vault.passphrase_file", config->vault_passphrase_file,
			      passphrase_explain(r));
	r = vault_load_file(config, &passphrase, &file);
	if (r && !(r == VAULT_LOAD_E_PASSPHRASE && passphrase.length == 0))
		return refuse("vault.key_file", config->vault_key_file, vault_load_explain(r));
	r = vault_load_public(config->vault_public_file, &public);
	if (r == 0 && file.keys.n_intake && public_keys_check(&public, &file.keys))
		r = VAULT_LOAD_E_DIFFERS;
	return r ? refuse("vault.public_file", config->vault_public_file, vault_load_explain(r))
		 : 0;
}

/**
 * files_check_all() - what `conductd -n` does
 * @file: the configuration
 *
 * Reads everything that a start reads, as the account of web, worker and vault if this one may
 * become it; says what is wrong on stderr, a line each. Return: 0, positive, or negative.
 */
int files_check_all(const char *file)
{
	struct config_error error = { 0 };
	struct config *config = NULL, *again = NULL;
	int results[6] = { 0 };
	int r = config_load(file, &config, &error);

	log_init_plain();
	if (r) /* for its message */
		return reload_check(file, NULL, NULL, &again);
	results[0] = child_change_account(config->user);
	if (results[0] == 0) {
		results[1] = reload_check(file, NULL, NULL, &again);
		results[2] = check_index_key(config);
		results[3] = check_conninfo("database.web", config->database_web);
		results[4] = check_conninfo("database.worker", config->database_worker);
		results[5] = check_vault(config);
	}
	config_free(again);
	config_free(config);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(results); i++)
		r = results[i];
	return r;
}
