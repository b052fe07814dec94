/* Reads the canonical JSON of a published set back into the same trees that YAML gives. */

#include <string.h>

#include "policy/source.h"
#include "policy/tables.h"

static const char *const FILE_NAME = "published policy";

static int add_layer(struct policy_source *source, struct policy_node *node, size_t number)
{
	const char *id = policy_node_get_text(node, "id");
	int layer = policy_word_find(policy_layer_words, policy_node_get_text(node, "layer"));
	struct policy_file file = {
		.kind = POLICY_FILE_LAYER, .id = id, .directory = number, .node = node
	};
	struct policy_file *copy;
	int r;

	if (!id || layer < 0) {
		policy_report_add(source->report, node, "a layer has no kind or id");
		return 0;
	}
	file.layer = (enum policy_layer_kind)layer;
	r = policy_schema_check(policy_file_is_definition(&file) ? &policy_schema_base
								 : &policy_schema_overlay,
				node, source->report);
	copy = arena_memdup(source->arena, &file, sizeof(file));
	if (r == 0)
		r = copy ? policy_list_add(source->arena, &source->layers, copy) : -ENOMEM;
	return r;
}

static int add_file(struct policy_source *source, enum policy_file_kind kind, const char *id,
		    struct policy_node *node)
{
	const struct policy_file file = { .kind = kind, .id = id, .node = node };
	struct policy_file *copy = arena_memdup(source->arena, &file, sizeof(file));
	int r = policy_schema_check(kind == POLICY_FILE_LANG ? &policy_schema_lang
							     : &policy_schema_registry,
				    node, source->report);

	if (r < 0 || !copy)
		return r < 0 ? r : -ENOMEM;
	return policy_list_add(source->arena,
			       kind == POLICY_FILE_LANG ? &source->langs : &source->registry, copy);
}

static int add_files(struct policy_source *source, const struct policy_node *root)
{
	const struct policy_node *layers = policy_node_get(root, "layers");
	const struct policy_node *langs = policy_node_get(root, "languages");
	struct policy_node *registry = arena_alloc(source->arena, sizeof(*registry));
	struct policy_node **pair = arena_alloc(source->arena, 2 * sizeof(*pair));
	struct policy_node *key = arena_alloc(source->arena, sizeof(*key));
	int r = 0;

	if (!registry || !pair || !key)
		return -ENOMEM;
	for (size_t i = 0; i < policy_node_count(layers, POLICY_LIST) && r == 0; i++)
		r = add_layer(source, layers->items[i], i);
	for (size_t i = 0; i < policy_node_count(langs, POLICY_MAP) && r == 0; i++)
		r = add_file(source, POLICY_FILE_LANG, langs->keys[i]->text, langs->items[i]);
	/* The canonical form merges the registry files; to the reader they are one such file. */
	*key = (struct policy_node){ .kind = POLICY_SCALAR, .file = FILE_NAME, .text = "wikis" };
	pair[0] = key;
	pair[1] = policy_node_get(root, "registry");
	*registry = (struct policy_node){ .kind = POLICY_MAP,
					  .file = FILE_NAME,
					  .n_items = pair[1] ? 1 : 0,
					  .keys = pair,
					  .items = pair + 1 };
	return r < 0 ? r : add_file(source, POLICY_FILE_REGISTRY, "registry", registry);
}

int policy_source_read_canonical(struct policy_source *source, struct slice canonical)
{
	struct value *value CLEANUP(value_freep) = NULL;
	struct value_error error = { 0 };
	struct policy_node *root;
	int r = value_parse(canonical, &value, &error);

	if (r < 0)
		return r;
	source->is_whole = true;
	if (r > 0) {
		policy_report_at(source->report, FILE_NAME, error.line, error.column,
				 error.message);
		source->is_whole = false;
		return 0;
	}
	if (value_integer(value_get(value, "format"), 0) != 1) {
		policy_report_at(source->report, FILE_NAME, 0, 0, "not a policy set of format 1");
		source->is_whole = false;
		return 0;
	}
	r = policy_node_from_value(source->arena, FILE_NAME, value, &root);
	if (r < 0)
		return r;
	source->name = policy_node_get_text(root, "name");
	source->revision = policy_node_integer(policy_node_get(root, "revision"), 0);
	return add_files(source, root);
}
