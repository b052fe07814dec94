/*
 * Makes layers and definitions of the trees: every rule, category, sanction, body, language and
 * interruption once, whoever defines it. Ids are unique over the whole set, so that history can
 * name them without saying which wiki it was.
 */

#include "policy/model.h"

#include <string.h>

typedef int define_function(struct policy_set *set, struct policy_layer *layer,
			    const struct policy_node *key, struct policy_node *node);

static int list_texts(struct policy_set *set, const struct policy_node *node,
		      struct policy_list *list)
{
	int r = 0;

	for (size_t i = 0; i < policy_node_count(node, POLICY_LIST) && r == 0; i++)
		if (policy_node_text(node->items[i]))
			r = policy_list_add(set->arena, list,
					    (void *)(uintptr_t)node->items[i]->text);
	return r;
}

/* An id is new if nobody defined it; else the complaint says where. */
static bool is_new(struct policy_set *set, const struct policy_node *key, const char *what,
		   const struct policy_node *earlier)
{
	if (!earlier)
		return true;
	if (earlier->line == 0)
		policy_report_add(set->source.report, key, "%s \"%s\" exists already", what,
				  key->text);
	else
		policy_report_add(set->source.report, key, "%s \"%s\" exists already: %s:%u", what,
				  key->text, earlier->file, earlier->line);
	return false;
}

/* Lists are unsorted while they grow. */
static void *find_unsorted(const struct policy_list *list, const char *id)
{
	/* Every definition starts with its id. */
	for (size_t i = 0; i < list->n_items; i++)
		if (strcmp(*(const char *const *)list->items[i], id) == 0)
			return list->items[i];
	return NULL;
}

static int define_rule(struct policy_set *set, struct policy_layer *layer,
		       const struct policy_node *key, struct policy_node *node)
{
	struct policy_rule *earlier = find_unsorted(&set->rules, key->text);
	struct policy_node *reference = policy_node_get(node, "reference");
	struct policy_node *severity = policy_node_get(node, "severity_floor");
	struct policy_rule *rule = arena_alloc(set->arena, sizeof(*rule));
	const char *kind = policy_node_get_text(node, "kind");
	size_t length = strlen(layer->id);

	if (!rule)
		return -ENOMEM;
	if (layer->kind != POLICY_LAYER_BASE &&
	    (strncmp(key->text, layer->id, length) != 0 || key->text[length] != '/'))
		policy_report_add(set->source.report, key,
				  "a rule of this layer is named \"%s/…\", not \"%s\"", layer->id,
				  key->text);
	if (!is_new(set, key, "the rule", earlier ? earlier->node : NULL))
		return 0;
	if (kind && strcmp(kind, "unacceptable") == 0 && !severity)
		policy_report_add(set->source.report, node,
				  "unacceptable behaviour needs a \"severity_floor\"");
	if (kind && strcmp(kind, "expected") == 0 && severity)
		policy_report_add(
			set->source.report, severity,
			"expected behaviour has no severity: nothing is sanctioned for it");
	*rule = (struct policy_rule){
		.id = key->text,
		.layer = layer,
		.node = node,
		.section = policy_node_get_text(node, "section"),
		.is_unacceptable = kind && strcmp(kind, "unacceptable") == 0,
		.has_mediation = policy_node_is_true(policy_node_get(node, "mediation"), true),
		.severity = policy_word_find(policy_severity_words, policy_node_text(severity)) + 1,
		.privacy = policy_word_find(policy_privacy_words,
					    policy_node_get_text(node, "privacy_floor")),
		.route = policy_word_find(policy_route_words, policy_node_get_text(node, "route")),
		.reference_url = policy_node_get_text(reference, "url"),
		.reference_section = policy_node_get_text(reference, "section"),
		.title.english = policy_node_get_text(node, "title"),
		.text.english = policy_node_get_text(node, "text"),
	};
	rule->privacy = rule->privacy < 0 ? 0 : rule->privacy;
	rule->route = rule->route < 0 ? 0 : rule->route;
	return policy_list_add(set->arena, &set->rules, rule);
}

static int define_category(struct policy_set *set, struct policy_layer *layer,
			   const struct policy_node *key, struct policy_node *node)
{
	struct policy_category *earlier = find_unsorted(&set->categories, key->text);
	struct policy_category *category = arena_alloc(set->arena, sizeof(*category));
	int r;

	if (!category)
		return -ENOMEM;
	if (!is_new(set, key, "the category", earlier ? earlier->node : NULL))
		return 0;
	*category = (struct policy_category){
		.id = key->text,
		.layer = layer,
		.node = node,
		.harm_type = policy_node_get_text(node, "harm_type"),
		.irs = policy_node_get_text(node, "irs"),
		.is_offered = policy_node_is_true(policy_node_get(node, "offer"), true),
		.title.english = policy_node_get_text(node, "title"),
		.description.english = policy_node_get_text(node, "description"),
	};
	for (size_t i = 0; category->irs && i < set->categories.n_items; i++) {
		const struct policy_category *other = set->categories.items[i];

		if (other->irs && strcmp(other->irs, category->irs) == 0)
			policy_report_add(set->source.report, policy_node_get(node, "irs"),
					  "\"%s\" maps to the category \"%s\" already", other->irs,
					  other->id);
	}
	r = list_texts(set, policy_node_get(node, "rules"), &category->rules);
	return r < 0 ? r : policy_list_add(set->arena, &set->categories, category);
}

static int define_sanction(struct policy_set *set, struct policy_layer *layer,
			   const struct policy_node *key, struct policy_node *node)
{
	struct policy_sanction *earlier = find_unsorted(&set->sanctions, key->text);
	struct policy_sanction *sanction = arena_alloc(set->arena, sizeof(*sanction));
	int r;

	if (!sanction)
		return -ENOMEM;
	if (!is_new(set, key, "the sanction", earlier ? earlier->node : NULL))
		return 0;
	*sanction = (struct policy_sanction){
		.id = key->text,
		.layer = layer,
		.node = node,
		.kind = policy_node_get_text(node, "kind"),
		.max_duration = policy_node_duration(policy_node_get(node, "max_duration"),
						     POLICY_UNLIMITED),
		.local_cap = policy_node_duration(policy_node_get(node, "local_cap"),
						  POLICY_UNLIMITED),
		.title.english = policy_node_get_text(node, "title"),
		.text.english = policy_node_get_text(node, "text"),
	};
	r = list_texts(set, policy_node_get(node, "scopes"), &sanction->scopes);
	return r < 0 ? r : policy_list_add(set->arena, &set->sanctions, sanction);
}

static struct policy_vote read_vote(const struct policy_node *node, const char *otherwise,
				    int64_t n)
{
	const char *rule = policy_node_get_text(node, "rule");

	if (!node)
		return (struct policy_vote){ .rule = otherwise, .n = n };
	return (struct policy_vote){
		.rule = rule ? rule : otherwise,
		.n = policy_node_integer(policy_node_get(node, "n"), 0),
		.voters = policy_node_integer(policy_node_get(node, "voters"), 0),
		.or_majority = policy_node_is_true(policy_node_get(node, "or_majority"), false),
	};
}

static const char *id_or_null(const struct policy_node *node)
{
	return policy_node_is_null(node) ? NULL : policy_node_text(node);
}

static int define_body(struct policy_set *set, struct policy_layer *layer,
		       const struct policy_node *key, struct policy_node *node)
{
	struct policy_body *earlier = find_unsorted(&set->bodies, key->text);
	struct policy_body *body = arena_alloc(set->arena, sizeof(*body));
	const char *decides = policy_node_get_text(node, "decides");
	int r;

	if (!body)
		return -ENOMEM;
	if (!is_new(set, key, "the body", earlier ? earlier->node : NULL))
		return 0;
	if (strcmp(key->text, "self") == 0)
		policy_report_add(set->source.report, key, "\"self\" cannot name a body");
	*body = (struct policy_body){
		.id = key->text,
		.layer = layer,
		.node = node,
		.kind = policy_node_get_text(node, "kind"),
		.level = policy_word_find(policy_level_words, policy_node_get_text(node, "level")) +
			 1,
		.jurisdiction = policy_node_get_text(node, "jurisdiction"),
		.role = policy_node_get_text(node, "role"),
		.is_high_level = policy_node_is_true(policy_node_get(node, "high_level"), false),
		.is_panel = decides && strcmp(decides, "panel") == 0,
		.is_external = policy_node_is_true(policy_node_get(node, "external"), false),
		.panel_size = policy_node_integer(policy_node_get(node, "panel_size"), 3),
		.quorum = read_vote(policy_node_get(node, "quorum"), "fixed", 1),
		.accept = read_vote(policy_node_get(node, "accept"), "none", 0),
		.decide = read_vote(policy_node_get(node, "decide"), "majority", 0),
		.up = id_or_null(policy_node_get(node, "up")),
		.appeal = id_or_null(policy_node_get(node, "appeal")),
		.title.english = policy_node_get_text(node, "title"),
	};
	r = list_texts(set, policy_node_get(node, "alternates"), &body->alternates);
	if (r == 0)
		r = list_texts(set, policy_node_get(node, "languages"), &body->languages);
	return r < 0 ? r : policy_list_add(set->arena, &set->bodies, body);
}

static int define_language(struct policy_set *set, struct policy_layer *layer,
			   const struct policy_node *key, struct policy_node *node)
{
	struct policy_language *earlier = find_unsorted(&set->languages, key->text);
	struct policy_language *language = arena_alloc(set->arena, sizeof(*language));
	const struct policy_node *fallback = policy_node_get(node, "fallback");
	const char *direction = policy_node_get_text(node, "dir");
	int r = 0;

	if (!language)
		return -ENOMEM;
	if (layer->kind != POLICY_LAYER_BASE)
		policy_report_add(set->source.report, key, "only a base layer adds languages");
	if (!is_new(set, key, "the language", earlier ? earlier->node : NULL))
		return 0;
	*language = (struct policy_language){
		.lang = key->text,
		.node = node,
		.is_rtl = direction && strcmp(direction, "rtl") == 0,
		.name = policy_node_get_text(node, "name"),
	};
	for (size_t i = 0; i < policy_node_count(fallback, POLICY_LIST) && r == 0; i++) {
		struct policy_node *item = fallback->items[i];
		const char *lang = policy_node_text(item);

		if (!lang || strcmp(lang, "en") == 0)
			continue;
		if (strcmp(lang, key->text) == 0)
			policy_report_add(set->source.report, item,
					  "a language is not its own fallback");
		else
			r = policy_list_add(set->arena, &language->fallback,
					    (void *)(uintptr_t)lang);
	}
	return r < 0 ? r : policy_list_add(set->arena, &set->languages, language);
}

/* In an overlay the place is the overlay's own; in base it has to be said. */
static int place_interruption(struct policy_set *set, const struct policy_layer *layer,
			      struct policy_interruption *interruption)
{
	struct policy_node *regions = policy_node_get(interruption->node, "regions");
	struct policy_node *wikis = policy_node_get(interruption->node, "wikis");
	int r;

	if (layer->kind == POLICY_LAYER_BASE) {
		r = list_texts(set, regions, &interruption->regions);
		if (r == 0)
			r = list_texts(set, wikis, &interruption->wikis);
		if (r == 0 && interruption->regions.n_items + interruption->wikis.n_items == 0)
			policy_report_add(set->source.report, interruption->node,
					  "an interruption names \"regions\" or \"wikis\"");
		return r;
	}
	if (regions || wikis)
		policy_report_add(set->source.report, regions ? regions : wikis,
				  "an overlay's interruption concerns the overlay itself");
	if (layer->kind == POLICY_LAYER_GROUP)
		policy_report_add(set->source.report, interruption->node,
				  "an interruption belongs to a region or a wiki");
	return policy_list_add(set->arena,
			       layer->kind == POLICY_LAYER_WIKI ? &interruption->wikis
								: &interruption->regions,
			       (void *)(uintptr_t)layer->id);
}

static int define_interruption(struct policy_set *set, struct policy_layer *layer,
			       const struct policy_node *key, struct policy_node *node)
{
	struct policy_interruption *earlier = find_unsorted(&set->interruptions, key->text);
	struct policy_interruption *interruption = arena_alloc(set->arena, sizeof(*interruption));
	struct policy_node *to = policy_node_get(node, "to");
	int r;

	if (!interruption)
		return -ENOMEM;
	if (!is_new(set, key, "the interruption", earlier ? earlier->node : NULL))
		return 0;
	*interruption = (struct policy_interruption){
		.id = key->text,
		.node = node,
		.from = policy_node_get_text(node, "from"),
		.to = policy_node_text(to),
		.reason = policy_node_get_text(node, "reason"),
	};
	if (!policy_time_is_before(interruption->from, interruption->to))
		policy_report_add(set->source.report, to ? to : node,
				  "\"to\" is not after \"from\"");
	r = place_interruption(set, layer, interruption);
	return r < 0 ? r : policy_list_add(set->arena, &set->interruptions, interruption);
}

static const struct {
	const char *section;
	define_function *define;
} sections[] = {
	{ "rules", define_rule },         { "categories", define_category },
	{ "sanctions", define_sanction }, { "bodies", define_body },
	{ "languages", define_language }, { "interruptions", define_interruption },
};

static int define_file(struct policy_set *set, struct policy_layer *layer,
		       const struct policy_file *file)
{
	const struct policy_node *from = policy_file_is_definition(file)
						 ? file->node
						 : policy_node_get(file->node, "add");
	int r = 0;

	for (size_t k = 0; k < ARRAY_SIZE(sections) && r == 0; k++) {
		const struct policy_node *section = policy_node_get(from, sections[k].section);

		for (size_t i = 0; i < policy_node_count(section, POLICY_MAP) && r == 0; i++)
			r = sections[k].define(set, layer, section->keys[i], section->items[i]);
	}
	return r;
}

static int layer_of_file(struct policy_set *set, struct policy_file *file,
			 struct policy_layer **ret_layer)
{
	struct policy_layer *layer = set->layers.n_items
					     ? set->layers.items[set->layers.n_items - 1]
					     : NULL;
	struct policy_node *title = policy_node_get(file->node, "title");
	int r = 0;

	if (!layer || layer->kind != file->layer || strcmp(layer->id, file->id) != 0) {
		layer = arena_alloc(set->arena, sizeof(*layer));
		if (!layer)
			return -ENOMEM;
		layer->kind = file->layer;
		layer->id = file->id;
		layer->name = file->layer == POLICY_LAYER_BASE
				      ? "base"
				      : arena_printf(set->arena, "%s:%s",
						     policy_layer_words[file->layer], file->id);
		r = layer->name ? policy_list_add(set->arena, &set->layers, layer) : -ENOMEM;
	}
	if (policy_node_text(title))
		layer->title.english = title->text;
	if (r == 0)
		r = policy_list_add(set->arena, &layer->files, file);
	*ret_layer = layer;
	return r;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int policy_define(struct policy_set *set)
{
	struct policy_list *const lists[] = { &set->rules,  &set->categories, &set->sanctions,
					      &set->bodies, &set->languages,  &set->interruptions };
	int r = 0;

	for (size_t i = 0; i < set->source.layers.n_items && r == 0; i++) {
		struct policy_file *file = set->source.layers.items[i];
		struct policy_layer *layer = NULL;

		r = layer_of_file(set, file, &layer);
		if (r == 0)
			r = define_file(set, layer, file);
	}
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		policy_list_sort(lists[i], compare_ids);
	return r;
}
