#pragma once
/* What the wikis see: definitions as the layers of one chain leave them. */

#include "policy/define.h"
#include "policy/procedure.h"
#include "policy/tables.h"

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

struct policy_set;

/* The view of a chain of layers, base first; equal chains share one. 0 or -errno. */
int policy_view_new(struct policy_set *set, const struct policy_list *layers,
		    const struct policy_view **ret_view);
