/* A host goes on only from what it has seen. */

#include "tests/unit/audit/grow.h"

#include "daemon/audit/follow.h"

enum { SIZE = 70 };

static struct grow *grow;

static void setup(void)
{
	grow = grow_new(SIZE);
}

static void teardown(void)
{
	free(grow);
}

static struct checkpoint checkpoint(uint64_t size)
{
	struct checkpoint made = { .origin = "log/1", .size = size, .root = grow->roots[size] };

	return made;
}

static struct follow seen(uint64_t head, uint64_t last, uint64_t size)
{
	return (struct follow){ .origin = "log/1",
				.size = size,
				.has_head = true,
				.head = checkpoint(head),
				.has_last = true,
				.last = checkpoint(last) };
}

static int check(struct follow *follow, struct tree *ret_tree)
{
	struct tree_hash hashes[FOLLOW_NODES_MAX];
	int r = follow_plan(follow);

	ck_assert_uint_le(follow->n_nodes, FOLLOW_NODES_MAX);
	for (size_t i = 0; i < follow->n_nodes; i++)
		hashes[i] = grow->nodes[follow->nodes[i].level][follow->nodes[i].index];
	return r ? r : follow_check(follow, hashes, ret_tree);
}

START_TEST(every_head_goes_on_to_every_checkpoint)
{
	for (uint64_t last = 0; last <= SIZE; last++)
		for (uint64_t head = 0; head <= SIZE; head++) {
			struct follow follow = seen(head, last, SIZE);
			struct tree tree;

			ck_assert_int_eq(check(&follow, &tree), 0);
			ck_assert_uint_eq(tree.size, last);
			for (uint64_t at = last; at < SIZE; at++) {
				ck_assert_int_eq(
					tree_append(&tree, &grow->nodes[0][at], NULL, NULL), 0);
				ck_assert_int_eq(follow_check_head(&follow, &tree), 0);
			}
		}
}
END_TEST

START_TEST(another_history_is_never_followed)
{
	for (uint64_t last = 1; last <= SIZE; last++)
		for (uint64_t head = 1; head <= SIZE; head++) {
			struct follow follow = seen(head, last, SIZE);
			struct tree tree;
			int r;

			follow.head.root.at[head % 32] ^= 1;
			r = check(&follow, &tree);
			for (uint64_t at = last; r == 0 && at < head; at++) {
				ck_assert_int_eq(
					tree_append(&tree, &grow->nodes[0][at], NULL, NULL), 0);
				r = follow_check_head(&follow, &tree);
			}
			ck_assert_int_eq(r, FOLLOW_E_DIVERGED);
			follow = seen(head, last, SIZE);
			follow.last.root.at[last % 32] ^= 1;
			ck_assert_int_eq(check(&follow, &tree), FOLLOW_E_DIVERGED);
		}
}
END_TEST

START_TEST(every_changed_subtree_is_found)
{
	for (uint64_t last = 1; last <= SIZE; last += 3)
		for (uint64_t head = 1; head <= last; head += 2) {
			struct follow follow = seen(head, last, SIZE);
			struct tree_hash hashes[FOLLOW_NODES_MAX];
			struct tree tree;

			ck_assert_int_eq(follow_plan(&follow), 0);
			for (size_t i = 0; i < follow.n_nodes; i++)
				hashes[i] =
					grow->nodes[follow.nodes[i].level][follow.nodes[i].index];
			for (size_t i = 0; i < follow.n_nodes; i++) {
				hashes[i].at[i % 32] ^= 4;
				ck_assert_int_eq(follow_check(&follow, hashes, &tree),
						 FOLLOW_E_DIVERGED);
				hashes[i].at[i % 32] ^= 4;
			}
		}
}
END_TEST

START_TEST(less_than_was_seen_is_a_loss)
{
	struct follow follow = seen(9, 5, 8);
	struct tree tree;

	ck_assert_int_eq(check(&follow, &tree), FOLLOW_E_SMALLER);
	follow = seen(5, 9, 8);
	ck_assert_int_eq(check(&follow, &tree), FOLLOW_E_SMALLER);
}
END_TEST

START_TEST(a_host_without_a_head_begins_a_log_and_joins_none)
{
	struct follow follow = { .origin = "log/1", .size = 3 };
	struct tree tree;

	ck_assert_int_eq(check(&follow, &tree), 0);
	ck_assert_uint_eq(tree.size, 0);
	follow = seen(5, 5, 8);
	follow.has_head = false;
	ck_assert_int_eq(check(&follow, &tree), FOLLOW_E_ADOPT);
}
END_TEST

START_TEST(another_log_is_not_this_one)
{
	struct follow follow = seen(5, 5, 8);
	struct tree tree;

	strcpy(follow.head.origin, "log/2");
	ck_assert_int_eq(check(&follow, &tree), FOLLOW_E_OTHER);
	follow = seen(5, 5, 8);
	strcpy(follow.last.origin, "log/2");
	ck_assert_int_eq(check(&follow, &tree), FOLLOW_E_OTHER);
	for (int outcome = -1; outcome <= FOLLOW_E_DIVERGED; outcome++)
		ck_assert_ptr_nonnull(follow_explain(outcome));
}
END_TEST

SUITE_ONCE("audit/follow", setup, teardown, every_head_goes_on_to_every_checkpoint,
	   another_history_is_never_followed, every_changed_subtree_is_found,
	   less_than_was_seen_is_a_loss, a_host_without_a_head_begins_a_log_and_joins_none,
	   another_log_is_not_this_one)
