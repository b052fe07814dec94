/*
 * Whole policy sets: a good set in which the input takes the place of one file, or the published
 * JSON as the input says. A set that is accepted publishes itself, and what is published reads back
 * to the same set; a set that is refused says why, in lines of plain text.
 *
 * The first byte chooses the file; the rest is its content.
 */

#include "tests/fuzz/fuzz.h"

#include "policy/set.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const folders[] = { "regions", "groups", "wikis", "registry", "lang" };
static const char *const files[] = {
	"base.yaml",          "manifest.yaml",        "regions/north.yaml", "regions/south.yaml",
	"groups/family.yaml", "wikis/alphawiki.yaml", "registry/all.yaml",  "lang/de.yaml",
	"lang/ar.yaml",       "lang/nb.yaml",         "lang/no.yaml",       "lang/pt.yaml",
};

/* The folder of the set; it goes when the process ends. */
static char root[64];

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	return remove(path);
}

static void clean(void)
{
	nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* Links to the good set of the unit tests. */
static void prepare(void)
{
	char from[512], to[512];

	if (root[0])
		return;
	snprintf(root, sizeof(root), "%s/conductd-fuzz-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(root))
		fuzz_fail("a folder can be made", __FILE_NAME__, __LINE__);
	atexit(clean);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		snprintf(to, sizeof(to), "%s/%s", root, folders[i]);
		PROPERTY(mkdir(to, 0700) == 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(from, sizeof(from), "%s/%s", GOOD_DIR, files[i]);
		snprintf(to, sizeof(to), "%s/%s", root, files[i]);
		PROPERTY(symlink(from, to) == 0);
	}
}

static void write_file(const char *path, const uint8_t *bytes, size_t size)
{
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	PROPERTY(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	close(fd);
}

static void check_errors(struct policy_errors *errors)
{
	PROPERTY(errors->n_lines > 0 || fuzz_has_fault());
	for (size_t i = 0; i < errors->n_lines; i++)
		PROPERTY(fuzz_is_line(errors->lines[i]));
}

static bool is_same(struct slice a, struct slice b)
{
	return a.length == b.length && memcmp(a.at, b.at, a.length) == 0;
}

static void check_set(const struct policy_set *set)
{
	CLEANUP(policy_set_unrefp) struct policy_set *again = NULL;
	CLEANUP(policy_errors_deinit) struct policy_errors errors = { 0 };
	CLEANUP(value_freep) struct value *page = NULL;
	struct policy_chain chain;
	const struct policy_wiki *wiki = policy_set_count_wikis(set) ? policy_set_wiki_at(set, 0)
								     : NULL;
	int r = policy_set_read(policy_set_canonical(set), &again, &errors);

	NOT_NEGATIVE(r, out);
	PROPERTY(r == 0);
	PROPERTY(strcmp(policy_set_version(set), policy_set_version(again)) == 0);
	PROPERTY(policy_set_revision(set) == policy_set_revision(again));
	PROPERTY(is_same(policy_set_canonical(set), policy_set_canonical(again)));
	PROPERTY(is_same(policy_set_effective(set), policy_set_effective(again)));
	policy_chain_init(&chain, again, wiki, (struct slice){ "pt-br|ar", 8 },
			  (struct slice){ "nb,de;q=0.5", 11 });
	PROPERTY(chain.n_langs >= 1 && strcmp(chain.langs[chain.n_langs - 1], "en") == 0);
	r = policy_set_render(again, wiki, &chain, &page);
	PROPERTY(r == 0 || (r < 0 && fuzz_has_fault()));
out:
	return;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	CLEANUP(policy_set_unrefp) struct policy_set *set = NULL;
	CLEANUP(policy_errors_deinit) struct policy_errors errors = { 0 };
	const char *const directories[] = { root };
	char from[512], path[512];
	size_t choice;
	int r;

	if (size == 0)
		return 0;
	prepare();
	choice = bytes[0] % (ARRAY_SIZE(files) + 1);
	if (choice == ARRAY_SIZE(files)) {
		r = policy_set_read((struct slice){ (const char *)bytes + 1, size - 1 }, &set,
				    &errors);
	} else {
		snprintf(path, sizeof(path), "%s/%s", root, files[choice]);
		snprintf(from, sizeof(from), "%s/%s", GOOD_DIR, files[choice]);
		write_file(path, bytes + 1, size - 1);
		r = policy_set_load(directories, 1, &set, &errors);
		unlink(path);
		PROPERTY(symlink(from, path) == 0);
	}
	NOT_NEGATIVE(r, out);
	if (r == 0)
		check_set(set);
	else
		check_errors(&errors);
out:
	return 0;
}
