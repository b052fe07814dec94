/*
 * Every host follows the log: a checkpoint that goes on from what it has seen becomes its head.
 * What the sequencing host does is thus watched by all the others; it only looks where the log
 * stands, for its metrics.
 */

#include "daemon/worker/audit.h"
#include "daemon/worker/jobs.h"

static void end(struct job *job, int outcome)
{
	audit_say(job->worker, job->worker->follower, outcome);
	job_done(job, outcome != AUDIT_E_DATABASE);
}

static void on_nodes(struct pg_call *call, const struct pg_answer *answer)
{
	struct job *job = job_of_call(call);
	struct audit *audit = job->worker->follower;
	const struct follow *follow = &audit->follow;
	struct tree tree;
	int r = audit_check_log(audit, answer, &tree);

	/* Who has begun to lead meanwhile has a newer head. */
	if (r == 0 && !job->worker->session && follow->has_last &&
	    follow->last.size > follow->head.size)
		r = audit_store_head(job->worker, audit, &follow->last);
	end(job, r);
}

static void on_begun(struct pg_call *call, const struct pg_answer *answer)
{
	struct job *job = job_of_call(call);
	struct audit *audit = job->worker->follower;
	const char *nodes;
	int r;

	audit_note_state(job->worker, answer);
	/* The sequencer knows more. */
	if (job->worker->session) {
		job_done(job, answer->outcome == PG_DONE);
		return;
	}
	r = audit_read_log(audit, answer);
	if (r || audit->follow.n_nodes == 0) {
		end(job, r);
		return;
	}
	nodes = audit_write_nodes(audit, audit->follow.nodes, audit->follow.n_nodes);
	if (!nodes) {
		end(job, AUDIT_E_DATABASE);
		return;
	}
	job->params[0] = (struct pg_param){ .at = nodes, .length = (int)audit->nodes.length };
	job_look(job, STATEMENT_WORKER_AUDIT_NODES, on_nodes);
}

void job_follow_start(struct job *job)
{
	static const char as_reader[] = "f";

	audit_load_head(job->worker, job->worker->follower);
	job->params[0] = (struct pg_param){ .at = as_reader, .length = sizeof(as_reader) - 1 };
	job_look(job, STATEMENT_AUDIT_BEGIN, on_begun);
}
