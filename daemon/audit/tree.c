/* Hashing and growing. */

#include "daemon/audit/tree.h"

#include <string.h>

#include "daemon/crypto/crypto.h"

_Static_assert((int)TREE_HASH_SIZE == (int)CRYPTO_SHA256_SIZE, "the tree is one of SHA-256");

/* RFC 9162 section 2.1.1: leaves and nodes are hashed apart, so that neither passes for the other.
 */
static const char leaf_prefix[1] = { 0 };
static const char node_prefix[1] = { 1 };

static struct slice slice_of_hash(const struct tree_hash *hash)
{
	return (struct slice){ (const char *)hash->at, TREE_HASH_SIZE };
}

int tree_hash_leaf(struct slice leaf, struct tree_hash *ret_hash)
{
	const struct slice parts[] = { { leaf_prefix, 1 }, leaf };

	return crypto_sha256_parts(parts, ARRAY_SIZE(parts), ret_hash->at);
}

int tree_hash_children(const struct tree_hash *left, const struct tree_hash *right,
		       struct tree_hash *ret_hash)
{
	const struct slice parts[] = { { node_prefix, 1 },
				       slice_of_hash(left),
				       slice_of_hash(right) };

	return crypto_sha256_parts(parts, ARRAY_SIZE(parts), ret_hash->at);
}

int tree_fold(const struct tree_hash *hashes, size_t n, struct tree_hash *ret_hash)
{
	struct tree_hash folded;
	int r = 0;

	if (n == 0)
		return crypto_sha256((struct slice){ "", 0 }, ret_hash->at);
	folded = hashes[n - 1];
	for (size_t i = n - 1; r == 0 && i > 0; i--)
		r = tree_hash_children(&hashes[i - 1], &folded, &folded);
	if (r == 0)
		*ret_hash = folded;
	return r;
}

int tree_get_root(const struct tree *tree, struct tree_hash *ret_root)
{
	return tree_fold(tree->peaks, tree->n_peaks, ret_root);
}

/* Returns 0, -E2BIG, a failure of hashing, or what made() returned; then the tree is as before. */
int tree_append(struct tree *tree, const struct tree_hash *leaf,
		int (*made)(void *userdata, struct tree_node node, const struct tree_hash *hash),
		void *userdata)
{
	struct tree_hash hash = *leaf;
	struct tree_node node = { 0, tree->size };
	unsigned n_peaks = tree->n_peaks;
	int r;

	if (tree->size + 1 >= TREE_SIZE_MAX)
		return -E2BIG;
	r = made ? made(userdata, node, &hash) : 0;
	/* Two complete subtrees of one size make one: as carrying does in adding 1. */
	for (uint64_t rest = tree->size; r == 0 && rest & 1; rest >>= 1) {
		node = (struct tree_node){ node.level + 1, node.index / 2 };
		r = tree_hash_children(&tree->peaks[--n_peaks], &hash, &hash);
		if (r == 0 && made)
			r = made(userdata, node, &hash);
	}
	if (r)
		return r;
	tree->peaks[n_peaks] = hash;
	tree->n_peaks = n_peaks + 1;
	tree->size++;
	return 0;
}

bool tree_hash_equals(const struct tree_hash *a, const struct tree_hash *b)
{
	return memcmp(a->at, b->at, TREE_HASH_SIZE) == 0;
}
