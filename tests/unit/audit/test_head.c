/* A head file is what was stored, or is said to be broken. */

#include "tests/unit/suite.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/audit/head.h"

static char directory[] = "/tmp/conduct-head.XXXXXX";
static char path[64];

static void setup(void)
{
	memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/log.head", directory);
}

static void teardown(void)
{
	(void)unlink(path);
	ck_assert_int_eq(rmdir(directory), 0);
}

static void store(uint64_t size)
{
	struct checkpoint head = { .origin = "conductd/1", .size = size };

	memset(head.root.at, (int)size, TREE_HASH_SIZE);
	ck_assert_int_eq(head_store(path, &head), 0);
}

static void write_bytes(const char *bytes, size_t length)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
	ck_assert_int_eq(fclose(file), 0);
}

START_TEST(what_was_stored_last_is_loaded)
{
	struct checkpoint head;
	struct stat status;

	ck_assert_int_eq(head_load(path, &head), HEAD_E_ABSENT);
	for (uint64_t size = 1; size < 4; size++) {
		store(size);
		ck_assert_int_eq(head_load(path, &head), 0);
		ck_assert_uint_eq(head.size, size);
		ck_assert_uint_eq(head.root.at[31], size);
		ck_assert_str_eq(head.origin, "conductd/1");
	}
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_int_eq(status.st_mode & 0777, 0600);
}
END_TEST

START_TEST(every_changed_bit_and_every_other_length_is_found)
{
	struct checkpoint head;
	char bytes[512];
	FILE *file;
	size_t length;

	store(77);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	length = fread(bytes, 1, sizeof(bytes) - 1, file);
	ck_assert_int_eq(fclose(file), 0);
	for (size_t bit = 0; bit < length * 8; bit++) {
		bytes[bit / 8] ^= (char)(1 << bit % 8);
		write_bytes(bytes, length);
		ck_assert_int_eq(head_load(path, &head), HEAD_E_BROKEN);
		bytes[bit / 8] ^= (char)(1 << bit % 8);
	}
	bytes[length] = '\n';
	for (size_t n = 0; n <= length + 1; n++) {
		write_bytes(bytes, n);
		ck_assert_int_eq(head_load(path, &head), n == length ? 0 : HEAD_E_BROKEN);
	}
}
END_TEST

/* As a daemon and the one that replaces it do. */
START_TEST(two_that_store_at_once_leave_a_whole_one)
{
	enum { ROUNDS = 200, WRITERS = 3 };
	struct checkpoint head;
	pid_t pids[WRITERS];

	store(1);
	for (size_t i = 0; i < WRITERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			for (uint64_t n = 1; n <= ROUNDS; n++)
				store(n);
			_exit(0);
		}
		ck_assert_int_gt(pids[i], 0);
	}
	for (size_t i = 0; i < ROUNDS; i++)
		ck_assert_int_eq(head_load(path, &head), 0);
	for (size_t i = 0; i < WRITERS; i++) {
		int status = -1;

		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_int_eq(head_load(path, &head), 0);
}
END_TEST

START_TEST(a_head_that_cannot_be_stored_is_an_error)
{
	struct checkpoint head = { .origin = "conductd/1" };

	ck_assert_int_eq(head_store("/nonexistent/log.head", &head), -ENOENT);
	head.origin[0] = '\0';
	ck_assert_int_eq(head_store(path, &head), -EINVAL);
	ck_assert_int_eq(head_load(directory, &head), -EISDIR);
}
END_TEST

SUITE_EACH("audit/head", setup, teardown, what_was_stored_last_is_loaded,
	   every_changed_bit_and_every_other_length_is_found,
	   two_that_store_at_once_leave_a_whole_one, a_head_that_cannot_be_stored_is_an_error)
