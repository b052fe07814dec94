/*
 * The index key file. Losing it means that no account is recognised any more, so it is never
 * overwritten; whoever reads it can test names against a stolen database, so its mode is checked.
 */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/crypto/crypto.h"
#include "daemon/keys/key_file.h"

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

static int file_create(const char *file, const char *text, size_t length)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r;

	if (fd < 0)
		return errno == EEXIST ? KEY_FILE_E_EXISTS : -errno;
	r = write_all(fd, text, length);
	(void)close(fd);
	if (r < 0)
		(void)unlink(file);
	return r;
}

/*
 * Makes a file of a new key in hex, mode 0600, on disk when this returns. Returns 0,
 * KEY_FILE_E_EXISTS, or a negative error, after which there is no file.
 */
int key_file_create_index(const char *file)
{
	char text[INDEX_KEY_TEXT + 1];
	struct index_key key;
	int r = index_key_new(&key);

	if (r)
		return r;
	index_key_write(&key, text);
	text[INDEX_KEY_TEXT] = '\n';
	r = file_create(file, text, sizeof(text));
	index_key_deinit(&key);
	crypto_wipe(text, sizeof(text));
	return r;
}

static int file_read(int fd, struct index_key *ret_key)
{
	char text[INDEX_KEY_TEXT + 2];
	ssize_t n = read(fd, text, sizeof(text));
	int r;

	if (n < 0)
		return -errno;
	r = index_key_read((struct slice){ text, (size_t)n }, ret_key);
	crypto_wipe(text, sizeof(text));
	return r > 0 ? KEY_FILE_E_MALFORMED : r;
}

/* Reads the key, which the caller deinits. Returns 0, a KEY_FILE_E_…, or a negative error. */
int key_file_load_index(const char *file, struct index_key *ret_key)
{
	struct stat status;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r;

	if (fd < 0)
		return errno == ENOENT ? KEY_FILE_E_ABSENT : -errno;
	if (fstat(fd, &status) < 0)
		r = -errno;
	else if (status.st_mode & (S_IRWXG | S_IRWXO))
		r = KEY_FILE_E_EXPOSED;
	else
		r = file_read(fd, ret_key);
	(void)close(fd);
	return r;
}

/* What an operator is told; any negative error as well. */
const char *key_file_explain(int outcome)
{
	switch (outcome) {
	case KEY_FILE_E_EXISTS:
		return "the file exists already and is kept";
	case KEY_FILE_E_ABSENT:
		return "there is no such file: make it with `conductctl keys init`";
	case KEY_FILE_E_EXPOSED:
		return "the file must be readable by its owner alone (mode 0600)";
	case KEY_FILE_E_MALFORMED:
		return "the file does not hold 64 hex digits";
	default:
		return outcome < 0 ? strerror(-outcome) : "in order";
	}
}
