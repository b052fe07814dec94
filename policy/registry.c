/*
 * The wikis: dbname, language, family, status, regions, group and bodies. The prefix of a dbname
 * says nothing (`nowiki` is nb, `be_x_oldwiki` be-tarask); only the registry does.
 */

#include "policy/model.h"

#include <string.h>

static struct policy_registered *find_unsorted(const struct policy_set *set, const char *dbname)
{
	for (size_t i = 0; i < set->wikis.n_items; i++) {
		struct policy_registered *wiki = set->wikis.items[i];

		if (strcmp(wiki->wiki.dbname, dbname) == 0)
			return wiki;
	}
	return NULL;
}

static int add_entry(struct policy_set *set, const struct policy_node *key,
		     struct policy_node *node, size_t directory)
{
	struct policy_registered *wiki = find_unsorted(set, key->text);
	int r = 0;

	if (wiki && wiki->directory == directory) {
		const struct policy_node *earlier = wiki->nodes.items[wiki->nodes.n_items - 1];

		policy_report_add(set->source.report, key,
				  "the wiki \"%s\" is listed already: %s:%u", key->text,
				  earlier->file, earlier->line);
		return 0;
	}
	if (!wiki) {
		wiki = arena_alloc(set->arena, sizeof(*wiki));
		if (!wiki)
			return -ENOMEM;
		wiki->wiki.dbname = key->text;
		r = policy_list_add(set->arena, &set->wikis, wiki);
	}
	wiki->directory = directory;
	return r < 0 ? r : policy_list_add(set->arena, &wiki->nodes, node);
}

/* A later directory's keys replace the earlier ones. */
static struct policy_node *last_given(const struct policy_registered *wiki, const char *key)
{
	struct policy_node *given = NULL;

	for (size_t i = 0; i < wiki->nodes.n_items; i++) {
		struct policy_node *node = policy_node_get(wiki->nodes.items[i], key);

		given = node ? node : given;
	}
	return given;
}

static const char *last_text(const struct policy_registered *wiki, const char *key)
{
	struct policy_node *node = last_given(wiki, key);

	return policy_node_is_null(node) ? NULL : policy_node_text(node);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int read_regions(struct policy_set *set, struct policy_registered *wiki)
{
	struct policy_node *node = last_given(wiki, "regions");
	struct policy_list regions = { 0 };
	int r = 0;

	for (size_t i = 0; i < policy_node_count(node, POLICY_LIST) && r == 0; i++) {
		const char *region = policy_node_text(node->items[i]);
		char *name = region ? arena_printf(set->arena, "region:%s", region) : NULL;

		if (!region)
			continue;
		if (!name)
			return -ENOMEM;
		if (policy_find_layer(set, name))
			r = policy_list_add(set->arena, &regions, (void *)(uintptr_t)region);
		else
			policy_report_add(set->source.report, node->items[i],
					  "no region \"%s\": regions/%s.yaml is missing", region,
					  region);
	}
	if (r == 0) {
		policy_list_sort(&regions, compare_texts);
		r = policy_list_add(set->arena, &regions, NULL);
	}
	wiki->wiki.regions = (const char *const *)regions.items;
	return r;
}

static bool is_among(const char *text, const char *const *list)
{
	for (; list && *list; list++)
		if (strcmp(*list, text) == 0)
			return true;
	return false;
}

static bool body_covers(const struct policy_body *body, const struct policy_wiki *wiki)
{
	const char *place = body->jurisdiction ? body->jurisdiction : "global";

	if (strncmp(place, "wiki:", 5) == 0)
		return strcmp(place + 5, wiki->dbname) == 0;
	if (strncmp(place, "group:", 6) == 0)
		return wiki->group && strcmp(place + 6, wiki->group) == 0;
	if (strncmp(place, "region:", 7) == 0)
		return is_among(place + 7, wiki->regions);
	return true;
}

static void check_bodies(struct policy_set *set, const struct policy_registered *wiki)
{
	const struct policy_wiki *at = &wiki->wiki;
	struct policy_node *node = last_given(wiki, "body");
	struct policy_node *appeal_node = last_given(wiki, "appeal_body");
	const struct policy_body *body = policy_find_body(set, policy_slice(at->body));
	const struct policy_body *appeal = policy_find_body(set, policy_slice(at->appeal_body));
	struct policy_report *report = set->source.report;

	if (at->body && !body)
		policy_report_add(report, node, "no body \"%s\"", at->body);
	if (at->appeal_body && !appeal)
		policy_report_add(report, appeal_node, "no body \"%s\"", at->appeal_body);
	if (body && !body_covers(body, at))
		policy_report_add(report, node, "the jurisdiction of \"%s\" is %s, not \"%s\"",
				  at->body, body->jurisdiction, at->dbname);
	if (body && body->level == 1 && at->status && strcmp(at->status, "open") != 0)
		policy_report_add(report, node, "a %s wiki has no local body", at->status);
	if (body && appeal && appeal->level < body->level)
		policy_report_add(report, appeal_node,
				  "appeals lead downwards: from \"%s\" to \"%s\"", at->body,
				  at->appeal_body);
}

static int read_entry(struct policy_set *set, struct policy_registered *wiki)
{
	struct policy_node *group = last_given(wiki, "group");
	const char *direction = last_text(wiki, "dir");
	char *name;
	int r;

	wiki->wiki.lang = last_text(wiki, "lang");
	wiki->wiki.is_rtl = direction && strcmp(direction, "rtl") == 0;
	wiki->wiki.family = last_text(wiki, "family");
	wiki->wiki.status = last_text(wiki, "status");
	wiki->wiki.host = last_text(wiki, "host");
	wiki->wiki.name = last_text(wiki, "name");
	wiki->wiki.group = last_text(wiki, "group");
	wiki->wiki.body = last_text(wiki, "body");
	wiki->wiki.appeal_body = last_text(wiki, "appeal_body");
	r = read_regions(set, wiki);
	if (r < 0)
		return r;
	if (wiki->wiki.group) {
		name = arena_printf(set->arena, "group:%s", wiki->wiki.group);
		if (!name)
			return -ENOMEM;
		if (!policy_find_layer(set, name))
			policy_report_add(set->source.report, group,
					  "no group \"%s\": groups/%s.yaml is missing",
					  wiki->wiki.group, wiki->wiki.group);
	}
	return 0;
}

static int compare_wikis(const void *a, const void *b)
{
	return strcmp(((const struct policy_registered *)a)->wiki.dbname,
		      ((const struct policy_registered *)b)->wiki.dbname);
}

/* Every overlay of a wiki is of a wiki that exists. */
static void check_overlays(struct policy_set *set)
{
	for (size_t i = 0; i < set->layers.n_items; i++) {
		const struct policy_layer *layer = set->layers.items[i];
		const struct policy_file *file = layer->files.items[0];
		struct policy_node *id = policy_node_get(file->node, "id");

		if (layer->kind == POLICY_LAYER_WIKI &&
		    !policy_find_registered(set, policy_slice(layer->id)))
			policy_report_add(set->source.report, id ? id : file->node,
					  "no wiki \"%s\" in the registry", layer->id);
	}
}

int policy_registry_read(struct policy_set *set)
{
	int r = 0;

	for (size_t i = 0; i < set->source.registry.n_items && r == 0; i++) {
		const struct policy_file *file = set->source.registry.items[i];
		const struct policy_node *wikis = policy_node_get(file->node, "wikis");

		for (size_t k = 0; k < policy_node_count(wikis, POLICY_MAP) && r == 0; k++)
			r = add_entry(set, wikis->keys[k], wikis->items[k], file->directory);
	}
	policy_list_sort(&set->wikis, compare_wikis);
	for (size_t i = 0; i < set->wikis.n_items && r == 0; i++)
		r = read_entry(set, set->wikis.items[i]);
	if (r == 0)
		check_overlays(set);
	return r;
}

/* An interruption concerns places that exist. */
static int check_interruption(struct policy_set *set, const struct policy_interruption *item)
{
	for (size_t i = 0; i < item->regions.n_items; i++) {
		const char *region = item->regions.items[i];
		char *name = arena_printf(set->arena, "region:%s", region);

		if (!name)
			return -ENOMEM;
		if (!policy_find_layer(set, name))
			policy_report_add(set->source.report, item->node,
					  "no region \"%s\": regions/%s.yaml is missing", region,
					  region);
	}
	for (size_t i = 0; i < item->wikis.n_items; i++)
		if (!policy_find_registered(set, policy_slice(item->wikis.items[i])))
			policy_report_add(set->source.report, item->node,
					  "no wiki \"%s\" in the registry",
					  (const char *)item->wikis.items[i]);
	return 0;
}

int policy_registry_check(struct policy_set *set)
{
	int r = 0;

	for (size_t i = 0; i < set->wikis.n_items; i++)
		check_bodies(set, set->wikis.items[i]);
	for (size_t i = 0; i < set->interruptions.n_items && r == 0; i++)
		r = check_interruption(set, set->interruptions.items[i]);
	return r;
}
