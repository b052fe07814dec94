#pragma once
/* What the jobs of the log share: the head file, where the log stands, and whether that goes on
 * from it. */

#include "daemon/audit/follow.h"
#include "daemon/worker/internal.h"

enum {
	AUDIT_E_HEAD_BROKEN = FOLLOW_E_DIVERGED + 1,
	AUDIT_E_HEAD_FAILED, /* it cannot be read or written */
	AUDIT_E_DATABASE,    /* a broken answer, or none: not said of the log */
};

struct audit {
	int outcome; /* what was found last: 0, FOLLOW_E_…, AUDIT_E_… */
	struct follow follow;
	int head_outcome; /* of reading the head file: 0, AUDIT_E_HEAD_… */
	int64_t epoch;
	struct buffer nodes; /* [[level, index], …] of a call */
	/* The sequencer's alone. */
	uint64_t session;  /* the lead over which it began; 0: not */
	bool has_more;     /* pending, when it was last asked */
	unsigned age_ms;   /* of the oldest entry of the last piece */
	unsigned pause_ms; /* after it, where there is more */
	int64_t head_ms;   /* when the last head was begun */
	struct tree tree;  /* of the leaves that were read back */
	struct audit_round *round;
};

int audit_new(struct audit **ret_audit);
struct audit *audit_free(struct audit *audit);

/* Reads the head file, before audit_begin() is asked. */
void audit_load_head(const struct worker *worker, struct audit *audit);
/* Reads the answer of audit_begin() and plans what to ask for. 0, FOLLOW_E_…, AUDIT_E_…. */
int audit_read_log(struct audit *audit, const struct pg_answer *answer);
/* The parameter of audit_nodes(); NULL: no memory. */
const char *audit_write_nodes(struct audit *audit, const struct tree_node *nodes, size_t n);
/* Checks the answer of audit_nodes(). */
int audit_check_log(const struct audit *audit, const struct pg_answer *answer,
		    struct tree *ret_tree);
int audit_store_head(const struct worker *worker, struct audit *audit,
		     const struct checkpoint *head);
/* Logs an outcome when it is another one than before; it stays for /readyz. */
void audit_say(const struct worker *worker, struct audit *audit, int outcome);
/* Keeps for the metrics what an answer of audit_begin() says. */
void audit_note_state(const struct worker *worker, const struct pg_answer *answer);
const char *audit_explain(int outcome);
/* Of whichever job is at work on this host. */
int audit_outcome(const struct worker *worker);
