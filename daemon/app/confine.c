/*
 * All processes run as one account, so that file modes keep nothing of one from another. Landlock
 * (Linux 5.13, Debian 12) does, without any privilege: a ruleset allows everything but the vault's
 * key file, its passphrase, and whatever is written beside them later. Rules can only allow, so
 * each directory on the way to those files is opened up entry by entry: what is new in such a
 * directory is seen by the next process, not by this one. A process in such a domain cannot trace
 * one outside of it either, so that it does not read the parent's or the vault's memory.
 */

#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/app/confine.h"
#include "daemon/base/log.h"
#include "daemon/keys/passphrase.h"

enum { SECRETS_MAX = 3 };

static const uint64_t file_rights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;
static const uint64_t all_rights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
				   LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
				   LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM |
				   LANDLOCK_ACCESS_FS_MAKE_DIR;

struct secrets {
	char paths[SECRETS_MAX][PATH_MAX]; /* without links */
	size_t n;
};

/* The path of a file without links on the way; the file need not be there. */
static int path_resolve(const char *file, char ret_path[PATH_MAX])
{
	char directory[PATH_MAX], name[PATH_MAX], real[PATH_MAX];

	if (realpath(file, ret_path))
		return 0;
	if (strlen(file) >= PATH_MAX)
		return -ENAMETOOLONG;
	(void)strcpy(directory, file);
	(void)strcpy(name, file);
	if (!realpath(dirname(directory), real))
		return -errno;
	return snprintf(ret_path, PATH_MAX, "%s/%s", real, basename(name)) < PATH_MAX
		       ? 0
		       : -ENAMETOOLONG;
}

/* Returns 0 or negative. */
static int secrets_find(const struct config *config, struct secrets *secrets)
{
	char credential[PATH_MAX] = "";
	const char *const files[SECRETS_MAX] = { config->vault_key_file,
						 config->vault_passphrase_file, credential };

	(void)passphrase_find_credential(credential, sizeof(credential));
	secrets->n = 0;
	for (size_t i = 0; i < SECRETS_MAX; i++) {
		int r = *files[i] ? path_resolve(files[i], secrets->paths[secrets->n]) : -ENOENT;

		if (r < 0 && r != -ENOENT)
			return r;
		secrets->n += r == 0;
	}
	return 0;
}

/* Whether a path is a secret (exactly) or a directory on the way to one. */
static bool is_secret(const struct secrets *secrets, const char *path, bool *ret_is_on_the_way)
{
	size_t length = strlen(path);

	*ret_is_on_the_way = false;
	for (size_t i = 0; i < secrets->n; i++) {
		if (strncmp(secrets->paths[i], path, length) != 0)
			continue;
		if (secrets->paths[i][length] == '\0')
			return true;
		if (secrets->paths[i][length] == '/' || length == 1)
			*ret_is_on_the_way = true;
	}
	return false;
}

/* Everything that is there and below. What is gone meanwhile, or not to be reached, needs no rule.
 */
static int rule_add(int ruleset, const char *path)
{
	struct landlock_path_beneath_attr rule = { .parent_fd = open(path, O_PATH | O_CLOEXEC |
										   O_NOFOLLOW) };
	struct stat status;
	int r = 0;

	if (rule.parent_fd < 0)
		return errno == ENOENT || errno == EACCES ? 0 : -errno;
	if (fstat(rule.parent_fd, &status) < 0) {
		r = -errno;
	} else if (!S_ISLNK(status.st_mode)) {
		rule.allowed_access = S_ISDIR(status.st_mode) ? all_rights : file_rights;
		if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) <
		    0)
			r = -errno;
	}
	(void)close(rule.parent_fd);
	return r;
}

/* One directory on the way after the other, the root first. */
static int directory_open_up(int ruleset, const struct secrets *secrets, const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	int r = directory ? 0 : -errno;

	while (r == 0 && (entry = readdir(directory)) != NULL) {
		char below[PATH_MAX];
		bool is_on_the_way;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (snprintf(below, sizeof(below), "%s/%s", path[1] ? path : "", entry->d_name) >=
		    (int)sizeof(below))
			r = -ENAMETOOLONG;
		else if (is_secret(secrets, below, &is_on_the_way))
			continue;
		else if (is_on_the_way)
			r = directory_open_up(ruleset, secrets, below);
		else
			r = rule_add(ruleset, below);
	}
	if (directory)
		(void)closedir(directory);
	return r;
}

/* Returns 0, CONFINE_E_ABSENT, or negative. */
int confine_secrets(const struct config *config)
{
	const struct landlock_ruleset_attr attributes = { .handled_access_fs = all_rights };
	struct secrets *secrets = malloc(sizeof(*secrets));
	int ruleset = -1;
	int r = secrets ? secrets_find(config, secrets) : -ENOMEM;

	if (r == 0) {
		ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes),
				       0);
		if (ruleset < 0)
			r = errno == ENOSYS || errno == EOPNOTSUPP ? CONFINE_E_ABSENT : -errno;
	}
	if (r == 0)
		r = directory_open_up(ruleset, secrets, "/");
	if (r == 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		       syscall(SYS_landlock_restrict_self, ruleset, 0) < 0))
		r = -errno;
	if (ruleset >= 0)
		(void)close(ruleset);
	free(secrets);
	return r;
}

int confine_check(const struct config *config)
{
	const struct {
		const char *key, *file;
	} rows[] = { { "audit.head_file", config->audit_head_file },
		     { "vault.public_file", config->vault_public_file } };
	struct secrets *secrets = malloc(sizeof(*secrets));
	int result = 0;
	int r = secrets ? secrets_find(config, secrets) : -ENOMEM;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(rows); i++) {
		char path[PATH_MAX];
		bool is_on_the_way = false;

		if (path_resolve(rows[i].file, path) == 0)
			(void)is_secret(secrets, dirname(path), &is_on_the_way);
		if (!is_on_the_way)
			continue;
		log_say(LOG_LEVEL_ERROR,
			"%s: %s lies in a directory that leads to the vault's key file or "
			"passphrase, of which web and worker are kept out: give vault.key_file and "
			"vault.passphrase_file a directory of their own",
			rows[i].key, rows[i].file);
		result = 1;
	}
	free(secrets);
	return r ? r : result;
}
