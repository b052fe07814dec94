/*
 * Roots and proofs against known answers: the reference tree of Certificate Transparency, the
 * example of RFC 9162 section 2.1.5, and the definitions of the RFC, written down as recursions.
 */

#include "daemon/base/codec.h"
#include "tests/unit/audit/grow.h"

enum { ALL = 128 };

static void ck_hash(const struct tree_hash *hash, const char *hex)
{
	char text[2 * TREE_HASH_SIZE + 1];

	codec_hex_encode(text, hash->at, TREE_HASH_SIZE);
	ck_assert_str_eq(text, hex);
}

START_TEST(the_reference_tree_has_its_roots)
{
	static const struct {
		const char *leaf, *root;
	} rows[] = {
		{ "", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" },
		{ "00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125" },
		{ "10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77" },
		{ "2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" },
		{ "3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4" },
		{ "40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef" },
		{ "5051525354555657",
		  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c" },
		{ "606162636465666768696a6b6c6d6e6f",
		  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328" },
	};
	struct grow *grow = grow_new(0);

	ck_hash(&grow->roots[0],
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char leaf[16];
		size_t length;

		ck_assert_int_eq(
			codec_hex_decode(slice_of(rows[i].leaf), leaf, sizeof(leaf), &length), 0);
		grow_leaf(grow, (struct slice){ leaf, length });
		ck_hash(&grow->roots[i + 1], rows[i].root);
	}
	free(grow);
}
END_TEST

static void ck_ranges(const struct tree_range *ranges, size_t n, const char *expected)
{
	char text[200] = "";

	for (size_t i = 0; i < n; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u-%u",
			       i ? " " : "", (unsigned)ranges[i].begin, (unsigned)ranges[i].end);
	ck_assert_str_eq(text, expected);
}

/* Section 2.1.5 draws the tree of seven leaves: a to f and j are leaves 0 to 6, g, h, i the pairs,
 * k is 0-4 there, l is 4-7. */
START_TEST(the_example_of_the_rfc_has_its_proofs)
{
	static const struct {
		unsigned from, to;
		const char *proof;
	} inclusions[] = {
		{ 0, 7, "1-2 2-4 4-7" },
		{ 3, 7, "2-3 0-2 4-7" },
		{ 4, 7, "5-6 6-7 0-4" },
		{ 6, 7, "4-6 0-4" },
	}, consistencies[] = {
		{ 3, 7, "2-3 3-4 0-2 4-7" },
		{ 4, 7, "4-7" },
		{ 6, 7, "4-6 6-7 0-4" },
	};
	struct tree_range ranges[TREE_PROOF_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(inclusions); i++)
		ck_ranges(ranges, tree_plan_inclusion(inclusions[i].from, inclusions[i].to, ranges),
			  inclusions[i].proof);
	for (size_t i = 0; i < ARRAY_SIZE(consistencies); i++)
		ck_ranges(ranges,
			  tree_plan_consistency(consistencies[i].from, consistencies[i].to, ranges),
			  consistencies[i].proof);
}
END_TEST

/* MTH of section 2.1.1 over leaves begin to end - 1. */
static struct tree_hash mth(const struct grow *grow, uint64_t begin, uint64_t end)
{
	struct tree_hash left, right, hash;
	uint64_t k = 1;

	if (end - begin == 1)
		return grow->nodes[0][begin];
	while (k * 2 < end - begin)
		k *= 2;
	left = mth(grow, begin, begin + k);
	right = mth(grow, begin + k, end);
	ck_assert_int_eq(tree_hash_children(&left, &right, &hash), 0);
	return hash;
}

/* PATH of section 2.1.3.1. */
static size_t path(const struct grow *grow, uint64_t m, uint64_t begin, uint64_t end,
		   struct tree_hash *proof)
{
	uint64_t k = 1;
	size_t n;

	if (end - begin == 1)
		return 0;
	while (k * 2 < end - begin)
		k *= 2;
	n = m < k ? path(grow, m, begin, begin + k, proof)
		  : path(grow, m - k, begin + k, end, proof);
	proof[n] = m < k ? mth(grow, begin + k, end) : mth(grow, begin, begin + k);
	return n + 1;
}

/* SUBPROOF of section 2.1.4.1. */
static size_t subproof(const struct grow *grow, uint64_t m, uint64_t begin, uint64_t end,
		       bool is_whole, struct tree_hash *proof)
{
	uint64_t k = 1;
	size_t n;

	if (m == end - begin) {
		proof[0] = mth(grow, begin, end);
		return is_whole ? 0 : 1;
	}
	while (k * 2 < end - begin)
		k *= 2;
	n = m <= k ? subproof(grow, m, begin, begin + k, is_whole, proof)
		   : subproof(grow, m - k, begin + k, end, false, proof);
	proof[n] = m <= k ? mth(grow, begin + k, end) : mth(grow, begin, begin + k);
	return n + 1;
}

START_TEST(every_root_up_to_128_is_the_definition)
{
	struct grow *grow = grow_new(ALL);

	for (uint64_t n = 1; n <= ALL; n++) {
		struct tree_hash root = mth(grow, 0, n);

		ck_assert_mem_eq(root.at, grow->roots[n].at, TREE_HASH_SIZE);
	}
	free(grow);
}
END_TEST

START_TEST(every_inclusion_up_to_128_is_the_definition_and_holds)
{
	struct tree_hash proof[TREE_PROOF_MAX], expected[TREE_PROOF_MAX];
	struct grow *grow = grow_new(ALL);

	for (uint64_t size = 1; size <= ALL; size++)
		for (uint64_t index = 0; index < size; index++) {
			size_t n = grow_prove(grow, index, size, proof);

			ck_assert_uint_eq(n, path(grow, index, 0, size, expected));
			ck_assert_mem_eq(proof, expected, n * sizeof(*proof));
			ck_assert_int_eq(tree_verify_inclusion(&grow->nodes[0][index], index, size,
							       proof, n, &grow->roots[size]),
					 0);
		}
	free(grow);
}
END_TEST

START_TEST(every_consistency_up_to_128_is_the_definition_and_holds)
{
	struct tree_hash proof[TREE_PROOF_MAX], expected[TREE_PROOF_MAX];
	struct grow *grow = grow_new(ALL);

	for (uint64_t to = 1; to <= ALL; to++)
		for (uint64_t from = 1; from <= to; from++) {
			size_t n = grow_prove_consistency(grow, from, to, proof);

			ck_assert_uint_eq(n, subproof(grow, from, 0, to, true, expected));
			ck_assert_mem_eq(proof, expected, n * sizeof(*proof));
			ck_assert_int_eq(tree_verify_consistency(from, &grow->roots[from], to,
								 &grow->roots[to], proof, n),
					 0);
		}
	free(grow);
}
END_TEST

START_TEST(a_proof_of_any_size_has_room)
{
	struct tree_range ranges[TREE_PROOF_MAX];
	struct tree_node nodes[TREE_LEVELS_MAX];
	const uint64_t sizes[] = { TREE_SIZE_MAX, TREE_SIZE_MAX - 1, TREE_SIZE_MAX / 2 + 1 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		ck_assert_uint_le(tree_plan_inclusion(sizes[i] - 1, sizes[i], ranges),
				  TREE_PROOF_MAX);
		ck_assert_uint_le(tree_plan_inclusion(0, sizes[i], ranges), TREE_PROOF_MAX);
		ck_assert_uint_le(tree_plan_consistency(sizes[i] - 1, sizes[i], ranges),
				  TREE_PROOF_MAX);
		ck_assert_uint_le(tree_plan_consistency(sizes[i] / 2 - 1, sizes[i], ranges),
				  TREE_PROOF_MAX);
		ck_assert_uint_le(tree_plan_nodes((struct tree_range){ 0, sizes[i] }, nodes),
				  TREE_LEVELS_MAX);
	}
}
END_TEST

static int refuse(void *userdata, struct tree_node node, const struct tree_hash *hash)
{
	return node.level == 1 ? -EIO : 0;
}

START_TEST(a_tree_that_could_not_be_kept_has_not_grown)
{
	struct grow *grow = grow_new(3);
	struct tree before = grow->tree;

	ck_assert_int_eq(tree_append(&grow->tree, &grow->nodes[0][0], refuse, NULL), -EIO);
	ck_assert_uint_eq(grow->tree.size, 3);
	ck_assert_mem_eq(grow->tree.peaks, before.peaks, 2 * sizeof(before.peaks[0]));
	free(grow);
}
END_TEST

SUITE("audit/tree", the_reference_tree_has_its_roots, the_example_of_the_rfc_has_its_proofs,
      every_root_up_to_128_is_the_definition, every_inclusion_up_to_128_is_the_definition_and_holds,
      every_consistency_up_to_128_is_the_definition_and_holds, a_proof_of_any_size_has_room,
      a_tree_that_could_not_be_kept_has_not_grown)
