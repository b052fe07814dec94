/*
 * Which hashes a proof consists of: PATH of RFC 9162 section 2.1.3.1 and PROOF of section 2.1.4.1,
 * with ranges of leaves in place of hashes. The recursions of the RFC go down one side of the tree
 * and are loops here; what they append on the way back is put in reverse.
 */

#include "daemon/audit/tree.h"

/* The largest power of two that is smaller than n; n is 2 at least. */
static uint64_t split(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

static size_t reverse(struct tree_range *ranges, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct tree_range range = ranges[i];

		ranges[i] = ranges[n - 1 - i];
		ranges[n - 1 - i] = range;
	}
	return n;
}

/* The proof that leaf `index` is in the tree of `size`, index < size <= TREE_SIZE_MAX: how many
 * ranges. */
size_t tree_plan_inclusion(uint64_t index, uint64_t size,
			   struct tree_range ret_ranges[TREE_PROOF_MAX])
{
	struct tree_range in = { 0, size };
	size_t n = 0;

	while (in.end - in.begin > 1) {
		uint64_t middle = in.begin + split(in.end - in.begin);

		if (index < middle) {
			ret_ranges[n++] = (struct tree_range){ middle, in.end };
			in.end = middle;
		} else {
			ret_ranges[n++] = (struct tree_range){ in.begin, middle };
			in.begin = middle;
		}
	}
	return reverse(ret_ranges, n);
}

/* The proof that the tree of `to` leaves begins with that of `from`, 0 < from <= to <=
 * TREE_SIZE_MAX: how many ranges; none where both are the same. */
size_t tree_plan_consistency(uint64_t from, uint64_t to,
			     struct tree_range ret_ranges[TREE_PROOF_MAX])
{
	struct tree_range in = { 0, to };
	bool is_whole = true; /* what the verifier has is the root of all that is looked at */
	size_t n = 0;

	while (from < in.end) {
		uint64_t middle = in.begin + split(in.end - in.begin);

		if (from <= middle) {
			ret_ranges[n++] = (struct tree_range){ middle, in.end };
			in.end = middle;
		} else {
			ret_ranges[n++] = (struct tree_range){ in.begin, middle };
			in.begin = middle;
			is_whole = false;
		}
	}
	if (!is_whole)
		ret_ranges[n++] = in;
	return reverse(ret_ranges, n);
}

/* How many complete subtrees a range consists of. It begins where one of its length may: a proof's
 * do, and that of a whole tree. */
size_t tree_plan_nodes(struct tree_range range, struct tree_node ret_nodes[TREE_LEVELS_MAX])
{
	size_t n = 0;

	while (range.begin < range.end) {
		unsigned level = 63 - (unsigned)__builtin_clzll(range.end - range.begin);

		ret_nodes[n++] = (struct tree_node){ level, range.begin >> level };
		range.begin += UINT64_C(1) << level;
	}
	return n;
}
