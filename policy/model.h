#pragma once
/* What a set holds, once read: what its files define, its wikis, and what each wiki sees. */

#include "policy/set.h"
#include "policy/view.h"

struct policy_registered {
	struct policy_wiki wiki;
	struct policy_list nodes; /* of struct policy_node: entries, by directory */
	size_t directory;         /* of the last of them */
	const struct policy_view *view;
};

struct policy_set {
	unsigned n_references;
	struct arena *arena;
	struct policy_source source;
	char version[POLICY_VERSION_LENGTH + 1];
	struct buffer canonical;
	struct buffer effective;
	struct policy_list layers; /* of struct policy_layer, in order */
	struct policy_list rules;  /* definitions, sorted by id */
	struct policy_list categories;
	struct policy_list sanctions;
	struct policy_list bodies;
	struct policy_list languages;
	struct policy_list interruptions;
	struct policy_list wikis; /* of struct policy_registered, sorted by dbname */
	struct policy_list views;
	struct policy_list profiles;    /* of struct policy_view: one for each profile */
	const struct policy_view *base; /* base alone */
};

struct policy_layer *policy_find_layer(const struct policy_set *set, const char *name);
struct policy_rule *policy_find_rule(const struct policy_set *set, struct slice id);
struct policy_category *policy_find_category(const struct policy_set *set, struct slice id);
struct policy_sanction *policy_find_sanction(const struct policy_set *set, struct slice id);
struct policy_body *policy_find_body(const struct policy_set *set, struct slice id);
struct policy_language *policy_find_language(const struct policy_set *set, struct slice lang);
struct policy_registered *policy_find_registered(const struct policy_set *set, struct slice dbname);
struct policy_view_rule *policy_view_find_rule(const struct policy_view *view, struct slice id);
struct policy_view_category *policy_view_find_category(const struct policy_view *view,
						       struct slice id);
struct policy_view_sanction *policy_view_find_sanction(const struct policy_view *view,
						       struct slice id);
const struct policy_note *policy_layer_find_note(const struct policy_layer *layer,
						 enum policy_noted kind, const char *id);
struct slice policy_slice(const char *text);
bool policy_slice_equals(struct slice slice, const char *text);
struct value *policy_category_rules(const struct policy_view *view,
				    const struct policy_view_category *category);
struct value *policy_procedure_value(const struct policy_view *view);
const struct policy_view *policy_view_of(const struct policy_set *set,
					 const struct policy_wiki *wiki);

/* The steps of loading, in this order; complaints go to the source's report. */
int policy_define(struct policy_set *set); /* layers and what they define */
int policy_registry_read(struct policy_set *set);
int policy_bodies_apply(struct policy_set *set);   /* what overlays make of bodies; checks them */
int policy_registry_check(struct policy_set *set); /* bodies of wikis, places */
int policy_notes_read(struct policy_set *set);     /* what overlays annotate */
int policy_translate(struct policy_set *set);      /* the lang files */
int policy_views_make(struct policy_set *set);     /* the layers of each wiki on each other */
int policy_canonical_write(struct policy_set *set);
int policy_effective_write(struct policy_set *set); /* needs no complaint to stand */
