#pragma once
/* What the files of a set define: layers, rules, categories, sanctions, bodies, languages. */

#include "policy/source.h"

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
