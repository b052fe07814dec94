/* Makes folders of sets: links to the good set, over which a case lays its own files. */

#include "tests/unit/policy/sets.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char GOOD[] = TEST_DIR "/good";

char *read_text(const char *path)
{
	FILE *file = fopen(path, "re");
	size_t length, size = 1024 * 1024;
	char *text = malloc(size);

	ck_assert_msg(file && text, "%s cannot be read", path);
	length = fread(text, 1, size - 1, file);
	text[length] = '\0';
	fclose(file);
	return text;
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	ck_assert_msg(file != NULL, "%s cannot be written", path);
	fputs(text, file);
	fclose(file);
}

static void link_folder(const char *from, const char *to)
{
	DIR *folder = opendir(from);
	struct dirent *entry;

	ck_assert_ptr_nonnull(folder);
	ck_assert_int_eq(mkdir(to, 0700), 0);
	while ((entry = readdir(folder))) {
		char source[512], target[512];
		struct stat status;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(source, sizeof(source), "%s/%s", from, entry->d_name);
		snprintf(target, sizeof(target), "%s/%s", to, entry->d_name);
		ck_assert_int_eq(stat(source, &status), 0);
		if (S_ISDIR(status.st_mode))
			link_folder(source, target);
		else
			ck_assert_int_eq(symlink(source, target), 0);
	}
	closedir(folder);
}

/* own/… lies beside the set, everything else in it; folders are made on the way. */
static void place(struct set_folder *folder, const char *path, char ret_full[512])
{
	bool is_own = strncmp(path, "own/", 4) == 0;

	snprintf(ret_full, 512, "%s/%s", is_own ? folder->root : folder->set, path);
	if (is_own)
		snprintf(folder->own, sizeof(folder->own), "%s/own", folder->root);
	for (char *at = ret_full + strlen(folder->root) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(ret_full, 0700);
		*at = '/';
	}
}

static void replace(const char *path, const char *old, const char *new)
{
	char *text = read_text(path);
	char *at = strstr(text, old);
	struct buffer changed = BUFFER_NULL;

	ck_assert_msg(at && !strstr(at + 1, old), "\"%s\" stands not once in %s", old, path);
	buffer_append(&changed, text, (size_t)(at - text));
	buffer_append_text(&changed, new);
	buffer_append_text(&changed, at + strlen(old));
	ck_assert_int_eq(buffer_finish(&changed), 0);
	ck_assert_int_eq(unlink(path), 0);
	write_text(path, changed.at);
	buffer_deinit(&changed);
	free(text);
}

/* Cuts the text up to the next "=== " line (or the end) off the front; malloc'ed. */
static char *take_part(const char **text)
{
	const char *end = strncmp(*text, "=== ", 4) == 0 ? *text : strstr(*text, "\n=== ");
	char *part;

	if (end && end != *text)
		end++;
	part = end ? strndup(*text, (size_t)(end - *text)) : strdup(*text);
	*text = end ? end : *text + strlen(*text);
	return part;
}

static void strip_newline(char *text)
{
	size_t length = strlen(text);

	if (length > 0 && text[length - 1] == '\n')
		text[length - 1] = '\0';
}

/* One part: `head` is its first line without "=== ". */
static void apply_part(struct set_folder *folder, const char *head, const char **text)
{
	char *part = take_part(text), *with;
	char path[512];

	if (strcmp(head, "expected") == 0) {
		free(folder->expected);
		folder->expected = part;
		return;
	}
	if (strncmp(head, "write ", 6) == 0) {
		place(folder, head + 6, path);
		unlink(path);
		write_text(path, part);
	} else if (strncmp(head, "remove ", 7) == 0) {
		place(folder, head + 7, path);
		ck_assert_int_eq(unlink(path), 0);
	} else {
		ck_assert_msg(strncmp(head, "replace ", 8) == 0, "unknown part \"%s\"", head);
		place(folder, head + 8, path);
		ck_assert_msg(strncmp(*text, "=== with\n", 9) == 0, "replace without with");
		*text += 9;
		with = take_part(text);
		strip_newline(part);
		strip_newline(with);
		replace(path, part, with);
		free(with);
	}
	free(part);
}

void set_folder_init(struct set_folder *folder, const char *case_text)
{
	*folder = (struct set_folder){ .root = "/tmp/conductd-policy-XXXXXX" };
	ck_assert_ptr_nonnull(mkdtemp(folder->root));
	snprintf(folder->set, sizeof(folder->set), "%s/set", folder->root);
	link_folder(GOOD, folder->set);
	folder->expected = strdup("");
	free(take_part(&case_text)); /* what the case is about */
	while (*case_text) {
		const char *end = strchr(case_text, '\n');
		char *head = strndup(case_text + 4, (size_t)(end - case_text) - 4);

		case_text = end + 1;
		apply_part(folder, head, &case_text);
		free(head);
	}
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	return remove(path);
}

void set_folder_deinit(struct set_folder *folder)
{
	nftw(folder->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(folder->expected);
}

/* Paths as a reader of the case sees them: set/ is left out, own/ stays. */
static void append_relative(struct buffer *text, const struct set_folder *folder, const char *line)
{
	size_t length = strlen(folder->root);
	const char *at;

	while ((at = strstr(line, folder->root))) {
		buffer_append(text, line, (size_t)(at - line));
		line = at + length + 1;
		if (strncmp(line, "set/", 4) == 0)
			line += 4;
	}
	buffer_append_text(text, line);
	buffer_append_char(text, '\n');
}

char *set_folder_load(const struct set_folder *folder, struct policy_set **ret_set)
{
	const char *const directories[] = { folder->set, folder->own };
	struct policy_errors errors = { 0 };
	struct buffer text = BUFFER_NULL;
	int r = policy_set_load(directories, folder->own[0] ? 2 : 1, ret_set, &errors);

	ck_assert_int_ge(r, 0);
	buffer_append_text(&text, "");
	for (size_t i = 0; i < errors.n_lines; i++)
		append_relative(&text, folder, errors.lines[i]);
	ck_assert_int_eq(r == 0, errors.n_lines == 0);
	ck_assert_int_eq(buffer_finish(&text), 0);
	policy_errors_deinit(&errors);
	return text.at ? buffer_steal(&text) : strdup("");
}

struct policy_set *changed_set(const char *case_text)
{
	struct policy_set *set = NULL;
	struct set_folder folder;
	char *complaints;

	set_folder_init(&folder, case_text);
	complaints = set_folder_load(&folder, &set);
	ck_assert_str_eq(complaints, "");
	free(complaints);
	set_folder_deinit(&folder);
	return set;
}

struct policy_set *good_set(void)
{
	return changed_set("");
}
