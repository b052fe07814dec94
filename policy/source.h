#pragma once
/* The files of a set, read and in order, before anything is made of them. */

#include "policy/list.h"
#include "policy/report.h"

enum policy_layer_kind {
	POLICY_LAYER_BASE,
	POLICY_LAYER_REGION,
	POLICY_LAYER_GROUP,
	POLICY_LAYER_WIKI,
};

enum policy_file_kind { POLICY_FILE_LAYER, POLICY_FILE_REGISTRY, POLICY_FILE_LANG };

struct policy_file {
	enum policy_file_kind kind;
	enum policy_layer_kind layer;
	const char *id;   /* of the layer or the language; registry: the file's name */
	size_t directory; /* counted from 0 */
	struct policy_node *node;
};

struct policy_source {
	struct arena *arena;          /* borrowed */
	struct policy_report *report; /* borrowed */
	const char *name;
	int64_t revision;
	struct policy_list layers;   /* of struct policy_file: base, regions, groups, wikis */
	struct policy_list registry; /* by directory, then name */
	struct policy_list langs;    /* by language, then directory */
	bool is_whole;               /* every file could be read as a tree */
};

extern const char *const policy_layer_words[];

/* The base of the first directory defines; every other layer file is an overlay. */
bool policy_file_is_definition(const struct policy_file *file);

int policy_source_read_directories(struct policy_source *source, const char *const *directories,
				   size_t n_directories);
int policy_source_read_canonical(struct policy_source *source, struct slice canonical);
