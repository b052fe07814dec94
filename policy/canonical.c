/*
 * The canonical form of a set: the whole merged source as compact JSON with sorted keys. Its
 * SHA-256 is the version, and it reads back to the same set (published.c), so the database holds
 * policy that does not depend on anybody's directories.
 */

#include "policy/model.h"

#include <string.h>

#include "daemon/base/codec.h"
#include "daemon/crypto/crypto.h"

static int copy_members(struct value *to, const struct value *from)
{
	struct slice key;
	struct value *member;
	int r = 0;

	for (void *at = NULL; r == 0 && value_each(from, &at, &key, &member);)
		r = value_set_take(to, key.at, value_copy(member));
	return r;
}

/* Entries say themselves whether they were reviewed, so that files can be merged. */
static int mark_reviewed(struct value *section, bool is_reviewed)
{
	struct slice key;
	struct value *entry;
	int r = 0;

	for (void *at = NULL; r == 0 && value_each(section, &at, &key, &entry);)
		if (!value_get(entry, "reviewed"))
			r = value_set_boolean(entry, "reviewed", is_reviewed);
	return r;
}

static const char *const lang_sections[] = { "rules", "categories", "sanctions", "bodies" };

static int mark_file(struct value *file)
{
	bool is_reviewed = value_is_true(value_get(file, "reviewed"));
	struct slice key;
	struct value *layer;
	int r = value_set_boolean(file, "reviewed", is_reviewed);

	for (size_t i = 0; i < ARRAY_SIZE(lang_sections) && r == 0; i++)
		r = mark_reviewed(value_get(file, lang_sections[i]), is_reviewed);
	for (void *at = NULL; r == 0 && value_each(value_get(file, "layers"), &at, &key, &layer);)
		for (size_t i = 0; i < ARRAY_SIZE(lang_sections) && r == 0; i++)
			r = mark_reviewed(value_get(layer, lang_sections[i]), is_reviewed);
	return r;
}

/* Mappings of entries grow by those of the later file; an entry is replaced as a whole. */
static int merge(struct value *to, const struct value *from, unsigned depth)
{
	struct slice key;
	struct value *member;
	int r = 0;

	for (void *at = NULL; r == 0 && value_each(from, &at, &key, &member);) {
		struct value *earlier = value_get(to, key.at);
		unsigned below = strcmp(key.at, "layers") == 0 && depth == 1 ? 3 : depth - 1;

		if (depth > 0 && value_is(member, VALUE_OBJECT) && value_is(earlier, VALUE_OBJECT))
			r = merge(earlier, member, below);
		else
			r = value_set_take(to, key.at, value_copy(member));
	}
	return r;
}

static int write_langs(const struct policy_set *set, struct value *langs)
{
	int r = 0;

	for (size_t i = 0; i < set->source.langs.n_items && r == 0; i++) {
		const struct policy_file *file = set->source.langs.items[i];
		struct value *written CLEANUP(value_freep) = policy_schema_write(
			&policy_schema_lang, file->node);
		struct value *earlier = value_get(langs, file->id);

		r = written ? mark_file(written) : -ENOMEM;
		if (r == 0 && earlier)
			r = merge(earlier, written, 1);
		else if (r == 0)
			r = value_set_take(langs, file->id, value_copy(written));
	}
	return r;
}

static int write_layers(const struct policy_set *set, struct value *layers)
{
	int r = 0;

	for (size_t i = 0; i < set->source.layers.n_items && r == 0; i++) {
		const struct policy_file *file = set->source.layers.items[i];

		r = value_append_take(layers, policy_schema_write(policy_file_is_definition(file)
									  ? &policy_schema_base
									  : &policy_schema_overlay,
								  file->node));
	}
	return r;
}

static int write_registry(const struct policy_set *set, struct value *registry)
{
	int r = 0;

	for (size_t i = 0; i < set->wikis.n_items && r == 0; i++) {
		const struct policy_registered *wiki = set->wikis.items[i];
		struct value *entry CLEANUP(value_freep) = value_new_object();

		r = entry ? 0 : -ENOMEM;
		for (size_t k = 0; k < wiki->nodes.n_items && r == 0; k++) {
			struct value *given CLEANUP(value_freep) = policy_schema_write(
				&policy_schema_wiki, wiki->nodes.items[k]);

			r = given ? copy_members(entry, given) : -ENOMEM;
		}
		if (r == 0)
			r = value_set_take(registry, wiki->wiki.dbname, value_copy(entry));
	}
	return r;
}

static int write_member(struct value *root, const char *key, struct value *child,
			const struct policy_set *set,
			int (*fill)(const struct policy_set *, struct value *))
{
	int r = child ? fill(set, child) : -ENOMEM;

	if (r < 0) {
		value_free(child);
		return r;
	}
	return value_set_take(root, key, child);
}

int policy_canonical_write(struct policy_set *set)
{
	struct value *root CLEANUP(value_freep) = value_new_object();
	uint8_t hash[CRYPTO_SHA256_SIZE];
	int r = root ? value_set_integer(root, "format", 1) : -ENOMEM;

	if (r == 0)
		r = value_set_string(root, "name", set->source.name);
	if (r == 0)
		r = value_set_integer(root, "revision", set->source.revision);
	if (r == 0)
		r = write_member(root, "layers", value_new_array(), set, write_layers);
	if (r == 0)
		r = write_member(root, "languages", value_new_object(), set, write_langs);
	if (r == 0)
		r = write_member(root, "registry", value_new_object(), set, write_registry);
	if (r == 0)
		r = value_write_canonical(root, &set->canonical);
	if (r == 0)
		r = buffer_finish(&set->canonical);
	if (r == 0)
		r = crypto_sha256(policy_set_canonical(set), hash);
	if (r == 0)
		codec_hex_encode(set->version, hash, sizeof(hash));
	return r;
}
