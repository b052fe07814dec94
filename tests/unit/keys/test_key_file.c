/* daemon/keys/key_file: made once, readable by its owner alone. */

#include <sys/stat.h>
#include <unistd.h>

#include "daemon/keys/key_file.h"
#include "tests/unit/suite.h"

static char dir[] = "/tmp/conductd-key-XXXXXX";
static char file[64];

static void begin(void)
{
	(void)strcpy(dir, "/tmp/conductd-key-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(file, sizeof(file), "%s/index.key", dir);
}

static void end(void)
{
	(void)unlink(file);
	ck_assert_int_eq(0, rmdir(dir));
}

static void write_file(const char *text, mode_t mode)
{
	FILE *stream = fopen(file, "we");

	ck_assert_ptr_nonnull(stream);
	(void)fputs(text, stream);
	(void)fclose(stream);
	ck_assert_int_eq(0, chmod(file, mode));
}

START_TEST(a_new_key_is_read_back_and_private)
{
	struct index_key one = { 0 };
	struct index_key two = { 0 };
	struct stat status;

	begin();
	ck_assert_int_eq(0, key_file_create_index(file));
	ck_assert_int_eq(0, stat(file, &status));
	ck_assert_uint_eq(0600, status.st_mode & 07777);
	ck_assert_int_eq(65, status.st_size);
	ck_assert_int_eq(0, key_file_load_index(file, &one));
	(void)unlink(file);
	ck_assert_int_eq(0, key_file_create_index(file));
	ck_assert_int_eq(0, key_file_load_index(file, &two));
	ck_assert_int_ne(0, memcmp(one.bytes, two.bytes, INDEX_SIZE));
	end();
}
END_TEST

START_TEST(a_key_is_never_overwritten)
{
	struct index_key one = { 0 };
	struct index_key two = { 0 };

	begin();
	ck_assert_int_eq(0, key_file_create_index(file));
	ck_assert_int_eq(0, key_file_load_index(file, &one));
	ck_assert_int_eq(KEY_FILE_E_EXISTS, key_file_create_index(file));
	ck_assert_int_eq(0, key_file_load_index(file, &two));
	ck_assert_int_eq(0, memcmp(one.bytes, two.bytes, INDEX_SIZE));
	end();
}
END_TEST

START_TEST(an_exposed_or_malformed_file_is_refused)
{
	static const char hex[] =
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
	struct index_key key = { 0 };
	char text[80];

	begin();
	ck_assert_int_eq(KEY_FILE_E_ABSENT, key_file_load_index(file, &key));
	write_file(hex, 0640);
	ck_assert_int_eq(KEY_FILE_E_EXPOSED, key_file_load_index(file, &key));
	write_file(hex, 0604);
	ck_assert_int_eq(KEY_FILE_E_EXPOSED, key_file_load_index(file, &key));
	write_file(hex, 0600);
	ck_assert_int_eq(0, key_file_load_index(file, &key));
	ck_assert_uint_eq(0x1f, key.bytes[31]);
	write_file("", 0600);
	ck_assert_int_eq(KEY_FILE_E_MALFORMED, key_file_load_index(file, &key));
	(void)snprintf(text, sizeof(text), "%s00", hex);
	write_file(text, 0600);
	ck_assert_int_eq(KEY_FILE_E_MALFORMED, key_file_load_index(file, &key));
	(void)snprintf(text, sizeof(text), "%.63sg", hex);
	write_file(text, 0600);
	ck_assert_int_eq(KEY_FILE_E_MALFORMED, key_file_load_index(file, &key));
	end();
}
END_TEST

SUITE("keys/key_file", a_new_key_is_read_back_and_private, a_key_is_never_overwritten,
      an_exposed_or_malformed_file_is_refused)
