/* No changed proof is taken: bits, numbers, roots, leaves, order, length, other trees. */

#include "tests/unit/audit/grow.h"
#include "tests/unit/mutate.h"

enum { SIZES = 65 };

static struct grow *grow;

static void setup(void)
{
	grow = grow_new(SIZES);
}

static void teardown(void)
{
	free(grow);
}

static void flip(struct tree_hash *hash, unsigned bit)
{
	hash->at[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

START_TEST(every_bit_of_an_inclusion_proof_counts)
{
	struct tree_hash proof[TREE_PROOF_MAX];
	size_t n_refused = 0;

	for (uint64_t size = 2; size <= SIZES; size += 3)
		for (uint64_t index = 0; index < size; index += 5) {
			size_t n = grow_prove(grow, index, size, proof);
			struct tree_hash leaf = grow->nodes[0][index], root = grow->roots[size];

			for (unsigned bit = 0; bit < n * 256; bit++, n_refused++) {
				flip(&proof[bit / 256], bit % 256);
				ck_assert_int_eq(
					tree_verify_inclusion(&leaf, index, size, proof, n, &root),
					TREE_E_WRONG);
				flip(&proof[bit / 256], bit % 256);
			}
			for (unsigned bit = 0; bit < 256; bit += 7) {
				flip(&leaf, bit);
				ck_assert_int_eq(
					tree_verify_inclusion(&leaf, index, size, proof, n, &root),
					TREE_E_WRONG);
				flip(&leaf, bit);
				flip(&root, bit);
				ck_assert_int_eq(
					tree_verify_inclusion(&leaf, index, size, proof, n, &root),
					TREE_E_WRONG);
				flip(&root, bit);
			}
		}
	ck_assert_uint_gt(n_refused, 100000);
}
END_TEST

START_TEST(every_bit_of_a_consistency_proof_counts)
{
	struct tree_hash proof[TREE_PROOF_MAX];
	size_t n_refused = 0;

	for (uint64_t to = 2; to <= SIZES; to += 3)
		for (uint64_t from = 1; from < to; from += 5) {
			size_t n = grow_prove_consistency(grow, from, to, proof);

			for (unsigned bit = 0; bit < n * 256; bit++, n_refused++) {
				flip(&proof[bit / 256], bit % 256);
				ck_assert_int_eq(tree_verify_consistency(from, &grow->roots[from],
									 to, &grow->roots[to],
									 proof, n),
						 TREE_E_WRONG);
				flip(&proof[bit / 256], bit % 256);
			}
		}
	ck_assert_uint_gt(n_refused, 100000);
}
END_TEST

START_TEST(a_proof_is_for_one_leaf_and_one_size)
{
	struct tree_hash proof[TREE_PROOF_MAX];

	for (uint64_t size = 1; size <= SIZES; size++)
		for (uint64_t index = 0; index < size; index++) {
			size_t n = grow_prove(grow, index, size, proof);

			for (uint64_t other = 0; other <= size; other++)
				ck_assert_int_eq(tree_verify_inclusion(&grow->nodes[0][index],
								       other, size, proof, n,
								       &grow->roots[size]) == 0,
						 other == index);
			for (uint64_t other = 0; other <= SIZES; other++)
				ck_assert_int_eq(tree_verify_inclusion(&grow->nodes[0][index],
								       index, other, proof, n,
								       &grow->roots[other]) == 0,
						 other == size);
		}
}
END_TEST

START_TEST(a_shorter_longer_or_reordered_proof_is_refused)
{
	struct tree_hash proof[TREE_PROOF_MAX + 1] = { 0 };

	for (uint64_t to = 3; to <= SIZES; to++)
		for (uint64_t from = 1; from < to; from++) {
			size_t n = grow_prove_consistency(grow, from, to, proof);

			for (size_t other = 0; other <= n + 1; other++)
				ck_assert_int_eq(tree_verify_consistency(from, &grow->roots[from],
									 to, &grow->roots[to],
									 proof, other) == 0,
						 other == n);
			if (n < 2)
				continue;
			struct tree_hash first = proof[0];

			memmove(proof, proof + 1, (n - 1) * sizeof(*proof));
			proof[n - 1] = first;
			ck_assert_int_eq(tree_verify_consistency(from, &grow->roots[from], to,
								 &grow->roots[to], proof, n),
					 TREE_E_WRONG);
		}
}
END_TEST

/*
 * What holds is true of leaf and roots. A size is bound to its root by the signature of a
 * checkpoint: the same path may lead through trees of two sizes.
 */
START_TEST(random_changes_of_an_inclusion_are_never_taken)
{
	struct mutator mutator = mutate_start("inclusion proofs");
	unsigned long n_tries = mutate_count(200000), n_taken = 0;
	struct tree_hash proof[TREE_PROOF_MAX + 1];

	for (; mutator.n_mutants < n_tries; mutator.n_mutants++) {
		uint64_t size = 2 + mutate_below(&mutator, SIZES - 1);
		uint64_t index = mutate_below(&mutator, size);
		uint64_t claimed_size = size, claimed_index = index;
		size_t n = grow_prove(grow, index, size, proof);
		struct tree_hash leaf = grow->nodes[0][index], root = grow->roots[size];

		switch (mutate_below(&mutator, 6)) {
		case 0:
			claimed_index = mutate_below(&mutator, SIZES + 1);
			leaf = grow->nodes[0][mutate_below(&mutator, SIZES)];
			break;
		case 1:
			claimed_size = mutate_below(&mutator, SIZES + 1);
			root = grow->roots[mutate_below(&mutator, SIZES + 1)];
			break;
		case 2:
			proof[mutate_below(&mutator, n)] =
				grow->nodes[0][mutate_below(&mutator, SIZES)];
			break;
		case 3:
			flip(mutate_below(&mutator, 2) ? &leaf : &root,
			     (unsigned)mutate_below(&mutator, 256));
			break;
		case 4:
			flip(&proof[mutate_below(&mutator, n)],
			     (unsigned)mutate_below(&mutator, 256));
			break;
		default:
			n = mutate_below(&mutator, n + 2);
		}
		if (tree_verify_inclusion(&leaf, claimed_index, claimed_size, proof, n, &root) != 0)
			continue;
		n_taken += memcmp(leaf.at, grow->nodes[0][index].at, TREE_HASH_SIZE) != 0 ||
			   memcmp(root.at, grow->roots[size].at, TREE_HASH_SIZE) != 0;
	}
	mutate_note(&mutator, "inclusion proofs", n_taken);
	ck_assert_uint_eq(n_taken, 0);
}
END_TEST

START_TEST(random_changes_of_a_consistency_are_never_taken)
{
	struct mutator mutator = mutate_start("consistency proofs");
	unsigned long n_tries = mutate_count(200000), n_taken = 0;
	struct tree_hash proof[TREE_PROOF_MAX + 1];

	for (; mutator.n_mutants < n_tries; mutator.n_mutants++) {
		uint64_t to = 2 + mutate_below(&mutator, SIZES - 1),
			 from = 1 + mutate_below(&mutator, to - 1);
		uint64_t claimed_to = to, claimed_from = from;
		size_t n = grow_prove_consistency(grow, from, to, proof);
		struct tree_hash old = grow->roots[from], new = grow->roots[to];

		switch (mutate_below(&mutator, 5)) {
		case 0:
			claimed_from = mutate_below(&mutator, SIZES + 1);
			old = grow->roots[mutate_below(&mutator, SIZES + 1)];
			break;
		case 1:
			claimed_to = mutate_below(&mutator, SIZES + 1);
			new = grow->roots[mutate_below(&mutator, SIZES + 1)];
			break;
		case 2:
			proof[mutate_below(&mutator, n)] =
				grow->nodes[0][mutate_below(&mutator, SIZES)];
			break;
		case 3:
			flip(mutate_below(&mutator, 2) ? &old : &new,
			     (unsigned)mutate_below(&mutator, 256));
			break;
		default:
			n = mutate_below(&mutator, n + 2);
		}
		if (tree_verify_consistency(claimed_from, &old, claimed_to, &new, proof, n) != 0)
			continue;
		/* That the empty tree, and a tree itself, come before it needs no proof. */
		if (claimed_from == 0 || claimed_from == claimed_to)
			continue;
		n_taken += memcmp(old.at, grow->roots[from].at, TREE_HASH_SIZE) != 0 ||
			   memcmp(new.at, grow->roots[to].at, TREE_HASH_SIZE) != 0;
	}
	mutate_note(&mutator, "consistency proofs", n_taken);
	ck_assert_uint_eq(n_taken, 0);
}
END_TEST

START_TEST(nothing_and_itself_are_what_every_tree_begins_with)
{
	const struct tree_hash *roots = grow->roots;

	ck_assert_int_eq(tree_verify_consistency(0, &roots[0], 9, &roots[9], NULL, 0), 0);
	ck_assert_int_eq(tree_verify_consistency(0, &roots[1], 9, &roots[9], NULL, 0),
			 TREE_E_WRONG);
	ck_assert_int_eq(tree_verify_consistency(9, &roots[9], 9, &roots[9], NULL, 0), 0);
	ck_assert_int_eq(tree_verify_consistency(9, &roots[8], 9, &roots[9], NULL, 0),
			 TREE_E_WRONG);
	ck_assert_int_eq(tree_verify_consistency(9, &roots[9], 9, &roots[9], roots, 1),
			 TREE_E_WRONG);
	ck_assert_int_eq(tree_verify_consistency(9, &roots[9], 8, &roots[8], NULL, 0),
			 TREE_E_WRONG);
}
END_TEST

SUITE_ONCE("audit/proof", setup, teardown, every_bit_of_an_inclusion_proof_counts,
	   every_bit_of_a_consistency_proof_counts, a_proof_is_for_one_leaf_and_one_size,
	   a_shorter_longer_or_reordered_proof_is_refused,
	   random_changes_of_an_inclusion_are_never_taken,
	   random_changes_of_a_consistency_are_never_taken,
	   nothing_and_itself_are_what_every_tree_begins_with)
