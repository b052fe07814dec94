/*
 * The bodies of a set: what overlays tighten and reroute of them, and whether every way up ends. A
 * body is the same for every wiki, so only the layer of its own jurisdiction may touch it.
 */

#include "policy/model.h"

#include <inttypes.h>
#include <string.h>

static struct policy_report *report_of(struct policy_set *set)
{
	return set->source.report;
}

static void check_vote(struct policy_set *set, const struct policy_node *node, const char *wants_n,
		       const char *wants_voters)
{
	const char *rule = policy_node_get_text(node, "rule");
	struct policy_node *n = policy_node_get(node, "n");
	struct policy_node *voters = policy_node_get(node, "voters");
	struct policy_node *majority = policy_node_get(node, "or_majority");
	bool takes_n, takes_voters;

	if (!rule)
		return;
	takes_n = strstr(wants_n, rule) != NULL;
	takes_voters = strcmp(rule, wants_voters) == 0;
	if (takes_n && !n)
		policy_report_add(report_of(set), node, "the rule \"%s\" needs \"n\"", rule);
	if (!takes_n && n)
		policy_report_add(report_of(set), n, "the rule \"%s\" has no \"n\"", rule);
	if (takes_voters && !voters)
		policy_report_add(report_of(set), node, "the rule \"%s\" needs \"voters\"", rule);
	if (!takes_voters && voters)
		policy_report_add(report_of(set), voters, "the rule \"%s\" has no \"voters\"",
				  rule);
	if (majority && strcmp(rule, "net") != 0)
		policy_report_add(report_of(set), majority,
				  "the rule \"%s\" has no \"or_majority\"", rule);
}

static void check_votes(struct policy_set *set, const struct policy_node *node)
{
	check_vote(set, policy_node_get(node, "quorum"), "fixed", "-");
	check_vote(set, policy_node_get(node, "accept"), "fixed net", "majority_of_voters");
	check_vote(set, policy_node_get(node, "decide"), "-", "majority_of_voters");
}

/* wiki:x for the layer wiki:x; a base layer owns every jurisdiction. */
static bool is_own(const struct policy_layer *layer, const struct policy_body *body)
{
	return layer->kind == POLICY_LAYER_BASE ||
	       (body->jurisdiction && strcmp(body->jurisdiction, layer->name) == 0);
}

static void tighten_number(struct policy_set *set, const struct policy_body *body,
			   struct policy_node *node, const char *what, int64_t *number)
{
	int64_t wanted = policy_node_integer(node, *number);

	if (wanted < *number)
		policy_report_add(report_of(set), node,
				  "%s of \"%s\" is lowered from %" PRId64 " to %" PRId64
				  ": an overlay may only tighten",
				  what, body->id, *number, wanted);
	else
		*number = wanted;
}

static void tighten_vote(struct policy_set *set, const struct policy_body *body,
			 const struct policy_node *node, const char *what, struct policy_vote *vote)
{
	struct policy_node *rule = policy_node_get(node, "rule");

	if (!policy_node_text(rule))
		return;
	if (strcmp(rule->text, vote->rule) != 0) {
		policy_report_add(report_of(set), rule,
				  "the rule of the %s of \"%s\" cannot change from %s to %s", what,
				  body->id, vote->rule, rule->text);
		return;
	}
	if (policy_node_get(node, "n"))
		tighten_number(set, body, policy_node_get(node, "n"), what, &vote->n);
	if (policy_node_get(node, "voters"))
		tighten_number(set, body, policy_node_get(node, "voters"), what, &vote->voters);
}

static int extend_list(struct policy_set *set, const struct policy_node *node,
		       struct policy_list *list)
{
	int r = 0;

	for (size_t i = 0; i < policy_node_count(node, POLICY_LIST) && r == 0; i++) {
		const char *text = policy_node_text(node->items[i]);
		bool is_there = false;

		for (size_t k = 0; k < list->n_items; k++)
			is_there = is_there || (text && strcmp(list->items[k], text) == 0);
		if (text && !is_there)
			r = policy_list_add(set->arena, list, (void *)(uintptr_t)text);
	}
	return r;
}

static int tighten_body(struct policy_set *set, const struct policy_layer *layer,
			struct policy_body *body, struct policy_node *node)
{
	struct policy_node *decides = policy_node_get(node, "decides");
	int r;

	if (policy_node_text(decides) && strcmp(decides->text, "single") == 0 && body->is_panel)
		policy_report_add(report_of(set), decides,
				  "\"%s\" decides as a panel: an overlay may only tighten",
				  body->id);
	else if (policy_node_text(decides))
		body->is_panel = strcmp(decides->text, "panel") == 0;
	if (policy_node_get(node, "panel_size"))
		tighten_number(set, body, policy_node_get(node, "panel_size"), "the panel size",
			       &body->panel_size);
	check_votes(set, node);
	tighten_vote(set, body, policy_node_get(node, "quorum"), "quorum", &body->quorum);
	tighten_vote(set, body, policy_node_get(node, "decide"), "decision", &body->decide);
	r = extend_list(set, policy_node_get(node, "alternates"), &body->alternates);
	if (r == 0)
		r = extend_list(set, policy_node_get(node, "languages"), &body->languages);
	return r;
}

static void route_member(struct policy_set *set, const struct policy_body *body,
			 const struct policy_node *node, const char *key, const char **member)
{
	struct policy_node *at = policy_node_get(node, key);
	const char *id = policy_node_text(at);
	const struct policy_body *target, *current;

	if (!id)
		return;
	if (strcmp(key, "appeal") == 0 && strcmp(id, "self") == 0) {
		if (*member && strcmp(*member, "self") != 0)
			policy_report_add(report_of(set), at,
					  "appeal of \"%s\" leads downwards: from %s to self",
					  body->id, *member);
		else
			*member = id;
		return;
	}
	target = policy_find_body(set, policy_slice(id));
	current = *member ? policy_find_body(set, policy_slice(*member)) : NULL;
	if (!target)
		policy_report_add(report_of(set), at, "no body \"%s\"", id);
	else if (current && target->level < current->level)
		policy_report_add(report_of(set), at, "%s of \"%s\" leads downwards: from %s to %s",
				  key, body->id, current->id, id);
	else
		*member = id;
}

static int route_body(struct policy_set *set, const struct policy_layer *layer,
		      struct policy_body *body, struct policy_node *node)
{
	route_member(set, body, node, "up", &body->up);
	route_member(set, body, node, "appeal", &body->appeal);
	return 0;
}

static int apply_section(struct policy_set *set, const struct policy_layer *layer,
			 const struct policy_node *section,
			 int (*apply)(struct policy_set *, const struct policy_layer *,
				      struct policy_body *, struct policy_node *))
{
	int r = 0;

	for (size_t i = 0; i < policy_node_count(section, POLICY_MAP) && r == 0; i++) {
		const struct policy_node *key = section->keys[i];
		struct policy_body *body = policy_find_body(set, policy_slice(key->text));

		if (!body)
			policy_report_add(report_of(set), key, "no body \"%s\"", key->text);
		else if (!is_own(layer, body))
			policy_report_add(
				report_of(set), key,
				"\"%s\" is not a body of this layer: its jurisdiction is %s",
				body->id, body->jurisdiction ? body->jurisdiction : "unknown");
		else
			r = apply(set, layer, body, section->items[i]);
	}
	return r;
}

static void check_reference(struct policy_set *set, const struct policy_body *body, const char *key,
			    const char *id, bool is_upwards)
{
	struct policy_node *node = policy_node_get(body->node, key);
	const struct policy_body *other;

	if (!id || (strcmp(key, "appeal") == 0 && strcmp(id, "self") == 0))
		return;
	node = node ? node : body->node;
	other = policy_find_body(set, policy_slice(id));
	if (!other)
		policy_report_once(report_of(set), node, "no body \"%s\"", id);
	else if (other == body)
		policy_report_once(report_of(set), node, "\"%s\" names itself", id);
	else if (is_upwards && other->level < body->level)
		policy_report_once(
			report_of(set), node, "%s of \"%s\" leads downwards: \"%s\" is of level %s",
			key, body->id, id,
			other->level > 0 ? policy_level_words[other->level - 1] : "unknown");
}

/* Lateness and conflicts travel along `up`: it has to end. */
static void check_circle(struct policy_set *set, const struct policy_body *body)
{
	const struct policy_body *at = body;

	for (size_t steps = 0; at && at->up; steps++) {
		if (steps > set->bodies.n_items) {
			policy_report_once(report_of(set), body->node,
					   "the way up from \"%s\" is a circle", body->id);
			return;
		}
		at = policy_find_body(set, policy_slice(at->up));
	}
}

/* wiki, group and region name their place; global and special bodies are everywhere. */
static void check_jurisdiction(struct policy_set *set, const struct policy_body *body)
{
	struct policy_node *node = policy_node_get(body->node, "jurisdiction");
	const char *level = policy_node_get_text(body->node, "level");
	const char *place = body->jurisdiction;
	size_t length;
	bool is_global;

	if (!place || !level || body->level == 0)
		return;
	length = strlen(level);
	is_global = strcmp(place, "global") == 0;
	if (body->level >= 4 ? !is_global
			     : strncmp(place, level, length) != 0 || place[length] != ':') {
		policy_report_add(report_of(set), node,
				  "the jurisdiction %s does not agree with the level %s", place,
				  level);
		return;
	}
	if (!is_global && body->level == 1 && !policy_find_registered(set, policy_slice(place + 5)))
		policy_report_add(report_of(set), node, "no wiki \"%s\" in the registry",
				  place + 5);
	if (!is_global && body->level > 1 && !policy_find_layer(set, place))
		policy_report_add(report_of(set), node, "no layer \"%s\"", place);
	if (!is_own(body->layer, body))
		policy_report_add(report_of(set), node,
				  "a body of this layer has the jurisdiction %s",
				  body->layer->name);
}

static void check_lists(struct policy_set *set, const struct policy_body *body)
{
	for (size_t i = 0; i < body->alternates.n_items; i++)
		check_reference(set, body, "alternates", body->alternates.items[i], false);
	for (size_t i = 0; i < body->languages.n_items; i++) {
		const char *lang = body->languages.items[i];

		if (!policy_find_language(set, policy_slice(lang)))
			policy_report_add(report_of(set), body->node, "no language \"%s\" in base",
					  lang);
	}
}

static void check_body(struct policy_set *set, const struct policy_body *body)
{
	struct policy_node *size = policy_node_get(body->node, "panel_size");

	check_votes(set, body->node);
	check_jurisdiction(set, body);
	check_reference(set, body, "up", body->up, true);
	check_reference(set, body, "appeal", body->appeal, true);
	check_circle(set, body);
	check_lists(set, body);
	if (body->is_panel && strcmp(body->quorum.rule, "fixed") == 0 &&
	    body->quorum.n > body->panel_size)
		policy_report_add(report_of(set), size ? size : body->node,
				  "the panel of \"%s\" has %" PRId64
				  " seats, its quorum is %" PRId64,
				  body->id, body->panel_size, body->quorum.n);
}

int policy_bodies_apply(struct policy_set *set)
{
	int r = 0;

	for (size_t i = 0; i < set->layers.n_items && r == 0; i++) {
		const struct policy_layer *layer = set->layers.items[i];

		for (size_t k = 0; k < layer->files.n_items && r == 0; k++) {
			const struct policy_file *file = layer->files.items[k];
			const struct policy_node *tighten = policy_node_get(file->node, "tighten");
			const struct policy_node *route = policy_node_get(file->node, "route");

			r = apply_section(set, layer, policy_node_get(tighten, "bodies"),
					  tighten_body);
			if (r == 0)
				r = apply_section(set, layer, policy_node_get(route, "bodies"),
						  route_body);
		}
	}
	for (size_t i = 0; i < set->bodies.n_items && r == 0; i++)
		check_body(set, set->bodies.items[i]);
	return r;
}
