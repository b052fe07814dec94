#pragma once
/* A tree for tests: every complete subtree it has ever had, and proofs made of those. */

#include "tests/unit/suite.h"

#include "daemon/audit/tree.h"

enum { GROW_LEVELS = 12, GROW_MAX = 1 << (GROW_LEVELS - 1) };

struct grow {
	struct tree tree;
	struct tree_hash nodes[GROW_LEVELS][GROW_MAX];
	struct tree_hash roots[GROW_MAX + 1]; /* of each size */
};

static inline int grow_keep(void *userdata, struct tree_node node, const struct tree_hash *hash)
{
	struct grow *grow = userdata;

	grow->nodes[node.level][node.index] = *hash;
	return 0;
}

static inline void grow_leaf(struct grow *grow, struct slice leaf)
{
	struct tree_hash hash;

	ck_assert_int_eq(tree_hash_leaf(leaf, &hash), 0);
	ck_assert_int_eq(tree_append(&grow->tree, &hash, grow_keep, grow), 0);
	ck_assert_int_eq(tree_get_root(&grow->tree, &grow->roots[grow->tree.size]), 0);
}

/* n leaves, which are the numbers from 0. */
static inline struct grow *grow_new(uint32_t n)
{
	struct grow *grow = calloc(1, sizeof(*grow));

	ck_assert_ptr_nonnull(grow);
	ck_assert_int_eq(tree_get_root(&grow->tree, &grow->roots[0]), 0);
	for (uint32_t i = 0; i < n; i++)
		grow_leaf(grow, (struct slice){ (const char *)&i, sizeof(i) });
	return grow;
}

static inline size_t grow_read(const struct grow *grow, const struct tree_range *ranges, size_t n,
			       struct tree_hash *ret_hashes)
{
	for (size_t i = 0; i < n; i++) {
		struct tree_node nodes[TREE_LEVELS_MAX];
		struct tree_hash parts[TREE_LEVELS_MAX];
		size_t n_nodes = tree_plan_nodes(ranges[i], nodes);

		for (size_t j = 0; j < n_nodes; j++)
			parts[j] = grow->nodes[nodes[j].level][nodes[j].index];
		ck_assert_int_eq(tree_fold(parts, n_nodes, &ret_hashes[i]), 0);
	}
	return n;
}

static inline size_t grow_prove(const struct grow *grow, uint64_t index, uint64_t size,
				struct tree_hash ret_proof[TREE_PROOF_MAX])
{
	struct tree_range ranges[TREE_PROOF_MAX];

	return grow_read(grow, ranges, tree_plan_inclusion(index, size, ranges), ret_proof);
}

static inline size_t grow_prove_consistency(const struct grow *grow, uint64_t from, uint64_t to,
					    struct tree_hash ret_proof[TREE_PROOF_MAX])
{
	struct tree_range ranges[TREE_PROOF_MAX];

	return grow_read(grow, ranges, tree_plan_consistency(from, to, ranges), ret_proof);
}
