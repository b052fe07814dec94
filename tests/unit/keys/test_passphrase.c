/* Where a passphrase comes from, and files that are replaced whole. */

#include "tests/unit/suite.h"

#include <sys/stat.h>
#include <unistd.h>

#include "daemon/keys/key_file.h"
#include "daemon/keys/passphrase.h"

static char dir[] = "/tmp/conductd-passphrase-XXXXXX";
static char file[96], credential[96];

static void start(void)
{
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(file, sizeof(file), "%s/passphrase", dir);
	(void)snprintf(credential, sizeof(credential), "%s/vault.passphrase", dir);
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void end(void)
{
	unsetenv("CREDENTIALS_DIRECTORY");
	(void)unlink(file);
	(void)unlink(credential);
	ck_assert_int_eq(rmdir(dir), 0);
}

static int find(const char *expected)
{
	CLEANUP(passphrase_deinit) struct passphrase found = { .length = 0 };
	int r = passphrase_find(file, &found);

	if (r == 0)
		ck_assert_slice_eq(passphrase_slice(&found), expected);
	return r;
}

START_TEST(a_file_is_read_without_its_line_end)
{
	ck_assert_int_eq(find(""), PASSPHRASE_E_ABSENT);
	ck_assert_int_eq(key_file_create(file, 0600, "correct horse battery\n"), 0);
	ck_assert_int_eq(find("correct horse battery"), 0);
	ck_assert_int_eq(key_file_replace(file, 0600, "correct horse battery\n\n"), 0);
	ck_assert_int_eq(find("correct horse battery\n"), 0);
}
END_TEST

START_TEST(what_others_read_or_what_is_short_is_refused)
{
	char text[PASSPHRASE_MAX + 2];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(key_file_create(file, 0640, "correct horse battery\n"), 0);
	ck_assert_int_eq(find(""), PASSPHRASE_E_EXPOSED);
	ck_assert_int_eq(key_file_replace(file, 0600, "short\n"), 0);
	ck_assert_int_eq(find(""), PASSPHRASE_E_LENGTH);
	ck_assert_int_eq(key_file_replace(file, 0600, text), 0);
	ck_assert_int_eq(find(""), PASSPHRASE_E_LENGTH);
}
END_TEST

START_TEST(a_credential_goes_before_the_file)
{
	ck_assert_int_eq(key_file_create(file, 0600, "of the file 123\n"), 0);
	ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
	ck_assert_int_eq(find("of the file 123"), 0);
	ck_assert_int_eq(key_file_create(credential, 0400, "of systemd 1234"), 0);
	ck_assert_int_eq(find("of systemd 1234"), 0);
	/* The group's rights are an access list's mask there; those of all others are not. */
	ck_assert_int_eq(chmod(credential, 0440), 0);
	ck_assert_int_eq(find("of systemd 1234"), 0);
	ck_assert_int_eq(chmod(credential, 0444), 0);
	ck_assert_int_eq(find(""), PASSPHRASE_E_EXPOSED);
}
END_TEST

START_TEST(one_is_made_where_there_is_none)
{
	CLEANUP(passphrase_deinit) struct passphrase first = { .length = 0 };
	bool is_made = false;

	ck_assert_int_eq(passphrase_ensure("", &is_made), PASSPHRASE_E_ABSENT);
	ck_assert_int_eq(passphrase_ensure(file, &is_made), 0);
	ck_assert(is_made);
	ck_assert_int_eq(passphrase_find(file, &first), 0);
	ck_assert_uint_eq(first.length, 64);
	ck_assert_int_eq(passphrase_ensure(file, &is_made), 0);
	ck_assert(!is_made);
	first.text[first.length] = '\0';
	ck_assert_int_eq(find(first.text), 0);
}
END_TEST

START_TEST(a_file_is_replaced_whole_with_the_mode_that_is_asked_for)
{
	char text[32];
	struct stat status;
	size_t length = 0;

	ck_assert_int_eq(key_file_replace(file, 0644, "one"), 0);
	ck_assert_int_eq(stat(file, &status), 0);
	ck_assert_uint_eq(status.st_mode & 0777, 0644);
	ck_assert_int_eq(key_file_load(file, KEY_FILE_SECRET, text, sizeof(text), &length),
			 KEY_FILE_E_EXPOSED);
	ck_assert_int_eq(key_file_replace(file, 0600, "two"), 0);
	ck_assert_int_eq(key_file_load(file, KEY_FILE_SECRET, text, sizeof(text), &length), 0);
	ck_assert_str_eq(text, "two");
	ck_assert_uint_eq(length, 3);
	ck_assert_int_eq(key_file_load(file, KEY_FILE_SECRET, text, 3, &length),
			 KEY_FILE_E_MALFORMED);
	ck_assert_int_eq(key_file_create(file, 0600, "three"), KEY_FILE_E_EXISTS);
	ck_assert_int_lt(key_file_replace("/nowhere/file", 0600, "x"), 0);
}
END_TEST

SUITE_EACH("keys/passphrase", start, end, a_file_is_read_without_its_line_end,
	   what_others_read_or_what_is_short_is_refused, a_credential_goes_before_the_file,
	   one_is_made_where_there_is_none,
	   a_file_is_replaced_whole_with_the_mode_that_is_asked_for)
