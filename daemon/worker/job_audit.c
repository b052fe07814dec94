/*
 * The sequencer: what is pending gets its numbers in the database; the leaves are read back, hashed
 * and put into the tree; the tree's head is signed by the vault, kept in this host's head file, and
 * published. Nothing is signed that was not read back, and nothing that does not go on from the
 * head file. The epoch that it begins with fences off whoever was the sequencer before.
 */

#include "daemon/worker/audit.h"
#include "daemon/worker/jobs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/crypto/ed25519.h"
#include "daemon/json/value.h"
#include "daemon/pg/text.h"
#include "daemon/worker/pace.h"

/* Of a piece's nodes those above the leaves are kept: fewer than there are leaves, and one a level
 * where it ends what was begun before. */
enum { NODES_MAX = PACE_PIECE_MAX + TREE_LEVELS_MAX, SIGN_DEADLINE_MS = 5000 };

/* What is known between the calls of one run. */
struct audit_round {
	struct job *job;
	int64_t begun_ms;
	char epoch[24], from[24], size[24], piece[24];
	size_t n_made;
	struct tree_node made[NODES_MAX];
	struct tree_hash hashes[NODES_MAX];
	struct checkpoint checkpoint;
	char text[NOTE_TEXT_MAX];
	size_t text_length;
	char note[NOTE_SIZE_MAX];
	struct ipc_request request;
};

static void read_back(struct job *job);

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void end(struct job *job, int outcome)
{
	struct audit *audit = job->worker->audit;

	if (outcome) {
		audit->session = 0; /* begins anew */
		audit->has_more = false;
	}
	audit->pause_ms = pace_pause_ms((unsigned)(now_ms() - audit->round->begun_ms),
					audit->age_ms);
	audit_say(job->worker, job->worker->audit, outcome);
	job_done(job, outcome != AUDIT_E_DATABASE);
}

/* A call that failed: the database is away, or another one leads. */
static void fail(struct job *job, const struct pg_answer *answer)
{
	job->worker->audit->session = 0;
	if (answer && answer->outcome != PG_REFUSED)
		worker_lose_lead(job->worker);
	job_done(job, false);
}

static void set_text(struct job *job, unsigned at, const char *text)
{
	job->params[at] = (struct pg_param){ .at = text, .length = (int)strlen(text) };
}

/* Numbers go as decimal text that the round keeps. */
static void set_number(struct job *job, unsigned at, char text[24], int64_t number)
{
	(void)snprintf(text, 24, "%" PRId64, number);
	set_text(job, at, text);
}

static void on_published(struct pg_call *call, const struct pg_answer *answer)
{
	struct job *job = job_of_call(call);
	struct audit *audit = job->worker->audit;

	if (answer->outcome != PG_DONE) {
		fail(job, answer);
		return;
	}
	audit->follow.last = audit->follow.head;
	audit->follow.has_last = true;
	end(job, 0);
}

/* The head file first: no host ever sees a checkpoint that its signer does not know of. */
static void publish(struct job *job)
{
	struct audit_round *round = job->worker->audit->round;
	struct slice root = { (const char *)round->checkpoint.root.at, TREE_HASH_SIZE };

	if (audit_store_head(job->worker, job->worker->audit, &round->checkpoint)) {
		end(job, AUDIT_E_HEAD_FAILED);
		return;
	}
	set_number(job, 0, round->epoch, job->worker->audit->epoch);
	set_number(job, 1, round->size, (int64_t)round->checkpoint.size);
	job->params[2] =
		(struct pg_param){ .at = root.at, .length = (int)root.length, .is_binary = true };
	set_text(job, 3, round->note);
	job_call(job, STATEMENT_AUDIT_PUBLISH, on_published);
}

static void on_signed(struct ipc_request *request, enum ipc_outcome outcome,
		      const struct ipc_message *message)
{
	struct audit_round *round = (struct audit_round *)(void *)((char *)request -
								   offsetof(struct audit_round,
									    request));
	struct job *job = round->job;
	const struct note_key *key = &job->worker->setup.log_key;
	struct slice text = { round->text, round->text_length };
	struct checkpoint checkpoint;
	size_t length, found;

	if (outcome != IPC_ANSWERED || message->type != IPC_TYPE_VAULT_SIGNED ||
	    message->payload.length != ED25519_SIGNATURE_SIZE ||
	    note_write(text, key, (const uint8_t *)message->payload.at, round->note, &length) ||
	    note_open((struct slice){ round->note, length }, key, 1, &checkpoint, &found)) {
		fail(job, NULL);
		return;
	}
	publish(job);
}

static void sign(struct job *job)
{
	struct audit *audit = job->worker->audit;
	struct audit_round *round = audit->round;
	struct ipc_channel *vault = *job->worker->setup.vault;
	struct slice text;

	round->checkpoint = (struct checkpoint){ .size = audit->tree.size };
	memcpy(round->checkpoint.origin, audit->follow.origin, sizeof(audit->follow.origin));
	if (tree_get_root(&audit->tree, &round->checkpoint.root) ||
	    note_write_text(&round->checkpoint, round->text, &round->text_length)) {
		fail(job, NULL);
		return;
	}
	text = (struct slice){ round->text, round->text_length };
	round->request.done = on_signed;
	if (!vault || ipc_channel_request(vault, &round->request, IPC_TYPE_VAULT_SIGN, text,
					  SIGN_DEADLINE_MS))
		fail(job, NULL);
}

/* Everything that has a number is in the tree. While there is more, a head is due as often as when
 * there is not. */
static void finish(struct job *job)
{
	struct audit *audit = job->worker->audit;
	const struct follow *follow = &audit->follow;
	bool is_news = audit->tree.size > (follow->has_last ? follow->last.size : 0);
	bool is_due = !audit->has_more ||
		      now_ms() - audit->head_ms >= (int64_t)job->worker->setup.terms.audit_every_ms;

	if (is_due && is_news && (!follow->has_head || audit->tree.size >= follow->head.size)) {
		audit->head_ms = now_ms();
		sign(job);
	} else {
		end(job, 0);
	}
}

static void on_kept(struct pg_call *call, const struct pg_answer *answer)
{
	struct job *job = job_of_call(call);

	if (answer->outcome == PG_DONE)
		read_back(job);
	else if (answer->outcome == PG_REFUSED && answer->error_key &&
		 strcmp(answer->error_key, "conduct-audit-diverged") == 0)
		end(job, FOLLOW_E_DIVERGED);
	else
		fail(job, answer);
}

static int keep(struct job *job)
{
	struct audit *audit = job->worker->audit;
	struct audit_round *round = audit->round;
	struct slice *hashes = arena_alloc(job->arena, round->n_made * sizeof(*hashes)), literal;
	const char *nodes = audit_write_nodes(audit, round->made, round->n_made);

	if (!hashes || !nodes)
		return -ENOMEM;
	for (size_t i = 0; i < round->n_made; i++)
		hashes[i] = (struct slice){ (const char *)round->hashes[i].at, TREE_HASH_SIZE };
	if (pg_text_from_byte_strings(job->arena, hashes, round->n_made, &literal))
		return -ENOMEM;
	set_number(job, 0, round->epoch, audit->epoch);
	set_text(job, 1, nodes);
	job->params[2] = (struct pg_param){ .at = literal.at, .length = (int)literal.length };
	job_call(job, STATEMENT_AUDIT_KEEP, on_kept);
	return 0;
}

static int note_made(void *userdata, struct tree_node node, const struct tree_hash *hash)
{
	struct audit_round *round = userdata;

	if (node.level == 0)
		return 0; /* a leaf's own hash is made of it whenever it is asked for */
	if (round->n_made == NODES_MAX)
		return -E2BIG;
	round->made[round->n_made] = node;
	round->hashes[round->n_made++] = *hash;
	return 0;
}

/* Hashes what the database gave back and grows the tree. 0, FOLLOW_E_DIVERGED, or negative. */
static int grow(struct audit *audit, const struct slice *leaves, size_t n)
{
	struct tree tree = audit->tree;
	struct tree_hash hash;
	int r = 0;

	audit->round->n_made = 0;
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = tree_hash_leaf(leaves[i], &hash);
		if (r == 0)
			r = tree_append(&tree, &hash, note_made, audit->round);
		if (r == 0)
			r = follow_check_head(&audit->follow, &tree);
	}
	if (r == 0)
		audit->tree = tree;
	return r;
}

static void on_leaves(struct pg_call *call, const struct pg_answer *answer)
{
	struct job *job = job_of_call(call);
	struct audit *audit = job->worker->audit;
	struct slice *leaves;
	size_t n;
	int r;

	if (answer->outcome != PG_DONE ||
	    pg_text_to_byte_strings(job->arena, pg_answer_cell(answer, 0, 3), &leaves, &n)) {
		fail(job, answer);
		return;
	}
	/* A number without a leaf: one was taken out. */
	if (n == 0 || n > PACE_PIECE_MAX) {
		end(job, FOLLOW_E_SMALLER);
		return;
	}
	r = grow(audit, leaves, n);
	if (r > 0)
		end(job, r);
	else if (r < 0 || keep(job))
		fail(job, NULL);
}

/* The leaves that are not in the tree yet, piece by piece. */
static void read_back(struct job *job)
{
	struct audit *audit = job->worker->audit;

	if (audit->tree.size >= audit->follow.size) {
		finish(job);
		return;
	}
	set_number(job, 0, audit->round->from, (int64_t)audit->tree.size);
	set_number(job, 1, audit->round->piece, PACE_PIECE_MAX);
	job_call(job, STATEMENT_AUDIT_LEAVES, on_leaves);
}

static void on_sequenced(struct pg_call *call, const struct pg_answer *answer)
{
	CLEANUP(value_freep) struct value *body = NULL;
	struct job *job = job_of_call(call);
	struct audit *audit = job->worker->audit;

	if (answer->outcome != PG_DONE || value_parse(pg_answer_cell(answer, 0, 1), &body, NULL)) {
		fail(job, answer);
		return;
	}
	audit->follow.size = (uint64_t)value_integer(value_get(body, "size"), 0);
	audit->has_more = value_integer(value_get(body, "moved"), 0) >=
			  (int64_t)pace_piece(audit->age_ms);
	audit->age_ms = (unsigned)value_integer(value_get(body, "age"), 0);
	if (audit->follow.size < audit->tree.size)
		end(job, FOLLOW_E_SMALLER);
	else
		read_back(job);
}

static void sequence(struct job *job)
{
	struct audit *audit = job->worker->audit;

	set_number(job, 0, audit->round->epoch, audit->epoch);
	set_number(job, 1, audit->round->piece, (int64_t)pace_piece(audit->age_ms));
	job_call(job, STATEMENT_AUDIT_SEQUENCE, on_sequenced);
}

static void begin_with(struct job *job, const struct tree *tree)
{
	struct audit *audit = job->worker->audit;

	audit->tree = *tree;
	audit->session = job->worker->session;
	sequence(job);
}

static void on_nodes(struct pg_call *call, const struct pg_answer *answer)
{
	struct job *job = job_of_call(call);
	struct tree tree;
	int r = audit_check_log(job->worker->audit, answer, &tree);

	if (r == AUDIT_E_DATABASE)
		fail(job, answer);
	else if (r)
		end(job, r);
	else
		begin_with(job, &tree);
}

static void on_begun(struct pg_call *call, const struct pg_answer *answer)
{
	static const struct tree empty = TREE_NULL;
	struct job *job = job_of_call(call);
	struct audit *audit = job->worker->audit;
	int r = audit_read_log(audit, answer);

	if (r == AUDIT_E_DATABASE) {
		fail(job, answer);
	} else if (r) {
		end(job, r);
	} else if (audit->follow.n_nodes == 0) {
		begin_with(job, &empty);
	} else if (!audit_write_nodes(audit, audit->follow.nodes, audit->follow.n_nodes)) {
		fail(job, NULL);
	} else {
		set_text(job, 0, audit->nodes.at);
		job_call(job, STATEMENT_WORKER_AUDIT_NODES, on_nodes);
	}
}

void job_audit_start(struct job *job)
{
	struct audit *audit = job->worker->audit;
	static const char as_sequencer[] = "t";

	if (!audit->round)
		audit->round = calloc(1, sizeof(*audit->round));
	if (!audit->round) {
		job_done(job, false);
		return;
	}
	audit->round->job = job;
	audit->round->begun_ms = now_ms();
	if (audit->session && audit->session == job->worker->session) {
		sequence(job);
		return;
	}
	audit_load_head(job->worker, audit);
	set_text(job, 0, as_sequencer);
	job_call(job, STATEMENT_AUDIT_BEGIN, on_begun);
}
