/*
 * The policy of a wiki as readers get it. Normative texts (rules and notes) are chosen by layer
 * first, then by language: a local rule in English comes before somebody else's in the reader's
 * language. Labels are chosen by language first, then by layer. Everything served says which it is.
 */

#include "policy/model.h"

#include <string.h>

static void put(int *r, int result)
{
	if (*r == 0)
		*r = result;
}

static struct value *finish(int r, struct value *value)
{
	return r == 0 ? value : value_free(value);
}

/* The text in exactly that language, or NULL. */
static const char *text_in(const struct policy_text *text, const char *lang, bool *ret_is_reviewed)
{
	if (strcmp(lang, "en") == 0) {
		*ret_is_reviewed = true;
		return text->english;
	}
	for (size_t i = 0; i < text->translations.n_items; i++) {
		const struct policy_translation *translation = text->translations.items[i];

		if (strcmp(translation->lang, lang) == 0) {
			*ret_is_reviewed = translation->is_reviewed;
			return translation->text;
		}
	}
	return NULL;
}

static struct value *served(const struct policy_set *set, const struct policy_chain *chain,
			    const char *text, const char *lang, const struct policy_layer *layer,
			    bool is_reviewed)
{
	struct value *value = value_new_object();
	int r = value ? 0 : -ENOMEM;

	if (r < 0)
		return NULL;
	put(&r, value_set_string(value, "text", text));
	put(&r, value_set_string(value, "lang", lang));
	put(&r, value_set_string(value, "dir", policy_set_is_rtl(set, lang) ? "rtl" : "ltr"));
	put(&r, value_set_string(value, "layer", layer->name));
	put(&r, value_set_boolean(value, "fallback", strcmp(lang, chain->langs[0]) != 0));
	put(&r, value_set_boolean(value, "reviewed", is_reviewed));
	return finish(r, value);
}

/* One layer's text in the best language it has. JSON null when there is no such text. */
static struct value *text_value(const struct policy_set *set, const struct policy_chain *chain,
				const struct policy_text *text, const struct policy_layer *layer)
{
	bool is_reviewed = false;

	for (size_t i = 0; i < chain->n_langs; i++) {
		const char *found = text_in(text, chain->langs[i], &is_reviewed);

		if (found)
			return served(set, chain, found, chain->langs[i], layer, is_reviewed);
	}
	return value_new_null();
}

/* A label: the best language that any layer has, the most local layer within it. */
static struct value *label_value(const struct policy_set *set, const struct policy_view *view,
				 const struct policy_chain *chain, enum policy_noted kind,
				 const char *id, const struct policy_text *text,
				 const struct policy_layer *definer)
{
	bool is_reviewed = false;
	const char *found;

	for (size_t i = 0; i < chain->n_langs; i++) {
		const char *lang = chain->langs[i];

		for (size_t k = view->layers.n_items; k-- > 0;) {
			const struct policy_layer *layer = view->layers.items[k];
			const struct policy_note *note = policy_layer_find_note(layer, kind, id);

			found = note ? text_in(&note->text, lang, &is_reviewed) : NULL;
			if (found)
				return served(set, chain, found, lang, layer, is_reviewed);
		}
		found = text_in(text, lang, &is_reviewed);
		if (found)
			return served(set, chain, found, lang, definer, is_reviewed);
	}
	return value_new_null();
}

/* What layers say to a rule, most local first. */
static struct value *notes_value(const struct policy_set *set, const struct policy_view *view,
				 const struct policy_chain *chain, const char *id)
{
	struct value *notes = value_new_array();
	int r = notes ? 0 : -ENOMEM;

	for (size_t k = view->layers.n_items; k-- > 0 && r == 0;) {
		const struct policy_layer *layer = view->layers.items[k];
		const struct policy_note *note = policy_layer_find_note(layer, POLICY_NOTE_RULE,
									id);

		if (note)
			r = value_append_take(notes, text_value(set, chain, &note->text, layer));
	}
	return finish(r, notes);
}

static struct value *reference_value(const struct policy_rule *rule)
{
	struct value *reference;
	int r;

	if (!rule->reference_url)
		return value_new_null();
	reference = value_new_object();
	r = reference ? value_set_string(reference, "url", rule->reference_url) : -ENOMEM;
	if (r == 0)
		r = value_set_string(reference, "section", rule->reference_section);
	return finish(r, reference);
}

static struct value *rule_value(const struct policy_set *set, const struct policy_view *view,
				const struct policy_chain *chain,
				const struct policy_view_rule *item)
{
	const struct policy_rule *rule = item->rule;
	struct value *value = value_new_object();
	int r = value ? 0 : -ENOMEM;

	if (r < 0)
		return NULL;
	put(&r, value_set_string(value, "id", rule->id));
	put(&r, value_set_string(value, "section", rule->section));
	put(&r,
	    value_set_string(value, "kind", rule->is_unacceptable ? "unacceptable" : "expected"));
	put(&r,
	    value_set_string(value, "severity_floor",
			     item->severity ? policy_severity_words[item->severity - 1] : NULL));
	put(&r, value_set_string(value, "privacy_floor", policy_privacy_words[item->privacy]));
	put(&r, value_set_string(value, "route", policy_route_words[item->route]));
	put(&r, value_set_boolean(value, "mediation", item->has_mediation));
	put(&r, value_set_string(value, "layer", rule->layer->name));
	put(&r, value_set_take(value, "title", text_value(set, chain, &rule->title, rule->layer)));
	put(&r, value_set_take(value, "text", text_value(set, chain, &rule->text, rule->layer)));
	put(&r, value_set_take(value, "notes", notes_value(set, view, chain, rule->id)));
	put(&r, value_set_take(value, "reference", reference_value(rule)));
	return finish(r, value);
}

static struct value *category_value(const struct policy_set *set, const struct policy_view *view,
				    const struct policy_chain *chain,
				    const struct policy_view_category *item)
{
	const struct policy_category *category = item->category;
	struct value *value = value_new_object();
	int r = value ? 0 : -ENOMEM;

	if (r < 0)
		return NULL;
	put(&r, value_set_string(value, "id", category->id));
	put(&r, value_set_string(value, "layer", category->layer->name));
	put(&r, value_set_take(value, "title",
			       label_value(set, view, chain, POLICY_NOTE_CATEGORY, category->id,
					   &category->title, category->layer)));
	put(&r, value_set_take(value, "description",
			       text_value(set, chain, &category->description, category->layer)));
	put(&r, value_set_take(value, "rules", policy_category_rules(view, item)));
	put(&r, value_set_string(value, "harm_type", category->harm_type));
	put(&r, value_set_string(value, "irs", category->irs));
	return finish(r, value);
}

static struct value *duration_value(int64_t seconds)
{
	return seconds == POLICY_UNLIMITED ? value_new_null() : value_new_integer(seconds);
}

static struct value *sanction_value(const struct policy_set *set, const struct policy_view *view,
				    const struct policy_chain *chain,
				    const struct policy_view_sanction *item)
{
	const struct policy_sanction *sanction = item->sanction;
	struct value *value = value_new_object(), *scopes = value_new_array();
	int r = value && scopes ? 0 : -ENOMEM;

	for (size_t i = 0; i < sanction->scopes.n_items && r == 0; i++)
		r = value_append_take(scopes, value_new_string(sanction->scopes.items[i]));
	if (r < 0) {
		value_free(scopes);
		return value_free(value);
	}
	put(&r, value_set_take(value, "scopes", scopes));
	put(&r, value_set_string(value, "id", sanction->id));
	put(&r, value_set_string(value, "kind", sanction->kind));
	put(&r, value_set_string(value, "layer", sanction->layer->name));
	put(&r, value_set_take(value, "title",
			       label_value(set, view, chain, POLICY_NOTE_SANCTION, sanction->id,
					   &sanction->title, sanction->layer)));
	put(&r, value_set_take(value, "text",
			       text_value(set, chain, &sanction->text, sanction->layer)));
	put(&r, value_set_take(value, "max_duration", duration_value(item->max_duration)));
	put(&r, value_set_take(value, "local_cap", duration_value(item->local_cap)));
	return finish(r, value);
}

static int put_rules(const struct policy_set *set, const struct policy_view *view,
		     const struct policy_chain *chain, struct value *root)
{
	struct value *rules = value_new_array();
	int r = value_set_take(root, "rules", rules);

	for (size_t i = 0; i < view->rules.n_items && r == 0; i++) {
		const struct policy_view_rule *item = view->rules.items[i];

		if (!item->is_retired)
			r = value_append_take(rules, rule_value(set, view, chain, item));
	}
	return r;
}

static int put_categories(const struct policy_set *set, const struct policy_view *view,
			  const struct policy_chain *chain, struct value *root)
{
	struct value *categories = value_new_array();
	int r = value_set_take(root, "categories", categories);

	for (size_t i = 0; i < view->categories.n_items && r == 0; i++) {
		const struct policy_view_category *item = view->categories.items[i];

		if (!item->is_retired && item->is_offered)
			r = value_append_take(categories, category_value(set, view, chain, item));
	}
	return r;
}

static int put_sanctions(const struct policy_set *set, const struct policy_view *view,
			 const struct policy_chain *chain, struct value *root)
{
	struct value *sanctions = value_new_array();
	int r = value_set_take(root, "sanctions", sanctions);

	for (size_t i = 0; i < view->sanctions.n_items && r == 0; i++) {
		const struct policy_view_sanction *item = view->sanctions.items[i];

		if (!item->is_retired)
			r = value_append_take(sanctions, sanction_value(set, view, chain, item));
	}
	return r;
}

static int put_head(const struct policy_set *set, const struct policy_wiki *wiki,
		    const struct policy_view *view, const struct policy_chain *chain,
		    struct value *root)
{
	struct value *layers = value_new_array();
	int r = value_set_take(root, "layers", layers);

	for (size_t i = 0; i < view->layers.n_items && r == 0; i++)
		r = value_append_take(
			layers,
			value_new_string(
				((const struct policy_layer *)view->layers.items[i])->name));
	put(&r, value_set_string(root, "version", set->version));
	put(&r, value_set_integer(root, "revision", set->source.revision));
	put(&r, value_set_string(root, "wiki", wiki ? wiki->dbname : NULL));
	put(&r, value_set_string(root, "lang", chain->langs[0]));
	return r;
}

int policy_set_render(const struct policy_set *set, const struct policy_wiki *wiki,
		      const struct policy_chain *chain, struct value **ret_value)
{
	const struct policy_view *view = policy_view_of(set, wiki);
	struct value *root = value_new_object();
	int r = root ? put_head(set, wiki, view, chain, root) : -ENOMEM;

	if (r == 0)
		r = put_rules(set, view, chain, root);
	if (r == 0)
		r = put_categories(set, view, chain, root);
	if (r == 0)
		r = value_set_take(root, "procedure", policy_procedure_value(view));
	if (r == 0)
		r = put_sanctions(set, view, chain, root);
	if (r < 0) {
		value_free(root);
		return r;
	}
	*ret_value = root;
	return 0;
}

int policy_set_render_rule(const struct policy_set *set, const struct policy_wiki *wiki,
			   const struct policy_chain *chain, struct slice rule,
			   struct value **ret_value)
{
	const struct policy_view *view = policy_view_of(set, wiki);
	const struct policy_view_rule *item = policy_view_find_rule(view, rule);
	struct value *value;
	int r;

	if (!item)
		return POLICY_E_ABSENT;
	value = rule_value(set, view, chain, item);
	if (!value)
		return -ENOMEM;
	r = put_head(set, wiki, view, chain, value);
	if (r < 0) {
		value_free(value);
		return r;
	}
	*ret_value = value;
	return 0;
}

int policy_set_body_title(const struct policy_set *set, struct slice body,
			  const struct policy_chain *chain, struct value **ret_text)
{
	const struct policy_body *found = policy_find_body(set, body);
	struct value *value;

	if (!found)
		return POLICY_E_ABSENT;
	value = text_value(set, chain, &found->title, found->layer);
	if (!value)
		return -ENOMEM;
	*ret_text = value;
	return 0;
}
