/*
 * A host that signs or follows checkpoints trusts its own head file alone. The last checkpoint is
 * proved to begin with the head where it is newer; where the head is newer (the host stopped
 * between writing it and publishing), the leaves behind the checkpoint have to grow to it.
 */

#include "daemon/audit/follow.h"

#include <string.h>

static bool is_last_newer(const struct follow *follow)
{
	return follow->has_last && follow->last.size > follow->head.size;
}

static size_t plan_range(struct tree_range range, struct tree_node *nodes)
{
	struct tree_node planned[TREE_LEVELS_MAX];
	size_t n = tree_plan_nodes(range, planned);

	memcpy(nodes, planned, n * sizeof(*nodes));
	return n;
}

/* Returns 0 or a FOLLOW_E_…. Without a head file a log that has no checkpoint yet is begun. */
int follow_plan(struct follow *follow)
{
	struct tree_range ranges[TREE_PROOF_MAX];
	size_t n_ranges = 0;

	follow->n_nodes = 0;
	follow->n_peaks = 0;
	if (!follow->has_head && follow->has_last)
		return FOLLOW_E_ADOPT;
	if ((follow->has_head && strcmp(follow->head.origin, follow->origin) != 0) ||
	    (follow->has_last && strcmp(follow->last.origin, follow->origin) != 0))
		return FOLLOW_E_OTHER;
	if ((follow->has_head && follow->size < follow->head.size) ||
	    (follow->has_last && follow->size < follow->last.size))
		return FOLLOW_E_SMALLER;
	if (follow->has_last)
		follow->n_peaks = plan_range((struct tree_range){ 0, follow->last.size },
					     follow->nodes);
	follow->n_nodes = follow->n_peaks;
	if (is_last_newer(follow) && follow->head.size > 0)
		n_ranges = tree_plan_consistency(follow->head.size, follow->last.size, ranges);
	for (size_t i = 0; i < n_ranges; i++)
		follow->n_nodes += plan_range(ranges[i], follow->nodes + follow->n_nodes);
	return 0;
}

/* The hashes of the proof's ranges, from those of their subtrees. */
static int check_growth(const struct follow *follow, const struct tree_hash *hashes)
{
	struct tree_range ranges[TREE_PROOF_MAX];
	struct tree_hash proof[TREE_PROOF_MAX];
	size_t n = tree_plan_consistency(follow->head.size, follow->last.size, ranges);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct tree_node nodes[TREE_LEVELS_MAX];
		size_t n_nodes = tree_plan_nodes(ranges[i], nodes);

		r = tree_fold(hashes, n_nodes, &proof[i]);
		hashes += n_nodes;
	}
	if (r == 0)
		r = tree_verify_consistency(follow->head.size, &follow->head.root,
					    follow->last.size, &follow->last.root, proof, n);
	return r > 0 ? FOLLOW_E_DIVERGED : r;
}

/* hashes: of follow->nodes, in their order. Returns 0, FOLLOW_E_DIVERGED, or negative. */
int follow_check(const struct follow *follow, const struct tree_hash *hashes, struct tree *ret_tree)
{
	struct tree tree = TREE_NULL;
	struct tree_hash root;
	int r = 0;

	if (follow->has_last) {
		tree.size = follow->last.size;
		tree.n_peaks = (unsigned)follow->n_peaks;
		memcpy(tree.peaks, hashes, follow->n_peaks * sizeof(*hashes));
		r = tree_get_root(&tree, &root);
		if (r == 0 && !tree_hash_equals(&root, &follow->last.root))
			r = FOLLOW_E_DIVERGED;
	}
	if (r == 0 && is_last_newer(follow) && follow->head.size > 0)
		r = check_growth(follow, hashes + follow->n_peaks);
	if (r == 0)
		r = follow_check_head(follow, &tree);
	if (r == 0)
		*ret_tree = tree;
	return r;
}

/* Returns 0 (also for a tree of another size), FOLLOW_E_DIVERGED, or negative. */
int follow_check_head(const struct follow *follow, const struct tree *tree)
{
	struct tree_hash root;
	int r;

	if (!follow->has_head || tree->size != follow->head.size)
		return 0;
	r = tree_get_root(tree, &root);
	if (r)
		return r;
	return tree_hash_equals(&root, &follow->head.root) ? 0 : FOLLOW_E_DIVERGED;
}

const char *follow_explain(int outcome)
{
	switch (outcome) {
	case 0:
		return "in order";
	case FOLLOW_E_ADOPT:
		return "this host has no head file, but the log has begun: look at it with "
		       "`conductctl audit verify`, then run `conductctl audit adopt`";
	case FOLLOW_E_OTHER:
		return "the head file is that of another log: restore this host's own";
	case FOLLOW_E_SMALLER:
		return "the database has less of the log than this host has seen: data was lost; "
		       "restore what is newer or, if that is gone for good, move the head file "
		       "away and run `conductctl audit adopt`";
	case FOLLOW_E_DIVERGED:
		return "the log in the database is not the one that was signed: it was changed; "
		       "compare it with `conductctl audit verify`";
	default:
		return "it could not be checked";
	}
}
