/*
 * Lays the layers of a wiki on each other: base, its regions, its group, its own. Wikis with the
 * same chain share one view. The operations of an overlay are in overlay.c; here is their order,
 * and what a finished view has to fulfil.
 */

#include "policy/model.h"

#include <string.h>

#include "policy/overlay.h"

static int view_add_layer(struct policy_set *set, struct policy_view *view,
			  const struct policy_layer *layer)
{
	int r = policy_list_add(set->arena, &view->layers, (void *)(uintptr_t)layer);

	for (size_t i = 0; i < set->rules.n_items && r == 0; i++) {
		const struct policy_rule *rule = set->rules.items[i];
		const struct policy_view_rule item = {
			rule, rule->severity, rule->privacy, rule->route, rule->has_mediation, false
		};

		if (rule->layer == layer)
			r = policy_list_add(set->arena, &view->rules,
					    arena_memdup(set->arena, &item, sizeof(item)));
	}
	for (size_t i = 0; i < set->categories.n_items && r == 0; i++) {
		const struct policy_category *category = set->categories.items[i];
		struct policy_view_category item = { .category = category,
						     .is_offered = category->is_offered };

		if (category->layer != layer)
			continue;
		for (size_t k = 0; k < category->rules.n_items && r == 0; k++)
			r = policy_list_add(set->arena, &item.rules, category->rules.items[k]);
		if (r == 0)
			r = policy_list_add(set->arena, &view->categories,
					    arena_memdup(set->arena, &item, sizeof(item)));
	}
	for (size_t i = 0; i < set->sanctions.n_items && r == 0; i++) {
		const struct policy_sanction *sanction = set->sanctions.items[i];
		const struct policy_view_sanction item = { sanction, sanction->max_duration,
							   sanction->local_cap, false };

		if (sanction->layer == layer)
			r = policy_list_add(set->arena, &view->sanctions,
					    arena_memdup(set->arena, &item, sizeof(item)));
	}
	return r;
}

static int compare_defined(const void *a, const void *b)
{
	return strcmp(**(const char *const *const *)a, **(const char *const *const *)b);
}

static bool has_null(const struct policy_list *list)
{
	for (size_t i = 0; i < list->n_items; i++)
		if (!list->items[i])
			return true;
	return false;
}

/* Layers only add, so every definition of the chain can be there before the operations begin. */
static int view_fill(struct policy_set *set, struct policy_view *view,
		     const struct policy_list *layers)
{
	int r = 0;

	for (size_t i = 0; i < layers->n_items && r == 0; i++)
		r = view_add_layer(set, view, layers->items[i]);
	if (r < 0 || has_null(&view->rules) || has_null(&view->categories) ||
	    has_null(&view->sanctions))
		return r < 0 ? r : -ENOMEM;
	policy_list_sort(&view->rules, compare_defined);
	policy_list_sort(&view->categories, compare_defined);
	policy_list_sort(&view->sanctions, compare_defined);
	return 0;
}

/* The first file of base says the limits and routes themselves. */
static void view_read_base(struct policy_set *set, struct policy_view *view)
{
	const struct policy_layer *base = set->layers.items[0];
	const struct policy_file *file = base->files.items[0];
	const struct policy_node *procedure = policy_node_get(file->node, "procedure");
	const struct policy_node *routes = policy_node_get(file->node, "routes");

	for (size_t i = 0; i < POLICY_N_LIMITS; i++) {
		const struct policy_node *node = policy_node_value(
			policy_node_get(procedure, policy_limits[i].name));

		view->limits[i] = policy_limits[i].is_duration ? policy_node_duration(node, 0)
							       : policy_node_integer(node, 0);
	}
	for (size_t i = 0; i < POLICY_N_ROUTES; i++) {
		struct policy_node *node = policy_node_value(
			policy_node_get(routes, policy_routes[i]));

		view->routes[i] = policy_node_text(node);
		if (view->routes[i] && !policy_find_body(set, policy_slice(view->routes[i]))) {
			policy_report_once(set->source.report, node, "no body \"%s\"",
					   view->routes[i]);
			view->routes[i] = NULL;
		}
	}
	for (size_t i = 0; i < POLICY_N_ROUTES_REQUIRED; i++)
		if (routes && !policy_node_get(routes, policy_routes[i]))
			policy_report_add(set->source.report, routes, "no body for \"%s\"",
					  policy_routes[i]);
	for (size_t i = POLICY_N_ROUTES_REQUIRED; i < POLICY_N_ROUTES; i++)
		if (!view->routes[i])
			view->routes[i] = view->routes[POLICY_ROUTE_DEFAULT];
}

static char *chain_name(struct policy_set *set, const struct policy_list *layers)
{
	char *name = arena_strdup(set->arena, "");

	for (size_t i = 0; i < layers->n_items && name; i++) {
		const struct policy_layer *layer = layers->items[i];

		name = arena_printf(set->arena, "%s%s%s", name, i ? "," : "", layer->name);
	}
	return name;
}

/* A category's rules have to be in force where it is offered. */
static void check_categories(struct policy_set *set, struct policy_view *view)
{
	for (size_t i = 0; i < view->categories.n_items; i++) {
		struct policy_view_category *category = view->categories.items[i];
		struct policy_node *node = policy_node_get(category->category->node, "rules");

		for (size_t k = 0; k < category->rules.n_items; k++) {
			const char *id = category->rules.items[k];
			const struct policy_rule *rule = policy_find_rule(set, policy_slice(id));

			if (!rule)
				policy_report_once(set->source.report,
						   node ? node : category->category->node,
						   "the category \"%s\" names no rule: \"%s\"",
						   category->category->id, id);
		}
	}
}

/* Regions lie beside each other: each is held against what was under all of them. */
static int view_apply(struct policy_set *set, struct policy_view *view)
{
	struct policy_view *below = NULL;
	int r = 0;

	for (size_t i = 0; i < view->layers.n_items && r == 0; i++) {
		const struct policy_layer *layer = view->layers.items[i];
		bool is_region = layer->kind == POLICY_LAYER_REGION;

		if (is_region && !below)
			r = policy_view_copy(set, view, &below);
		for (size_t k = 0; k < layer->files.n_items && r == 0; k++)
			r = policy_overlay_apply(set, view, is_region ? below : view, layer,
						 layer->files.items[k]);
	}
	return r;
}

int policy_view_new(struct policy_set *set, const struct policy_list *layers,
		    const struct policy_view **ret_view)
{
	const char *name = chain_name(set, layers);
	struct policy_view *view;
	int r;

	if (!name)
		return -ENOMEM;
	for (size_t i = 0; i < set->views.n_items; i++) {
		view = set->views.items[i];
		if (strcmp(view->name, name) == 0) {
			*ret_view = view;
			return 0;
		}
	}
	view = arena_alloc(set->arena, sizeof(*view));
	if (!view)
		return -ENOMEM;
	view->name = name;
	r = view_fill(set, view, layers);
	if (r < 0)
		return r;
	view_read_base(set, view);
	r = view_apply(set, view);
	if (r < 0)
		return r;
	check_categories(set, view);
	*ret_view = view;
	return policy_list_add(set->arena, &set->views, view);
}

static int chain_add(struct policy_set *set, struct policy_list *chain, const char *kind,
		     const char *id)
{
	char *name = arena_printf(set->arena, "%s:%s", kind, id);
	struct policy_layer *layer;

	if (!name)
		return -ENOMEM;
	layer = policy_find_layer(set, name);
	return layer ? policy_list_add(set->arena, chain, layer) : 0;
}

static int wiki_view(struct policy_set *set, struct policy_registered *wiki)
{
	struct policy_list chain = { 0 };
	int r = policy_list_add(set->arena, &chain, set->layers.items[0]);

	for (const char *const *region = wiki->wiki.regions; *region && r == 0; region++)
		r = chain_add(set, &chain, "region", *region);
	if (r == 0 && wiki->wiki.group)
		r = chain_add(set, &chain, "group", wiki->wiki.group);
	if (r == 0)
		r = chain_add(set, &chain, "wiki", wiki->wiki.dbname);
	return r < 0 ? r : policy_view_new(set, &chain, &wiki->view);
}

/* An overlay that no wiki uses yet is checked on base alone. */
static int check_unused(struct policy_set *set)
{
	int r = 0;

	for (size_t i = 1; i < set->layers.n_items && r == 0; i++) {
		struct policy_layer *layer = set->layers.items[i];
		struct policy_list chain = { 0 };
		const struct policy_view *view;
		bool is_used = false;

		for (size_t k = 0; k < set->views.n_items && !is_used; k++) {
			view = set->views.items[k];
			for (size_t j = 0; j < view->layers.n_items; j++)
				is_used = is_used || view->layers.items[j] == layer;
		}
		if (is_used)
			continue;
		r = policy_list_add(set->arena, &chain, set->layers.items[0]);
		if (r == 0)
			r = policy_list_add(set->arena, &chain, layer);
		if (r == 0)
			r = policy_view_new(set, &chain, &view);
	}
	return r;
}

int policy_views_make(struct policy_set *set)
{
	struct policy_list chain = { 0 };
	int r = policy_list_add(set->arena, &chain, set->layers.items[0]);

	if (r == 0)
		r = policy_view_new(set, &chain, &set->base);
	for (size_t i = 0; i < set->wikis.n_items && r == 0; i++)
		r = wiki_view(set, set->wikis.items[i]);
	return r < 0 ? r : check_unused(set);
}
