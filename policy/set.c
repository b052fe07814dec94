/*
 * The life of a policy set: read, checked, laid out, then immutable and counted. A set with any
 * complaint is never handed out, so nobody can act on half a code of conduct.
 */

#include "policy/set.h"

#include <stdlib.h>
#include <string.h>

#include "policy/model.h"

struct policy_set *policy_set_unref(struct policy_set *set)
{
	if (!set || --set->n_references > 0)
		return NULL;
	buffer_deinit(&set->canonical);
	buffer_deinit(&set->effective);
	arena_free(set->arena);
	free(set);
	return NULL;
}

void policy_set_unrefp(struct policy_set **set)
{
	*set = policy_set_unref(*set);
}

struct policy_set *policy_set_ref(struct policy_set *set)
{
	set->n_references++;
	return set;
}

static int set_new(struct policy_set **ret_set)
{
	struct policy_set *set = calloc(1, sizeof(*set));
	int r = set ? arena_new(&set->arena) : -ENOMEM;

	if (r < 0) {
		free(set);
		return r;
	}
	set->n_references = 1;
	*ret_set = set;
	return 0;
}

/* Everything that can be said about a set is said: each step goes on over complaints. */
static int set_check(struct policy_set *set)
{
	const struct policy_file *first = set->source.layers.n_items ? set->source.layers.items[0]
								     : NULL;
	int r;

	/* A file that is no tree would drag complaints behind it that are not its reader's fault.
	 */
	if (!set->source.is_whole)
		return 0;
	if (!first || !policy_file_is_definition(first)) {
		policy_report_at(set->source.report, "policy", 0, 0, "the set has no base layer");
		return 0;
	}
	r = policy_define(set);
	if (r == 0)
		r = policy_registry_read(set);
	if (r == 0)
		r = policy_bodies_apply(set);
	if (r == 0)
		r = policy_registry_check(set);
	if (r == 0)
		r = policy_notes_read(set);
	if (r == 0)
		r = policy_translate(set);
	return r < 0 ? r : policy_views_make(set);
}

static int set_finish(struct policy_set *set, struct policy_errors *ret_errors)
{
	int r = set_check(set);

	if (r == 0)
		r = policy_report_finish(set->source.report, ret_errors);
	if (r == 0)
		r = policy_canonical_write(set);
	return r != 0 ? r : policy_effective_write(set);
}

int policy_set_load(const char *const *directories, size_t n_directories,
		    struct policy_set **ret_set, struct policy_errors *ret_errors)
{
	struct policy_set *set CLEANUP(policy_set_unrefp) = NULL;
	int r = set_new(&set);
	struct policy_report report = { .arena = r == 0 ? set->arena : NULL };

	if (r < 0)
		return r;
	set->source.arena = set->arena;
	set->source.report = &report;
	r = policy_source_read_directories(&set->source, directories, n_directories);
	if (r == 0)
		r = set_finish(set, ret_errors);
	set->source.report = NULL;
	if (r != 0)
		return r;
	*ret_set = set;
	set = NULL;
	return 0;
}

int policy_set_read(struct slice canonical, struct policy_set **ret_set,
		    struct policy_errors *ret_errors)
{
	struct policy_set *set CLEANUP(policy_set_unrefp) = NULL;
	int r = set_new(&set);
	struct policy_report report = { .arena = r == 0 ? set->arena : NULL };

	if (r < 0)
		return r;
	set->source.arena = set->arena;
	set->source.report = &report;
	r = policy_source_read_canonical(&set->source, canonical);
	if (r == 0)
		r = set_finish(set, ret_errors);
	set->source.report = NULL;
	if (r != 0)
		return r;
	*ret_set = set;
	set = NULL;
	return 0;
}

const char *policy_set_version(const struct policy_set *set)
{
	return set->version;
}

int64_t policy_set_revision(const struct policy_set *set)
{
	return set->source.revision;
}

const char *policy_set_name(const struct policy_set *set)
{
	return set->source.name;
}

struct slice policy_set_canonical(const struct policy_set *set)
{
	return (struct slice){ set->canonical.at, set->canonical.length };
}

struct slice policy_set_effective(const struct policy_set *set)
{
	return (struct slice){ set->effective.at, set->effective.length };
}

size_t policy_set_count_layers(const struct policy_set *set)
{
	return set->layers.n_items;
}

size_t policy_set_count_wikis(const struct policy_set *set)
{
	return set->wikis.n_items;
}

size_t policy_set_count_profiles(const struct policy_set *set)
{
	return set->profiles.n_items;
}

const struct policy_wiki *policy_set_find_wiki(const struct policy_set *set, struct slice dbname)
{
	const struct policy_registered *wiki = policy_find_registered(set, dbname);

	return wiki ? &wiki->wiki : NULL;
}

const struct policy_wiki *policy_set_wiki_at(const struct policy_set *set, size_t index)
{
	if (index >= set->wikis.n_items)
		return NULL;
	return &((const struct policy_registered *)set->wikis.items[index])->wiki;
}

const struct policy_view *policy_view_of(const struct policy_set *set,
					 const struct policy_wiki *wiki)
{
	/* A policy_wiki is always the first member of its registry entry. */
	return wiki ? ((const struct policy_registered *)(const void *)wiki)->view : set->base;
}

static const struct policy_view_category *find_offered(const struct policy_set *set,
						       const struct policy_wiki *wiki,
						       struct slice category)
{
	const struct policy_view_category *found = policy_view_find_category(
		policy_view_of(set, wiki), category);

	return found && found->is_offered ? found : NULL;
}

bool policy_set_has_category(const struct policy_set *set, const struct policy_wiki *wiki,
			     struct slice category)
{
	return find_offered(set, wiki, category) != NULL;
}

const char *policy_set_category_harm(const struct policy_set *set, const struct policy_wiki *wiki,
				     struct slice category)
{
	const struct policy_view_category *found = find_offered(set, wiki, category);

	return found ? found->category->harm_type : NULL;
}

const char *policy_set_map_irs(const struct policy_set *set, const struct policy_wiki *wiki,
			       struct slice type)
{
	const struct policy_view *view = policy_view_of(set, wiki);

	for (size_t i = 0; i < view->categories.n_items; i++) {
		const struct policy_view_category *item = view->categories.items[i];

		if (item->is_offered && !item->is_retired &&
		    policy_slice_equals(type, item->category->irs))
			return item->category->id;
	}
	return NULL;
}

bool policy_set_has_rule(const struct policy_set *set, const struct policy_wiki *wiki,
			 struct slice rule)
{
	return policy_view_find_rule(policy_view_of(set, wiki), rule) != NULL;
}

bool policy_set_has_sanction(const struct policy_set *set, const struct policy_wiki *wiki,
			     struct slice sanction)
{
	return policy_view_find_sanction(policy_view_of(set, wiki), sanction) != NULL;
}

int policy_set_limit(const struct policy_set *set, const struct policy_wiki *wiki, const char *key,
		     int64_t *ret_limit)
{
	int at = policy_limit_find(key);

	if (at < 0)
		return POLICY_E_ABSENT;
	*ret_limit = policy_view_of(set, wiki)->limits[at];
	return 0;
}

bool policy_set_has_body(const struct policy_set *set, struct slice body)
{
	return policy_find_body(set, body) != NULL;
}
