/*
 * The file is the text of a checkpoint and a hash of it. The hash finds a file that has rotted; who
 * may write the file may forge it, which is why each host keeps its own.
 */

#include "daemon/audit/head.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/codec.h"
#include "daemon/crypto/crypto.h"

static const char title[] = "conductd audit head 1\n";

enum {
	TITLE_LENGTH = sizeof(title) - 1,
	SUM_LENGTH = 2 * CRYPTO_SHA256_SIZE + 1, /* and a newline */
	FILE_MAX = TITLE_LENGTH + NOTE_TEXT_MAX + SUM_LENGTH + 1,
	PATH_LIMIT = 4096,
};

static void close_file(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static int write_sum(const char *text, size_t length, char ret_line[SUM_LENGTH + 1])
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	int r = crypto_sha256((struct slice){ text, length }, hash);

	if (r)
		return r;
	codec_hex_encode(ret_line, hash, sizeof(hash));
	ret_line[SUM_LENGTH - 1] = '\n';
	ret_line[SUM_LENGTH] = '\0';
	return 0;
}

static int read_whole(const char *path, char text[FILE_MAX], size_t *ret_length)
{
	CLEANUP(close_file) int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? HEAD_E_ABSENT : -errno;
	do {
		n = read(fd, text + length, FILE_MAX - length);
		if (n < 0 && errno != EINTR)
			return -errno;
		length += n > 0 ? (size_t)n : 0;
	} while (n != 0 && length < FILE_MAX);
	*ret_length = length;
	return 0;
}

int head_load(const char *path, struct checkpoint *ret_head)
{
	char text[FILE_MAX], sum[SUM_LENGTH + 1], note[NOTE_TEXT_MAX + 1];
	size_t length = 0;
	int r = read_whole(path, text, &length);

	if (r)
		return r;
	if (length <= TITLE_LENGTH + SUM_LENGTH || length >= FILE_MAX ||
	    memcmp(text, title, TITLE_LENGTH) != 0)
		return HEAD_E_BROKEN;
	length -= SUM_LENGTH;
	r = write_sum(text, length, sum);
	if (r)
		return r;
	if (memcmp(text + length, sum, SUM_LENGTH) != 0)
		return HEAD_E_BROKEN;
	/* What is signed, as a note that nobody has signed. */
	length -= TITLE_LENGTH;
	memcpy(note, text + TITLE_LENGTH, length);
	note[length++] = '\n';
	r = note_read((struct slice){ note, length }, ret_head);
	return r > 0 ? HEAD_E_BROKEN : r;
}

static int write_whole(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			text += n;
			length -= (size_t)n;
		}
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* A renamed file is there for good when its directory is. */
static int sync_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_LIMIT] = ".";
	CLEANUP(close_file) int fd = -1;

	if (slash)
		(void)snprintf(directory, sizeof(directory), "%.*s",
			       slash == path ? 1 : (int)(slash - path), path);
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return -errno;
	return 0;
}

/* 0, -ESTALE when it was renamed while somebody else had it, or negative; then it is the caller's
 * to close as well. */
static int take_alone(const char *path, int fd)
{
	struct stat opened, named;

	if (flock(fd, LOCK_EX) < 0 || fstat(fd, &opened) < 0)
		return -errno;
	if (stat(path, &named) < 0 || named.st_ino != opened.st_ino)
		return -ESTALE;
	return ftruncate(fd, 0) < 0 ? -errno : 0;
}

/* The file of that name, empty and nobody else's until it is closed. */
static int open_alone(const char *path, int *ret_fd)
{
	int r;

	do {
		int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0)
			return -errno;
		r = take_alone(path, fd);
		if (r == 0)
			*ret_fd = fd;
		else
			(void)close(fd);
	} while (r == -ESTALE);
	return r;
}

/* During an upgrade two daemons of a host write the file. */
static int replace(const char *path, const char *text, size_t length)
{
	char new_path[PATH_LIMIT];
	CLEANUP(close_file) int fd = -1;
	int r;

	if (snprintf(new_path, sizeof(new_path), "%s.new", path) >= (int)sizeof(new_path))
		return -ENAMETOOLONG;
	r = open_alone(new_path, &fd);
	if (r)
		return r;
	r = write_whole(fd, text, length);
	if (r)
		return r;
	if (rename(new_path, path) < 0)
		return -errno;
	return sync_directory(path);
}

int head_store(const char *path, const struct checkpoint *head)
{
	char text[FILE_MAX];
	size_t length;
	int r;

	memcpy(text, title, TITLE_LENGTH);
	r = note_write_text(head, text + TITLE_LENGTH, &length);
	if (r)
		return r > 0 ? -EINVAL : r;
	length += TITLE_LENGTH;
	r = write_sum(text, length, text + length);
	return r ? r : replace(path, text, length + SUM_LENGTH);
}
