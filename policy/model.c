/* Looking things up in a set: all lists are sorted by the id that stands first in each item. */

#include "policy/model.h"

#include <string.h>

struct slice policy_slice(const char *text)
{
	return (struct slice){ text, text ? strlen(text) : 0 };
}

static const char *id_of(const void *item)
{
	return *(const char *const *)item;
}

/* Items of views begin with the definition, and that with its id. */
static const char *id_of_defined(const void *item)
{
	return id_of(*(const void *const *)item);
}

struct policy_layer *policy_find_layer(const struct policy_set *set, const char *name)
{
	for (size_t i = 0; i < set->layers.n_items; i++) {
		struct policy_layer *layer = set->layers.items[i];

		if (strcmp(layer->name, name) == 0)
			return layer;
	}
	return NULL;
}

struct policy_rule *policy_find_rule(const struct policy_set *set, struct slice id)
{
	return policy_list_find(&set->rules, id, id_of);
}

struct policy_category *policy_find_category(const struct policy_set *set, struct slice id)
{
	return policy_list_find(&set->categories, id, id_of);
}

struct policy_sanction *policy_find_sanction(const struct policy_set *set, struct slice id)
{
	return policy_list_find(&set->sanctions, id, id_of);
}

struct policy_body *policy_find_body(const struct policy_set *set, struct slice id)
{
	return policy_list_find(&set->bodies, id, id_of);
}

struct policy_language *policy_find_language(const struct policy_set *set, struct slice lang)
{
	return policy_list_find(&set->languages, lang, id_of);
}

/* struct policy_wiki stands first in an entry, and its dbname first in that. */
struct policy_registered *policy_find_registered(const struct policy_set *set, struct slice dbname)
{
	return policy_list_find(&set->wikis, dbname, id_of);
}

struct policy_view_rule *policy_view_find_rule(const struct policy_view *view, struct slice id)
{
	struct policy_view_rule *rule = policy_list_find(&view->rules, id, id_of_defined);

	return rule && !rule->is_retired ? rule : NULL;
}

struct policy_view_category *policy_view_find_category(const struct policy_view *view,
						       struct slice id)
{
	struct policy_view_category *category = policy_list_find(&view->categories, id,
								 id_of_defined);

	return category && !category->is_retired ? category : NULL;
}

struct policy_view_sanction *policy_view_find_sanction(const struct policy_view *view,
						       struct slice id)
{
	struct policy_view_sanction *sanction = policy_list_find(&view->sanctions, id,
								 id_of_defined);

	return sanction && !sanction->is_retired ? sanction : NULL;
}

const struct policy_note *policy_layer_find_note(const struct policy_layer *layer,
						 enum policy_noted kind, const char *id)
{
	for (size_t i = 0; i < layer->notes.n_items; i++) {
		const struct policy_note *note = layer->notes.items[i];

		if (note->kind == kind && strcmp(note->id, id) == 0)
			return note;
	}
	return NULL;
}

bool policy_slice_equals(struct slice slice, const char *text)
{
	return text && strlen(text) == slice.length && memcmp(slice.at, text, slice.length) == 0;
}
