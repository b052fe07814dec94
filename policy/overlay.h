#pragma once
/* The operations of one overlay file on a view: tighten, annotate, route, retire. */

#include "policy/model.h"

/* below: what the values are held against; the view itself, or for regions what lies under them. */
int policy_overlay_apply(struct policy_set *set, struct policy_view *view,
			 const struct policy_view *below, const struct policy_layer *layer,
			 const struct policy_file *file);
int policy_view_copy(struct policy_set *set, const struct policy_view *view,
		     struct policy_view **ret_copy);
