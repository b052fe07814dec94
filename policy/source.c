/*
 * Reads the directories of a set, or its canonical JSON, into trees that fit their schemas, in the
 * order in which layers lie on each other. A file that is no part of a set is refused, so that a
 * misspelt name cannot silently drop a rule.
 */

#include "policy/source.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/tables.h"

enum { FILES_MAX = 10000 };

const char *const policy_layer_words[] = { "base", "region", "group", "wiki", NULL };

bool policy_file_is_definition(const struct policy_file *file)
{
	return file->kind == POLICY_FILE_LAYER && file->layer == POLICY_LAYER_BASE &&
	       file->directory == 0;
}

static int complain_file(struct policy_source *source, const char *path, const char *message)
{
	source->is_whole = false;
	policy_report_at(source->report, path, 0, 0, message);
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* 0 with bytes, 1 when the machine said why not (reported), negative. */
static int read_bytes(struct policy_source *source, const char *path, struct slice *ret_bytes)
{
	int fd CLEANUP(close_fd) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t length = 0;
	struct stat status;
	char *bytes;

	if (fd < 0 || fstat(fd, &status) < 0)
		return complain_file(source, path, strerror(errno)) + 1;
	if (!S_ISREG(status.st_mode))
		return complain_file(source, path, "not a file") + 1;
	if (status.st_size > YAML_SIZE_MAX)
		return complain_file(source, path, "larger than 4 MiB") + 1;
	bytes = arena_alloc(source->arena, (size_t)status.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	while (length < (size_t)status.st_size) {
		ssize_t n = read(fd, bytes + length, (size_t)status.st_size - length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return complain_file(source, path, "cannot be read to its end") + 1;
		length += (size_t)n;
	}
	*ret_bytes = (struct slice){ bytes, length };
	return 0;
}

/* ret_node stays NULL when the file is no YAML; that is reported. */
static int read_yaml(struct policy_source *source, const char *path, struct policy_node **ret_node)
{
	struct yaml_document *document CLEANUP(yaml_document_freep) = NULL;
	struct yaml_error error = { 0 };
	struct slice bytes;
	int r = read_bytes(source, path, &bytes);

	if (r != 0)
		return r < 0 ? r : 0;
	r = yaml_document_new(bytes, &document, &error);
	if (r > 0) {
		source->is_whole = false;
		policy_report_at(source->report, path, error.line, error.column, error.message);
		return 0;
	}
	if (r < 0)
		return r;
	return policy_node_from_yaml(source->arena, path, yaml_document_root(document), ret_node);
}

static int file_add(struct policy_source *source, const struct policy_file *file)
{
	struct policy_file *copy = arena_memdup(source->arena, file, sizeof(*file));
	struct policy_list *list = file->kind == POLICY_FILE_LAYER      ? &source->layers
				   : file->kind == POLICY_FILE_REGISTRY ? &source->registry
									: &source->langs;

	return copy ? policy_list_add(source->arena, list, copy) : -ENOMEM;
}

static int file_check(struct policy_source *source, const struct policy_file *file)
{
	const struct schema *schema = file->kind == POLICY_FILE_REGISTRY ? &policy_schema_registry
				      : file->kind == POLICY_FILE_LANG   ? &policy_schema_lang
				      : policy_file_is_definition(file)  ? &policy_schema_base
									 : &policy_schema_overlay;

	return policy_schema_check(schema, file->node, source->report);
}

/* What a file says it is has to be what it is called. */
static void check_identity(struct policy_source *source, const struct policy_file *file)
{
	struct policy_node *id, *kind;

	if (file->kind == POLICY_FILE_LANG) {
		id = policy_node_get(file->node, "language");
		if (policy_node_text(id) && strcmp(policy_node_text(id), file->id) != 0)
			policy_report_add(source->report, id,
					  "the language \"%s\" is not the file's name", id->text);
		return;
	}
	if (file->kind != POLICY_FILE_LAYER)
		return;
	id = policy_node_get(file->node, "id");
	kind = policy_node_get(file->node, "layer");
	if (policy_node_text(id) && strcmp(policy_node_text(id), file->id) != 0)
		policy_report_add(source->report, id, "the id \"%s\" is not the file's name",
				  id->text);
	if (policy_word_find(policy_layer_words, policy_node_text(kind)) >= 0 &&
	    strcmp(kind->text, policy_layer_words[file->layer]) != 0)
		policy_report_add(source->report, kind,
				  "a layer \"%s\" does not belong in this place", kind->text);
}

static int file_read(struct policy_source *source, const char *path, struct policy_file *file)
{
	int r = read_yaml(source, path, &file->node);

	if (r < 0 || !file->node)
		return r;
	r = file_check(source, file);
	if (r < 0)
		return r;
	if (file->node->kind != POLICY_MAP)
		return 0;
	check_identity(source, file);
	return file_add(source, file);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Everything in a folder but dot files and README.md, sorted by bytes. ENOENT is an empty folder.
 */
static int list_names(struct policy_source *source, const char *path, struct policy_list *ret_names)
{
	DIR *folder = opendir(path);
	struct policy_list names = { 0 };
	struct dirent *entry;
	int r = 0;

	if (!folder)
		return errno == ENOENT ? 0 : -errno;
	while (r == 0 && (entry = readdir(folder))) {
		char *name;

		if (entry->d_name[0] == '.' || strcmp(entry->d_name, "README.md") == 0)
			continue;
		name = arena_strdup(source->arena, entry->d_name);
		r = name ? policy_list_add(source->arena, &names, name) : -ENOMEM;
		if (names.n_items > FILES_MAX)
			r = -E2BIG;
	}
	closedir(folder);
	policy_list_sort(&names, compare_names);
	*ret_names = names;
	return r;
}

static const struct folder {
	const char *name;
	enum policy_file_kind kind;
	enum policy_layer_kind layer;
} folders[] = {
	{ "regions", POLICY_FILE_LAYER, POLICY_LAYER_REGION },
	{ "groups", POLICY_FILE_LAYER, POLICY_LAYER_GROUP },
	{ "wikis", POLICY_FILE_LAYER, POLICY_LAYER_WIKI },
	{ "registry", POLICY_FILE_REGISTRY, POLICY_LAYER_BASE },
	{ "lang", POLICY_FILE_LANG, POLICY_LAYER_BASE },
};

static int read_folder(struct policy_source *source, const char *directory, size_t number,
		       const struct folder *folder)
{
	struct policy_list names = { 0 };
	const char *path = arena_printf(source->arena, "%s/%s", directory, folder->name);
	int r = path ? list_names(source, path, &names) : -ENOMEM;

	if (r < 0 && r != -ENOMEM)
		return complain_file(source, path, strerror(-r));
	for (size_t i = 0; i < names.n_items && r == 0; i++) {
		const char *name = names.items[i];
		size_t length = strlen(name);
		struct policy_file file = { .kind = folder->kind,
					    .layer = folder->layer,
					    .directory = number };
		const char *at = arena_printf(source->arena, "%s/%s", path, name);

		if (!at)
			return -ENOMEM;
		if (length < 6 || strcmp(name + length - 5, ".yaml") != 0) {
			complain_file(source, at, "is not part of a policy set (NAME.yaml)");
			continue;
		}
		file.id = arena_strndup(source->arena, name, length - 5);
		r = file.id ? file_read(source, at, &file) : -ENOMEM;
	}
	return r;
}

static void check_top(struct policy_source *source, const char *directory,
		      const struct policy_list *names)
{
	for (size_t i = 0; i < names->n_items; i++) {
		const char *name = names->items[i];
		bool is_known = strcmp(name, "manifest.yaml") == 0 ||
				strcmp(name, "base.yaml") == 0;
		const char *path;

		for (size_t k = 0; k < ARRAY_SIZE(folders); k++)
			is_known = is_known || strcmp(name, folders[k].name) == 0;
		if (is_known)
			continue;
		path = arena_printf(source->arena, "%s/%s", directory, name);
		if (path)
			complain_file(source, path, "is not part of a policy set");
		else
			source->report->has_failed = true;
	}
}

static int read_manifest(struct policy_source *source, const char *path, size_t number)
{
	struct policy_node *node = NULL;
	int r = read_yaml(source, path, &node);

	if (r == 0 && node)
		r = policy_schema_check(&policy_schema_manifest, node, source->report);
	if (r < 0 || !node)
		return r;
	source->revision += policy_node_integer(policy_node_get(node, "revision"), 0);
	if (number == 0)
		source->name = policy_node_get_text(node, "name");
	return 0;
}

static int read_directory(struct policy_source *source, const char *directory, size_t number)
{
	struct policy_list names = { 0 };
	struct policy_file base = { .kind = POLICY_FILE_LAYER,
				    .layer = POLICY_LAYER_BASE,
				    .id = "base",
				    .directory = number };
	const char *path = arena_strdup(source->arena, directory);
	const char *manifest = arena_printf(source->arena, "%s/manifest.yaml", directory);
	const char *base_path = arena_printf(source->arena, "%s/base.yaml", directory);
	int r;

	if (!path || !manifest || !base_path)
		return -ENOMEM;
	if (access(directory, R_OK | X_OK) < 0)
		return complain_file(source, path, strerror(errno));
	r = list_names(source, directory, &names);
	if (r < 0)
		return r == -ENOMEM ? r : complain_file(source, path, strerror(-r));
	check_top(source, directory, &names);
	r = read_manifest(source, manifest, number);
	if (r == 0 && (number == 0 || access(base_path, F_OK) == 0))
		r = file_read(source, base_path, &base);
	for (size_t i = 0; i < ARRAY_SIZE(folders) && r == 0; i++)
		r = read_folder(source, directory, number, &folders[i]);
	return r;
}

static int compare_layers(const void *a, const void *b)
{
	const struct policy_file *left = a, *right = b;
	int r = (int)left->layer - (int)right->layer;

	return r != 0 ? r : strcmp(left->id, right->id);
}

static int compare_langs(const void *a, const void *b)
{
	return strcmp(((const struct policy_file *)a)->id, ((const struct policy_file *)b)->id);
}

int policy_source_read_directories(struct policy_source *source, const char *const *directories,
				   size_t n_directories)
{
	int r = 0;

	source->is_whole = true;
	for (size_t i = 0; i < n_directories && r == 0; i++)
		r = read_directory(source, directories[i], i);
	policy_list_sort(&source->layers, compare_layers);
	policy_list_sort(&source->langs, compare_langs);
	return r;
}
