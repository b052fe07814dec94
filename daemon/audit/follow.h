#pragma once
/*
 * Whether what a database says of the log goes on from what this host has seen of it: the head file
 * on one side; the number of leaves, the last checkpoint and hashes of subtrees on the other.
 */

#include "daemon/audit/note.h"

enum { FOLLOW_NODES_MAX = TREE_LEVELS_MAX + TREE_PROOF_MAX * 2 };

enum {
	FOLLOW_E_ADOPT = 1, /* this host has no head file, and the log is not new */
	FOLLOW_E_OTHER,     /* the head file is another log's */
	FOLLOW_E_SMALLER,   /* fewer leaves than this host has seen, or than are signed */
	FOLLOW_E_DIVERGED,  /* leaves that this host has seen, or that are signed, are others now */
};

struct follow {
	char origin[NOTE_NAME_MAX + 1];
	uint64_t size; /* leaves in the database */
	bool has_head;
	struct checkpoint head; /* the head file */
	bool has_last;
	struct checkpoint last; /* the newest checkpoint in the database */
	/* Filled by follow_plan(): the subtrees to ask for. */
	size_t n_nodes;
	struct tree_node nodes[FOLLOW_NODES_MAX];
	size_t n_peaks; /* how many of them are the last checkpoint's */
};

/* What can be said without hashes. Then plan, and check with the hashes of the nodes. */
int follow_plan(struct follow *follow);
/* ret_tree: the tree of the last checkpoint, to be grown by the leaves behind it. */
int follow_check(const struct follow *follow, const struct tree_hash *hashes,
		 struct tree *ret_tree);
/* The tree grows past the head: what it is then has to be what the head says. */
int follow_check_head(const struct follow *follow, const struct tree *tree);
/* What an operator is told. */
const char *follow_explain(int outcome);
