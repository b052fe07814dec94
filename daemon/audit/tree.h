#pragma once
/*
 * The Merkle tree of RFC 9162 section 2.1, with SHA-256. Pure arithmetic: leaves and nodes are kept
 * elsewhere. A complete subtree never changes once its last leaf is there, so that those are what
 * is stored, and every root and proof of every size is computed from them.
 */

#include "daemon/base/error.h"

enum {
	TREE_HASH_SIZE = 32,
	TREE_LEVELS_MAX = 48, /* leaves are numbered below 2^48 */
	TREE_PROOF_MAX = TREE_LEVELS_MAX + 1,
};

#define TREE_SIZE_MAX (UINT64_C(1) << TREE_LEVELS_MAX)

enum { TREE_E_WRONG = 1 }; /* the proof does not hold, or is none for these numbers */

struct tree_hash {
	uint8_t at[TREE_HASH_SIZE];
};

/* A complete subtree: leaves index * 2^level to (index + 1) * 2^level - 1. A leaf has level 0. */
struct tree_node {
	unsigned level;
	uint64_t index;
};

/* Leaves begin to end - 1. */
struct tree_range {
	uint64_t begin;
	uint64_t end;
};

/* A tree that grows: its size, and the roots of its complete subtrees, the largest first. */
struct tree {
	uint64_t size;
	unsigned n_peaks;
	struct tree_hash peaks[TREE_LEVELS_MAX];
};

/* clang-format off */
#define TREE_NULL { 0 }
/* clang-format on */

/* tree.c */
int tree_hash_leaf(struct slice leaf, struct tree_hash *ret_hash);
int tree_hash_children(const struct tree_hash *left, const struct tree_hash *right,
		       struct tree_hash *ret_hash);
/* The root over complete subtrees that stand beside each other, the largest first; n = 0: of the
 * empty tree. */
int tree_fold(const struct tree_hash *hashes, size_t n, struct tree_hash *ret_hash);
int tree_get_root(const struct tree *tree, struct tree_hash *ret_root);
/* Every complete subtree that comes into being is told, the leaf itself first. */
int tree_append(struct tree *tree, const struct tree_hash *leaf,
		int (*made)(void *userdata, struct tree_node node, const struct tree_hash *hash),
		void *userdata);
bool tree_hash_equals(const struct tree_hash *a, const struct tree_hash *b);

/* plan.c: which hashes a proof consists of, in its order. */
size_t tree_plan_inclusion(uint64_t index, uint64_t size,
			   struct tree_range ret_ranges[TREE_PROOF_MAX]);
size_t tree_plan_consistency(uint64_t from, uint64_t to,
			     struct tree_range ret_ranges[TREE_PROOF_MAX]);
/* The complete subtrees of a range whose hash is a proof's; tree_fold() makes one of theirs. */
size_t tree_plan_nodes(struct tree_range range, struct tree_node ret_nodes[TREE_LEVELS_MAX]);

/* proof.c */
int tree_verify_inclusion(const struct tree_hash *leaf, uint64_t index, uint64_t size,
			  const struct tree_hash *proof, size_t n_proof,
			  const struct tree_hash *root);
int tree_verify_consistency(uint64_t from, const struct tree_hash *from_root, uint64_t to,
			    const struct tree_hash *to_root, const struct tree_hash *proof,
			    size_t n_proof);
