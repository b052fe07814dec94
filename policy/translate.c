/*
 * What overlays annotate, and what the lang files say in other languages. A translation is display:
 * the English prevails, so a text without English, or with other placeholders, is refused.
 */

#include "policy/model.h"

#include <string.h>

#include "policy/message.h"

/* Where a lang file's entry goes: up to two texts by the names of their keys. */
struct target {
	const char *names[2];
	struct policy_text *texts[2];
};

static int note_add(struct policy_set *set, struct policy_layer *layer, enum policy_noted kind,
		    const struct policy_node *key, struct policy_node *node)
{
	const char *member = kind == POLICY_NOTE_RULE ? "text" : "title";
	const struct policy_note *earlier = policy_layer_find_note(layer, kind, key->text);
	struct policy_note *note = arena_alloc(set->arena, sizeof(*note));

	if (!note)
		return -ENOMEM;
	if (earlier) {
		policy_report_add(set->source.report, key, "\"%s\" is annotated already: %s:%u",
				  key->text, earlier->node->file, earlier->node->line);
		return 0;
	}
	*note = (struct policy_note){ .kind = kind,
				      .id = key->text,
				      .text.english = policy_node_get_text(node, member),
				      .node = node };
	return policy_list_add(set->arena, &layer->notes, note);
}

int policy_notes_read(struct policy_set *set)
{
	static const char *const sections[] = { [POLICY_NOTE_RULE] = "rules",
						[POLICY_NOTE_CATEGORY] = "categories",
						[POLICY_NOTE_SANCTION] = "sanctions" };
	int r = 0;

	for (size_t i = 0; i < set->source.layers.n_items; i++) {
		const struct policy_file *file = set->source.layers.items[i];
		const struct policy_node *annotate = policy_node_get(file->node, "annotate");
		struct policy_layer *layer = NULL;

		for (size_t k = 0; k < set->layers.n_items && annotate; k++) {
			layer = set->layers.items[k];
			if (layer->kind == file->layer && strcmp(layer->id, file->id) == 0)
				break;
		}
		for (size_t k = 0; k < ARRAY_SIZE(sections); k++) {
			const struct policy_node *section = policy_node_get(annotate, sections[k]);

			for (size_t j = 0; j < policy_node_count(section, POLICY_MAP) && r == 0;
			     j++)
				r = note_add(set, layer, (enum policy_noted)k, section->keys[j],
					     section->items[j]);
		}
	}
	return r;
}

static void check_placeholders(struct policy_set *set, const char *english,
			       const struct policy_node *node)
{
	struct policy_message wanted, found;
	char wanted_text[256], found_text[256];
	const char *complaint;

	if (policy_message_read(english, &wanted, &complaint) != 0 ||
	    policy_message_read(node->text, &found, &complaint) != 0 ||
	    policy_message_equals(&wanted, &found))
		return;
	policy_message_print(&wanted, wanted_text, sizeof(wanted_text));
	policy_message_print(&found, found_text, sizeof(found_text));
	policy_report_add(set->source.report, node,
			  "the placeholders differ from English: %s, English has %s", found_text,
			  wanted_text);
}

static int text_translate(struct policy_set *set, struct policy_text *text, const char *lang,
			  struct policy_node *node, bool is_reviewed)
{
	struct policy_list *list = &text->translations;
	struct policy_translation *last = list->n_items ? list->items[list->n_items - 1] : NULL;

	if (!policy_node_text(node))
		return 0;
	if (!text->english) {
		policy_report_add(set->source.report, node,
				  "there is no English text that this translates");
		return 0;
	}
	check_placeholders(set, text->english, node);
	/* Files come sorted by language, so a later directory's entry meets the earlier one last.
	 */
	if (!last || strcmp(last->lang, lang) != 0) {
		last = arena_alloc(set->arena, sizeof(*last));
		if (!last || policy_list_add(set->arena, list, last) < 0)
			return -ENOMEM;
	}
	*last = (struct policy_translation){ lang, node->text, is_reviewed };
	return 0;
}

static int entry_translate(struct policy_set *set, const struct target *target, const char *lang,
			   const struct policy_node *entry, bool is_reviewed)
{
	int r = 0;

	is_reviewed = policy_node_is_true(policy_node_get(entry, "reviewed"), is_reviewed);
	for (size_t i = 0; i < ARRAY_SIZE(target->names) && target->names[i] && r == 0; i++)
		r = text_translate(set, target->texts[i], lang,
				   policy_node_get(entry, target->names[i]), is_reviewed);
	return r;
}

/* False: nothing of that id. */
static bool find_target(struct policy_set *set, const char *section, const char *id,
			struct target *ret_target)
{
	struct target target = { .names = { "title" } };

	if (strcmp(section, "rules") == 0) {
		struct policy_rule *rule = policy_find_rule(set, policy_slice(id));

		if (!rule)
			return false;
		target = (struct target){ { "title", "text" }, { &rule->title, &rule->text } };
	} else if (strcmp(section, "categories") == 0) {
		struct policy_category *category = policy_find_category(set, policy_slice(id));

		if (!category)
			return false;
		target = (struct target){ { "title", "description" },
					  { &category->title, &category->description } };
	} else if (strcmp(section, "sanctions") == 0) {
		struct policy_sanction *sanction = policy_find_sanction(set, policy_slice(id));

		if (!sanction)
			return false;
		target = (struct target){ { "title", "text" },
					  { &sanction->title, &sanction->text } };
	} else {
		struct policy_body *body = policy_find_body(set, policy_slice(id));

		if (!body)
			return false;
		target.texts[0] = &body->title;
	}
	*ret_target = target;
	return true;
}

static int section_translate(struct policy_set *set, const struct policy_node *file,
			     const char *section, const char *lang, bool is_reviewed)
{
	const struct policy_node *entries = policy_node_get(file, section);
	int r = 0;

	for (size_t i = 0; i < policy_node_count(entries, POLICY_MAP) && r == 0; i++) {
		const struct policy_node *key = entries->keys[i];
		struct target target;

		if (find_target(set, section, key->text, &target))
			r = entry_translate(set, &target, lang, entries->items[i], is_reviewed);
		else
			policy_report_add(set->source.report, key,
					  "there is no \"%s\" in %s of this set", key->text,
					  section);
	}
	return r;
}

static int notes_translate(struct policy_set *set, struct policy_layer *layer,
			   const struct policy_node *entry, const char *lang, bool is_reviewed)
{
	static const char *const sections[] = { "rules", "categories", "sanctions" };
	int r = text_translate(set, &layer->title, lang, policy_node_get(entry, "title"),
			       is_reviewed);

	for (size_t k = 0; k < ARRAY_SIZE(sections); k++) {
		const struct policy_node *section = policy_node_get(entry, sections[k]);

		for (size_t i = 0; i < policy_node_count(section, POLICY_MAP) && r == 0; i++) {
			const struct policy_node *key = section->keys[i];
			struct target target = { .names = { k == 0 ? "text" : "title" } };
			/* The layer is ours to change while the set is being made. */
			struct policy_note *note = (struct policy_note *)(uintptr_t)
				policy_layer_find_note(layer, (enum policy_noted)k, key->text);

			if (!note) {
				policy_report_add(set->source.report, key,
						  "%s annotates no \"%s\" in %s", layer->name,
						  key->text, sections[k]);
				continue;
			}
			target.texts[0] = &note->text;
			r = entry_translate(set, &target, lang, section->items[i], is_reviewed);
		}
	}
	return r;
}

static int file_translate(struct policy_set *set, const struct policy_file *file)
{
	static const char *const sections[] = { "rules", "categories", "sanctions", "bodies" };
	const struct policy_node *layers = policy_node_get(file->node, "layers");
	struct policy_node *lang = policy_node_get(file->node, "language");
	bool is_reviewed = policy_node_is_true(policy_node_get(file->node, "reviewed"), false);
	int r = 0;

	if (strcmp(file->id, "en") == 0)
		policy_report_add(set->source.report, lang ? lang : file->node,
				  "English stands in the layer files, not in lang/");
	else if (!policy_find_language(set, policy_slice(file->id)))
		policy_report_add(set->source.report, lang ? lang : file->node,
				  "no language \"%s\" in base", file->id);
	for (size_t i = 0; i < ARRAY_SIZE(sections) && r == 0; i++)
		r = section_translate(set, file->node, sections[i], file->id, is_reviewed);
	for (size_t i = 0; i < policy_node_count(layers, POLICY_MAP) && r == 0; i++) {
		const struct policy_node *key = layers->keys[i];
		struct policy_layer *layer = policy_find_layer(
			set, strcmp(key->text, "base:base") == 0 ? "base" : key->text);

		if (layer)
			r = notes_translate(set, layer, layers->items[i], file->id, is_reviewed);
		else
			policy_report_add(set->source.report, key, "no layer \"%s\" in this set",
					  key->text);
	}
	return r;
}

static void check_fallbacks(struct policy_set *set)
{
	if (!policy_find_language(set, policy_slice("en")) && set->source.layers.n_items > 0) {
		const struct policy_file *base = set->source.layers.items[0];
		const struct policy_node *languages = policy_node_get(base->node, "languages");

		policy_report_add(set->source.report, languages ? languages : base->node,
				  "the language \"en\" is missing: every fallback ends there");
	}
	for (size_t i = 0; i < set->languages.n_items; i++) {
		const struct policy_language *language = set->languages.items[i];

		for (size_t k = 0; k < language->fallback.n_items; k++)
			if (!policy_find_language(set, policy_slice(language->fallback.items[k])))
				policy_report_add(set->source.report, language->node,
						  "no language \"%s\" to fall back to",
						  (const char *)language->fallback.items[k]);
	}
}

int policy_translate(struct policy_set *set)
{
	int r = 0;

	check_fallbacks(set);
	for (size_t i = 0; i < set->source.langs.n_items && r == 0; i++)
		r = file_translate(set, set->source.langs.items[i]);
	return r;
}
