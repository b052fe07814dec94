#pragma once
/* What a set holds, once read: definitions, layers, languages, wikis, and what each wiki sees. */

#include "policy/procedure.h"
#include "policy/set.h"
#include "policy/source.h"
#include "policy/tables.h"

/* One text in English and what it is in other languages. */
struct policy_translation {
	const char *lang;
	const char *text;
	bool is_reviewed;
};

struct policy_text {
	const char *english;
	struct policy_list translations; /* of struct policy_translation, sorted by language */
};

/* A layer over all directories: base, region:x, group:x, wiki:x. */
struct policy_layer {
	enum policy_layer_kind kind;
	const char *id;
	const char *name; /* "base", "wiki:dewiki" */
	struct policy_text title;
	struct policy_list files; /* of struct policy_file, by directory */
	struct policy_list notes; /* of struct policy_note: on rules, categories, sanctions */
};

enum policy_noted { POLICY_NOTE_RULE, POLICY_NOTE_CATEGORY, POLICY_NOTE_SANCTION };

struct policy_note {
	enum policy_noted kind;
	const char *id; /* of what it is about */
	struct policy_text text;
	struct policy_node *node;
};

struct policy_rule {
	const char *id;
	const struct policy_layer *layer;
	struct policy_node *node;
	const char *section;
	bool is_unacceptable;
	bool has_mediation;
	int severity; /* 1..4; 0: expected behaviour has none */
	int privacy;  /* index of policy_privacy_words */
	int route;    /* index of policy_route_words */
	const char *reference_url;
	const char *reference_section;
	struct policy_text title;
	struct policy_text text;
};

struct policy_category {
	const char *id;
	const struct policy_layer *layer;
	struct policy_node *node;
	const char *harm_type;
	const char *irs;
	bool is_offered;
	struct policy_list rules; /* of const char */
	struct policy_text title;
	struct policy_text description;
};

enum { POLICY_UNLIMITED = -1 };

struct policy_sanction {
	const char *id;
	const struct policy_layer *layer;
	struct policy_node *node;
	const char *kind;
	struct policy_list scopes; /* of const char */
	int64_t max_duration;      /* seconds or POLICY_UNLIMITED */
	int64_t local_cap;
	struct policy_text title;
	struct policy_text text;
};

struct policy_vote {
	const char *rule;
	int64_t n; /* 0: not given */
	int64_t voters;
	bool or_majority;
};

struct policy_body {
	const char *id;
	const struct policy_layer *layer;
	struct policy_node *node;
	const char *kind;
	int level; /* 1..5 */
	const char *jurisdiction;
	const char *role;
	bool is_high_level;
	bool is_panel;
	bool is_external;
	int64_t panel_size;
	struct policy_vote quorum;
	struct policy_vote accept;
	struct policy_vote decide;
	const char *up;     /* NULL: none */
	const char *appeal; /* NULL: none; "self" */
	struct policy_list alternates;
	struct policy_list languages;
	struct policy_text title;
};

struct policy_language {
	const char *lang;
	bool is_rtl;
	const char *name;
	struct policy_list fallback; /* of const char, without en */
	struct policy_node *node;
};

struct policy_interruption {
	const char *id;
	const char *from;
	const char *to;
	const char *reason;
	struct policy_list regions;
	struct policy_list wikis;
	struct policy_node *node;
};

/* What is in force after the layers of one chain lay on each other. */
struct policy_view_rule {
	const struct policy_rule *rule;
	int severity;
	int privacy;
	int route;
	bool has_mediation;
	bool is_retired;
};

struct policy_view_category {
	const struct policy_category *category;
	struct policy_list rules;
	bool is_offered;
	bool is_retired;
};

struct policy_view_sanction {
	const struct policy_sanction *sanction;
	int64_t max_duration;
	int64_t local_cap;
	bool is_retired;
};

struct policy_view {
	const char *name;          /* names of the layers, joined: equal chains share a view */
	struct policy_list layers; /* of struct policy_layer, base first */
	struct policy_list rules;  /* of struct policy_view_rule, sorted by id; so the others */
	struct policy_list categories;
	struct policy_list sanctions;
	int64_t limits[POLICY_N_LIMITS];
	const char *routes[POLICY_N_ROUTES];
	const char *profile;
};

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

int policy_view_new(struct policy_set *set, const struct policy_list *layers,
		    const struct policy_view **ret_view);
