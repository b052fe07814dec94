/* Proofs are verified as RFC 9162 sections 2.1.3.2 and 2.1.4.2 have it, step by step. */

#include "daemon/audit/tree.h"

/* The two numbers that both algorithms walk up the tree with. */
struct climb {
	uint64_t fn;
	uint64_t sn;
};

static void climb_up(struct climb *climb)
{
	climb->fn >>= 1;
	climb->sn >>= 1;
}

/* To where the node is a right child, or the first of its level. */
static void climb_to_right(struct climb *climb)
{
	while (!(climb->fn & 1) && climb->fn != 0)
		climb_up(climb);
}

/* Returns 0, TREE_E_WRONG, or negative. */
int tree_verify_inclusion(const struct tree_hash *leaf, uint64_t index, uint64_t size,
			  const struct tree_hash *proof, size_t n_proof,
			  const struct tree_hash *root)
{
	struct climb climb = { index, size - 1 };
	struct tree_hash hash = *leaf;
	int r = 0;

	if (index >= size || size > TREE_SIZE_MAX)
		return TREE_E_WRONG;
	for (size_t i = 0; r == 0 && i < n_proof; i++) {
		if (climb.sn == 0)
			return TREE_E_WRONG;
		if (climb.fn & 1 || climb.fn == climb.sn) {
			r = tree_hash_children(&proof[i], &hash, &hash);
			climb_to_right(&climb);
		} else {
			r = tree_hash_children(&hash, &proof[i], &hash);
		}
		climb_up(&climb);
	}
	if (r)
		return r;
	return climb.sn == 0 && tree_hash_equals(&hash, root) ? 0 : TREE_E_WRONG;
}

/* The steps behind the first hash, which both trees have. */
static int verify_growth(struct climb climb, const struct tree_hash *first,
			 const struct tree_hash *proof, size_t n_proof,
			 const struct tree_hash *from_root, const struct tree_hash *to_root)
{
	struct tree_hash fr = *first, sr = *first;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n_proof; i++) {
		if (climb.sn == 0)
			return TREE_E_WRONG;
		if (climb.fn & 1 || climb.fn == climb.sn) {
			r = tree_hash_children(&proof[i], &fr, &fr);
			if (r == 0)
				r = tree_hash_children(&proof[i], &sr, &sr);
			climb_to_right(&climb);
		} else {
			r = tree_hash_children(&sr, &proof[i], &sr);
		}
		climb_up(&climb);
	}
	if (r)
		return r;
	return climb.sn == 0 && tree_hash_equals(&fr, from_root) && tree_hash_equals(&sr, to_root)
		       ? 0
		       : TREE_E_WRONG;
}

/*
 * Returns 0, TREE_E_WRONG, or negative. Of nothing every tree is a continuation and of equal sizes
 * the roots are; both proofs are empty, which the RFC leaves to the caller.
 */
int tree_verify_consistency(uint64_t from, const struct tree_hash *from_root, uint64_t to,
			    const struct tree_hash *to_root, const struct tree_hash *proof,
			    size_t n_proof)
{
	struct climb climb = { from - 1, to - 1 };
	bool is_complete = (from & (from - 1)) == 0;
	struct tree_hash empty;
	int r;

	if (from > to || to > TREE_SIZE_MAX)
		return TREE_E_WRONG;
	if (from == 0) {
		r = tree_fold(NULL, 0, &empty);
		if (r)
			return r;
		return n_proof == 0 && tree_hash_equals(from_root, &empty) ? 0 : TREE_E_WRONG;
	}
	if (from == to)
		return n_proof == 0 && tree_hash_equals(from_root, to_root) ? 0 : TREE_E_WRONG;
	if (n_proof == 0)
		return TREE_E_WRONG;
	while (climb.fn & 1)
		climb_up(&climb);
	if (is_complete)
		return verify_growth(climb, from_root, proof, n_proof, from_root, to_root);
	return verify_growth(climb, &proof[0], proof + 1, n_proof - 1, from_root, to_root);
}
