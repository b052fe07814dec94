/* What a confined process can do with the vault's files, as the account that owns them. */

#include "tests/unit/suite.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/app/confine.h"

static char top[] = "/tmp/conductd-confine-XXXXXX";
static char vault[64], key[96], passphrase[96], beside[96], public[96];
static struct config config;

static void file_make(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "secret", 6), 6);
	ck_assert_int_eq(close(fd), 0);
}

static void start(void)
{
	(void)strcpy(strrchr(top, '-'), "-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	(void)snprintf(vault, sizeof(vault), "%s/vault", top);
	ck_assert_int_eq(mkdir(vault, 0700), 0);
	(void)snprintf(key, sizeof(key), "%s/vault.key", vault);
	(void)snprintf(passphrase, sizeof(passphrase), "%s/vault.passphrase", vault);
	(void)snprintf(beside, sizeof(beside), "%s/beside", top);
	(void)snprintf(public, sizeof(public), "%s/vault.pub", top);
	file_make(key);
	file_make(passphrase);
	file_make(beside);
	config = (struct config){ .vault_key_file = key,
				  .vault_passphrase_file = passphrase,
				  .vault_public_file = "/nowhere/vault.pub",
				  .audit_head_file = "/nowhere/log.head" };
}

static int entry_remove(const char *path, const struct stat *status, int kind, struct FTW *at)
{
	return remove(path);
}

static void end(void)
{
	ck_assert_int_eq(nftw(top, entry_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* errno of what a confined child does, 0 when it succeeds. */
static int error_of(int (*act)(void))
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		if (confine_secrets(&config))
			_exit(255);
		_exit(act() < 0 ? errno : 0);
	}
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_ne(WEXITSTATUS(status), 255);
	return WEXITSTATUS(status);
}

static int key_read(void)
{
	return open(key, O_RDONLY | O_CLOEXEC);
}

static int key_read_by_another_path(void)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "/proc/self/root%s", key);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int key_read_of_the_parent(void)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "/proc/%d/root%s", (int)getppid(), key);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int key_write(void)
{
	return open(key, O_WRONLY | O_CLOEXEC);
}

static int key_remove(void)
{
	return unlink(key);
}

static int key_link(void)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s.link", beside);
	return link(key, path);
}

static int key_replace(void)
{
	return rename(beside, key);
}

static int passphrase_read_it(void)
{
	return open(passphrase, O_RDONLY | O_CLOEXEC);
}

static int file_new(void)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/new", vault);
	return open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static int parent_memory_read(void)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)getppid());
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int parent_trace(void)
{
	return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static int beside_read(void)
{
	return open(beside, O_RDWR | O_CLOEXEC);
}

static int system_read(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static int null_write(void)
{
	return open("/dev/null", O_WRONLY | O_CLOEXEC);
}

START_TEST(the_vaults_files_are_out_of_reach)
{
	ck_assert_int_eq(error_of(key_read), EACCES);
	ck_assert_int_eq(error_of(key_read_by_another_path), EACCES);
	ck_assert_int_eq(error_of(key_read_of_the_parent), EACCES);
	ck_assert_int_eq(error_of(passphrase_read_it), EACCES);
	ck_assert_int_eq(error_of(key_write), EACCES);
	ck_assert_int_eq(error_of(key_remove), EACCES);
	ck_assert_int_ne(error_of(key_link), 0);
	ck_assert_int_ne(error_of(key_replace), 0);
	ck_assert_int_eq(error_of(file_new), EACCES);
	ck_assert_int_eq(access(key, R_OK), 0);
}
END_TEST

START_TEST(neither_is_the_memory_of_who_has_read_them)
{
	ck_assert_int_eq(error_of(parent_memory_read), EACCES);
	ck_assert_int_eq(error_of(parent_trace), EPERM);
}
END_TEST

START_TEST(all_else_goes_on)
{
	ck_assert_int_eq(error_of(beside_read), 0);
	ck_assert_int_eq(error_of(system_read), 0);
	ck_assert_int_eq(error_of(null_write), 0);
}
END_TEST

START_TEST(a_link_to_the_directory_keeps_nothing_open)
{
	static char linked[128];
	char other[96];

	(void)snprintf(other, sizeof(other), "%s/link", top);
	ck_assert_int_eq(symlink(vault, other), 0);
	(void)snprintf(linked, sizeof(linked), "%s/vault.key", other);
	config.vault_key_file = linked;
	ck_assert_int_eq(error_of(key_read), EACCES);
	config.vault_passphrase_file = "";
	ck_assert_int_eq(error_of(passphrase_read_it), 0);
}
END_TEST

START_TEST(a_credential_is_kept_as_well)
{
	config.vault_passphrase_file = "";
	ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", vault, 1), 0);
	ck_assert_int_eq(error_of(passphrase_read_it), EACCES);
	ck_assert_int_eq(unsetenv("CREDENTIALS_DIRECTORY"), 0);
}
END_TEST

START_TEST(files_that_change_do_not_lie_on_the_way)
{
	ck_assert_int_eq(confine_check(&config), 0);
	config.vault_public_file = public;
	ck_assert_int_eq(confine_check(&config), 1);
	config.vault_public_file = "/tmp/vault.pub";
	ck_assert_int_eq(confine_check(&config), 1);
	config.vault_public_file = "/var/lib/vault.pub";
	ck_assert_int_eq(confine_check(&config), 0);
	config.audit_head_file = beside;
	ck_assert_int_eq(confine_check(&config), 1);
}
END_TEST

SUITE_EACH("app/confine", start, end, the_vaults_files_are_out_of_reach,
	   neither_is_the_memory_of_who_has_read_them, all_else_goes_on,
	   a_link_to_the_directory_keeps_nothing_open, a_credential_is_kept_as_well,
	   files_that_change_do_not_lie_on_the_way)
