/*
 * What an overlay may do to a view: tighten, annotate, route, retire. The one rule behind all of
 * them is that an overlay may only add or tighten; every other wish is a complaint with its place.
 */

#include "policy/overlay.h"

#include <inttypes.h>
#include <string.h>

struct step {
	struct policy_set *set;
	struct policy_report *report;
	struct policy_view *view;
	const struct policy_view *below;
	const struct policy_layer *layer;
	const struct policy_file *file;
};

typedef int apply_function(struct step *step, struct policy_node *key, struct policy_node *node);

/* Under an overlay lie the layers of lower kinds, and what it defines itself. */
static bool is_under(const struct step *step, const struct policy_layer *definer)
{
	return definer == step->layer || definer->kind < step->layer->kind;
}

static struct policy_view_rule *find_rule(struct step *step, struct policy_node *key)
{
	struct policy_view_rule *rule = policy_view_find_rule(step->view, policy_slice(key->text));

	if (rule && is_under(step, rule->rule->layer))
		return rule;
	policy_report_once(step->report, key, "no rule \"%s\" in the layers under this one",
			   key->text);
	return NULL;
}

static struct policy_view_category *find_category(struct step *step, struct policy_node *key)
{
	struct policy_view_category *category = policy_view_find_category(step->view,
									  policy_slice(key->text));

	if (category && is_under(step, category->category->layer))
		return category;
	policy_report_once(step->report, key, "no category \"%s\" in the layers under this one",
			   key->text);
	return NULL;
}

static struct policy_view_sanction *find_sanction(struct step *step, struct policy_node *key)
{
	struct policy_view_sanction *sanction = policy_view_find_sanction(step->view,
									  policy_slice(key->text));

	if (sanction && is_under(step, sanction->sanction->layer))
		return sanction;
	policy_report_once(step->report, key, "no sanction \"%s\" in the layers under this one",
			   key->text);
	return NULL;
}

/* Raises one of the rule's floors to the word's place in `words`, unless it would sink. */
static void raise_floor(struct step *step, const struct policy_node *node, const char *key,
			const char *const *words, int first, int below, int *floor)
{
	struct policy_node *at = policy_node_get(node, key);
	int wanted = policy_word_find(words, policy_node_text(at));

	if (wanted < 0)
		return;
	wanted += first;
	if (wanted < below)
		policy_report_once(step->report, at,
				   "%s is lowered from %s to %s: an overlay may only tighten", key,
				   words[below - first], words[wanted - first]);
	else if (wanted > *floor)
		*floor = wanted;
}

static int tighten_rule(struct step *step, struct policy_node *key, struct policy_node *node)
{
	struct policy_view_rule *rule = find_rule(step, key);
	struct policy_node *severity = policy_node_get(node, "severity_floor");
	struct policy_node *mediation = policy_node_get(node, "mediation");
	const struct policy_view_rule *below;

	if (!rule)
		return 0;
	below = policy_view_find_rule(step->below, policy_slice(key->text));
	below = below ? below : rule;
	if (severity && !rule->rule->is_unacceptable)
		policy_report_once(
			step->report, severity,
			"expected behaviour has no severity: nothing is sanctioned for it");
	else
		raise_floor(step, node, "severity_floor", policy_severity_words, 1, below->severity,
			    &rule->severity);
	raise_floor(step, node, "privacy_floor", policy_privacy_words, 0, below->privacy,
		    &rule->privacy);
	if (mediation && policy_node_is_true(mediation, false) && !below->has_mediation)
		policy_report_once(step->report, mediation,
				   "mediation of \"%s\" is excluded: an overlay may only tighten",
				   key->text);
	else if (mediation && !policy_node_is_true(mediation, true))
		rule->has_mediation = false;
	return 0;
}

static int tighten_category(struct step *step, struct policy_node *key, struct policy_node *node)
{
	struct policy_view_category *category = find_category(step, key);
	const struct policy_node *rules = policy_node_get(node, "rules");
	struct policy_node *offer = policy_node_get(node, "offer");
	int r = 0;

	if (!category)
		return 0;
	if (offer && !policy_node_is_true(offer, true))
		policy_report_once(
			step->report, offer,
			"the category \"%s\" is withdrawn: an overlay may only offer more",
			key->text);
	else if (offer)
		category->is_offered = true;
	for (size_t i = 0; i < policy_node_count(rules, POLICY_LIST) && r == 0; i++) {
		const char *id = policy_node_text(rules->items[i]);
		bool is_there = false;

		if (!id || !find_rule(step, rules->items[i]))
			continue;
		for (size_t k = 0; k < category->rules.n_items; k++)
			is_there = is_there || strcmp(category->rules.items[k], id) == 0;
		if (!is_there)
			r = policy_list_add(step->set->arena, &category->rules,
					    (void *)(uintptr_t)id);
	}
	return r;
}

static void shorten(struct step *step, const struct policy_node *node, const char *key,
		    int64_t below, int64_t *duration)
{
	struct policy_node *at = policy_node_get(node, key);
	int64_t wanted = policy_node_duration(at, -1);
	char from[32], to[32];

	if (wanted < 0)
		return;
	if (below != POLICY_UNLIMITED && wanted > below) {
		policy_duration_print(below, from);
		policy_duration_print(wanted, to);
		policy_report_once(step->report, at,
				   "%s is lengthened from %s to %s: an overlay may only tighten",
				   key, from, to);
	} else if (*duration == POLICY_UNLIMITED || wanted < *duration) {
		*duration = wanted;
	}
}

static int tighten_sanction(struct step *step, struct policy_node *key, struct policy_node *node)
{
	struct policy_view_sanction *sanction = find_sanction(step, key);
	const struct policy_view_sanction *below;

	if (!sanction)
		return 0;
	below = policy_view_find_sanction(step->below, policy_slice(key->text));
	below = below ? below : sanction;
	shorten(step, node, "max_duration", below->max_duration, &sanction->max_duration);
	shorten(step, node, "local_cap", below->local_cap, &sanction->local_cap);
	return 0;
}

static void complain_limit(struct step *step, struct policy_node *node,
			   const struct policy_limit *limit, int64_t from, int64_t to)
{
	char from_text[32], to_text[32];

	if (!limit->is_duration) {
		policy_report_once(step->report, node,
				   "%s is lowered from %" PRId64 " to %" PRId64
				   ": an overlay may only tighten",
				   limit->name, from, to);
		return;
	}
	policy_duration_print(from, from_text);
	policy_duration_print(to, to_text);
	policy_report_once(step->report, node,
			   "%s is %s from %s to %s: an overlay may only tighten", limit->name,
			   to > from ? "lengthened" : "shortened", from_text, to_text);
}

static int tighten_limit(struct step *step, struct policy_node *key, struct policy_node *node)
{
	int at = policy_limit_find(key->text);
	const struct policy_limit *limit;
	struct policy_node *value = policy_node_value(node);
	int64_t wanted, below;
	bool is_longer;

	if (at < 0 || policy_limits[at].direction == POLICY_FIXED || !policy_node_text(value))
		return 0;
	limit = &policy_limits[at];
	below = step->below->limits[at];
	is_longer = limit->direction == POLICY_LONGER;
	wanted = limit->is_duration ? policy_node_duration(value, -1)
				    : policy_node_integer(value, -1);
	if (wanted < 0)
		return 0;
	if (is_longer ? wanted < below : wanted > below)
		complain_limit(step, value, limit, below, wanted);
	else if (is_longer ? wanted > step->view->limits[at] : wanted < step->view->limits[at])
		step->view->limits[at] = wanted;
	return 0;
}

static int annotate_rule(struct step *step, struct policy_node *key, struct policy_node *node)
{
	find_rule(step, key);
	return 0;
}

static int annotate_category(struct step *step, struct policy_node *key, struct policy_node *node)
{
	find_category(step, key);
	return 0;
}

static int annotate_sanction(struct step *step, struct policy_node *key, struct policy_node *node)
{
	find_sanction(step, key);
	return 0;
}

/* none may go anywhere, anything may become an emergency; between the others none is higher. */
static int route_rule(struct step *step, struct policy_node *key, struct policy_node *node)
{
	struct policy_view_rule *rule = find_rule(step, key);
	struct policy_node *value = policy_node_value(node);
	int wanted = policy_word_find(policy_route_words, policy_node_text(value));
	int emergency = policy_word_find(policy_route_words, "emergency");
	const struct policy_view_rule *below;

	if (!rule || wanted < 0)
		return 0;
	below = policy_view_find_rule(step->below, policy_slice(key->text));
	below = below ? below : rule;
	if (below->route != 0 && wanted != below->route && wanted != emergency)
		policy_report_once(step->report, value, "\"%s\" is routed downwards: from %s to %s",
				   key->text, policy_route_words[below->route],
				   policy_route_words[wanted]);
	else if (wanted > rule->route)
		rule->route = wanted;
	return 0;
}

static int route_matter(struct step *step, struct policy_node *key, struct policy_node *node)
{
	struct policy_node *value = policy_node_value(node);
	int at = policy_word_find(policy_routes, key->text);
	const struct policy_body *wanted, *below, *current;

	if (at < 0 || !policy_node_text(value))
		return 0;
	wanted = policy_find_body(step->set, policy_slice(value->text));
	below = policy_find_body(step->set, policy_slice(step->below->routes[at]));
	current = policy_find_body(step->set, policy_slice(step->view->routes[at]));
	if (!wanted)
		policy_report_once(step->report, value, "no body \"%s\"", value->text);
	else if (below && wanted->level < below->level)
		policy_report_once(step->report, value, "%s is routed downwards: from %s to %s",
				   key->text, below->id, wanted->id);
	else if (!current || step->below == step->view || wanted->level >= current->level)
		step->view->routes[at] = wanted->id;
	return 0;
}

/* Own means: the same file defined it. */
static bool is_own(const struct step *step, const struct policy_layer *definer,
		   const struct policy_node *node)
{
	return definer == step->layer && node->file == step->file->node->file;
}

static void complain_retire(struct step *step, struct policy_node *key,
			    const struct policy_layer *definer)
{
	policy_report_once(
		step->report, key,
		"\"%s\" is defined in %s: an overlay retires only what it defined itself",
		key->text, definer->name);
}

static int retire_rule(struct step *step, struct policy_node *key, struct policy_node *node)
{
	struct policy_view_rule *rule = find_rule(step, key);

	if (rule && !is_own(step, rule->rule->layer, rule->rule->node))
		complain_retire(step, key, rule->rule->layer);
	else if (rule)
		rule->is_retired = true;
	return 0;
}

static int retire_category(struct step *step, struct policy_node *key, struct policy_node *node)
{
	struct policy_view_category *category = find_category(step, key);

	if (category && !is_own(step, category->category->layer, category->category->node))
		complain_retire(step, key, category->category->layer);
	else if (category)
		category->is_retired = true;
	return 0;
}

static int retire_sanction(struct step *step, struct policy_node *key, struct policy_node *node)
{
	struct policy_view_sanction *sanction = find_sanction(step, key);

	if (sanction && !is_own(step, sanction->sanction->layer, sanction->sanction->node))
		complain_retire(step, key, sanction->sanction->layer);
	else if (sanction)
		sanction->is_retired = true;
	return 0;
}

/* The order matters: what is retired last could be tightened before. */
static const struct {
	const char *operation;
	const char *section;
	apply_function *apply;
} operations[] = {
	{ "tighten", "rules", tighten_rule },
	{ "tighten", "categories", tighten_category },
	{ "tighten", "sanctions", tighten_sanction },
	{ "tighten", "procedure", tighten_limit },
	{ "annotate", "rules", annotate_rule },
	{ "annotate", "categories", annotate_category },
	{ "annotate", "sanctions", annotate_sanction },
	{ "route", "rules", route_rule },
	{ "route", "routes", route_matter },
	{ "retire", "rules", retire_rule },
	{ "retire", "categories", retire_category },
	{ "retire", "sanctions", retire_sanction },
};

int policy_overlay_apply(struct policy_set *set, struct policy_view *view,
			 const struct policy_view *below, const struct policy_layer *layer,
			 const struct policy_file *file)
{
	struct step step = { set, set->source.report, view, below, layer, file };
	int r = 0;

	for (size_t k = 0; k < ARRAY_SIZE(operations) && r == 0; k++) {
		const struct policy_node *section = policy_node_get(
			policy_node_get(file->node, operations[k].operation),
			operations[k].section);

		/* retire is a list of ids, everything else a mapping. */
		for (size_t i = 0; section && i < section->n_items && r == 0; i++) {
			struct policy_node *key = section->kind == POLICY_MAP ? section->keys[i]
									      : section->items[i];

			if (policy_node_text(key))
				r = operations[k].apply(&step, key, section->items[i]);
		}
	}
	return r;
}

static int copy_items(struct policy_set *set, const struct policy_list *from,
		      struct policy_list *to, size_t size)
{
	int r = 0;

	for (size_t i = 0; i < from->n_items && r == 0; i++) {
		void *item = arena_memdup(set->arena, from->items[i], size);

		r = item ? policy_list_add(set->arena, to, item) : -ENOMEM;
	}
	return r;
}

/* Categories are compared by definition only, so their lists may be shared. */
int policy_view_copy(struct policy_set *set, const struct policy_view *view,
		     struct policy_view **ret_copy)
{
	struct policy_view *copy = arena_memdup(set->arena, view, sizeof(*view));
	int r;

	if (!copy)
		return -ENOMEM;
	copy->rules = copy->sanctions = (struct policy_list){ 0 };
	r = copy_items(set, &view->rules, &copy->rules, sizeof(struct policy_view_rule));
	if (r == 0)
		r = copy_items(set, &view->sanctions, &copy->sanctions,
			       sizeof(struct policy_view_sanction));
	if (r == 0)
		*ret_copy = copy;
	return r;
}
