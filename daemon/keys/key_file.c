/*
 * Files of keys. Losing one means that no account is recognised or no word is read any more, so
 * none is ever overwritten by accident; whoever reads a secret one can test names against a stolen
 * database or open it, so its mode is checked.
 */

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/crypto/crypto.h"
#include "daemon/keys/key_file.h"

/* Newer systemd lets a service read its credentials by an access list, whose mask stat() shows as
 * the group's rights: 0440. */
static const mode_t refused_modes[] = {
	[KEY_FILE_PUBLIC] = 0,
	[KEY_FILE_SECRET] = S_IRWXG | S_IRWXO,
	[KEY_FILE_CREDENTIAL] = S_IWGRP | S_IXGRP | S_IRWXO,
};

static int write_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		length -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* The name of a new file is on disk only with its directory. */
static int directory_sync(const char *file)
{
	char path[PATH_MAX];
	int fd, r;

	if ((size_t)snprintf(path, sizeof(path), "%s", file) >= sizeof(path))
		return -ENAMETOOLONG;
	fd = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fsync(fd) < 0 ? -errno : 0;
	(void)close(fd);
	return r;
}

/*
 * Makes a file of a text, on disk when this returns. The mode holds whatever the umask is. Returns
 * 0, KEY_FILE_E_EXISTS, or a negative error, after which there is no file.
 */
int key_file_create(const char *file, unsigned mode, const char *text)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r;

	if (fd < 0)
		return errno == EEXIST ? KEY_FILE_E_EXISTS : -errno;
	r = fchmod(fd, mode) < 0 ? -errno : write_all(fd, text, strlen(text));
	(void)close(fd);
	if (r == 0)
		r = directory_sync(file);
	if (r < 0)
		(void)unlink(file);
	return r;
}

/*
 * Puts a text in the place of a file, or makes it: whenever this is interrupted, the one or the
 * other is there, whole. Owner and group of the old one stay. Returns 0 or a negative error.
 */
int key_file_replace(const char *file, unsigned mode, const char *text)
{
	char beside[PATH_MAX];
	struct stat status;
	int r;

	if ((size_t)snprintf(beside, sizeof(beside), "%s.new", file) >= sizeof(beside))
		return -ENAMETOOLONG;
	if (unlink(beside) < 0 && errno != ENOENT)
		return -errno;
	r = key_file_create(beside, mode, text);
	if (r)
		return r > 0 ? -EEXIST : r;
	if (stat(file, &status) == 0 && lchown(beside, status.st_uid, status.st_gid) < 0)
		r = -errno;
	if (r == 0 && rename(beside, file) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(beside);
		return r;
	}
	return directory_sync(file);
}

/*
 * Reads a whole file, at most size - 1 bytes, and a NUL behind it. Returns 0, a KEY_FILE_E_…
 * (malformed: it is larger), or a negative error.
 */
int key_file_load(const char *file, enum key_file_kind kind, char *ret_text, size_t size,
		  size_t *ret_length)
{
	struct stat status;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t length = 0;
	ssize_t n = 1;
	int r = 0;

	if (fd < 0)
		return errno == ENOENT ? KEY_FILE_E_ABSENT : -errno;
	if (fstat(fd, &status) < 0)
		r = -errno;
	else if (status.st_mode & refused_modes[kind])
		r = KEY_FILE_E_EXPOSED;
	while (r == 0 && n > 0 && length < size) {
		n = read(fd, ret_text + length, size - length);
		if (n < 0 && errno != EINTR)
			r = -errno;
		length += n > 0 ? (size_t)n : 0;
		n = n < 0 ? 1 : n;
	}
	(void)close(fd);
	if (r == 0 && length == size)
		r = KEY_FILE_E_MALFORMED;
	if (r) {
		crypto_wipe(ret_text, length);
		return r;
	}
	ret_text[length] = '\0';
	*ret_length = length;
	return 0;
}

/*
 * Makes a file of a new key in hex, mode 0600, on disk when this returns. Returns 0,
 * KEY_FILE_E_EXISTS, or a negative error, after which there is no file.
 */
int key_file_create_index(const char *file)
{
	char text[INDEX_KEY_TEXT + 2];
	struct index_key key;
	int r = index_key_new(&key);

	if (r)
		return r;
	index_key_write(&key, text);
	strcat(text, "\n");
	r = key_file_create(file, 0600, text);
	index_key_deinit(&key);
	crypto_wipe(text, sizeof(text));
	return r;
}

/* Reads the key, which the caller deinits. Returns 0, a KEY_FILE_E_…, or a negative error. */
int key_file_load_index(const char *file, struct index_key *ret_key)
{
	char text[INDEX_KEY_TEXT + 3];
	size_t length = 0;
	int r = key_file_load(file, KEY_FILE_SECRET, text, sizeof(text), &length);

	if (r)
		return r;
	r = index_key_read((struct slice){ text, length }, ret_key);
	crypto_wipe(text, sizeof(text));
	return r > 0 ? KEY_FILE_E_MALFORMED : r;
}

/* What an operator is told; any negative error as well. */
const char *key_file_explain(int outcome)
{
	switch (outcome) {
	case KEY_FILE_E_EXISTS:
		return "the file exists already and is kept";
	case KEY_FILE_E_ABSENT:
		return "there is no such file: make it with `conductctl keys init`, or copy it "
		       "from another host or a backup where the deployment has its keys already";
	case KEY_FILE_E_EXPOSED:
		return "the file must be readable by its owner alone (mode 0600)";
	case KEY_FILE_E_MALFORMED:
		return "the file does not hold 64 hex digits: copy it from another host or a "
		       "backup";
	case KEY_FILE_E_DIFFERS:
		return "the index key is not that of the database, under which nobody would be "
		       "recognised: copy it from another host or a backup";
	default:
		return outcome < 0 ? strerror(-outcome) : "in order";
	}
}
