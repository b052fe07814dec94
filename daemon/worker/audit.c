/*
 * The log as this host sees it. What is wrong with it is said once, when it is found, and again at
 * each look at /readyz until it is right.
 */

#include "daemon/worker/audit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/audit/head.h"
#include "daemon/base/codec.h"
#include "daemon/base/log.h"
#include "daemon/json/value.h"

int audit_new(struct audit **ret_audit)
{
	*ret_audit = calloc(1, sizeof(**ret_audit));
	return *ret_audit ? 0 : -ENOMEM;
}

struct audit *audit_free(struct audit *audit)
{
	if (!audit)
		return NULL;
	buffer_deinit(&audit->nodes);
	free(audit->round);
	free(audit);
	return NULL;
}

const char *audit_explain(int outcome)
{
	switch (outcome) {
	case AUDIT_E_HEAD_BROKEN:
		return "the head file is damaged: look at the log with `conductctl audit verify`, "
		       "move the file away, then run `conductctl audit adopt`";
	case AUDIT_E_HEAD_FAILED:
		return "the head file can be neither read nor written: see audit.head_file";
	default:
		return follow_explain(outcome);
	}
}

void audit_say(const struct worker *worker, struct audit *audit, int outcome)
{
	const struct log_field field = { "error.message", audit_explain(outcome), 0 };

	if (outcome == AUDIT_E_DATABASE || outcome == audit->outcome)
		return;
	audit->outcome = outcome;
	if (outcome == 0)
		log_say(LOG_LEVEL_INFO, "the audit log is in order again");
	else
		log_event(LOG_LEVEL_ERROR, "the audit log is not in order", &field, 1);
	atomic_fetch_add(&worker->setup.page->audit.n_failures, outcome != 0);
}

static uint64_t time_of_age(const struct value *age_s)
{
	struct timespec now;
	int64_t now_ms;

	if (!value_is(age_s, VALUE_INTEGER))
		return 0;
	clock_gettime(CLOCK_REALTIME, &now);
	now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	return (uint64_t)(now_ms - value_integer(age_s, 0) * 1000);
}

void audit_note_state(const struct worker *worker, const struct pg_answer *answer)
{
	CLEANUP(value_freep) struct value *body = NULL;
	struct page_audit *page = &worker->setup.page->audit;

	if (answer->outcome != PG_DONE || value_parse(pg_answer_cell(answer, 0, 1), &body, NULL))
		return;
	atomic_store(&page->n_entries, (uint64_t)value_integer(value_get(body, "size"), 0));
	atomic_store(&page->n_pending, (uint64_t)value_integer(value_get(body, "pending"), 0));
	atomic_store(&page->pending_ms, time_of_age(value_get(body, "pending_age")));
	atomic_store(&page->head_ms, time_of_age(value_get(body, "head_age")));
}

/*
 * Before the database is asked: during an upgrade two daemons of this host write the file, and a
 * head that is newer than an answer would look like a database that has lost something.
 */
void audit_load_head(const struct worker *worker, struct audit *audit)
{
	int r = head_load(worker->setup.log_head_file, &audit->follow.head);

	audit->follow.has_head = r == 0;
	audit->head_outcome = r < 0                ? AUDIT_E_HEAD_FAILED
			      : r == HEAD_E_BROKEN ? AUDIT_E_HEAD_BROKEN
						   : 0;
}

static int read_origin(const struct value *body, struct follow *follow)
{
	struct slice origin = value_text(value_get(body, "origin"));

	if (!origin.at || origin.length >= sizeof(follow->origin))
		return AUDIT_E_DATABASE;
	memcpy(follow->origin, origin.at, origin.length + 1);
	return 0;
}

int audit_read_log(struct audit *audit, const struct pg_answer *answer)
{
	CLEANUP(value_freep) struct value *body = NULL;
	struct follow *follow = &audit->follow;
	struct slice note;

	*follow = (struct follow){ .has_head = follow->has_head, .head = follow->head };
	if (answer->outcome != PG_DONE || value_parse(pg_answer_cell(answer, 0, 1), &body, NULL) ||
	    read_origin(body, follow))
		return AUDIT_E_DATABASE;
	audit->epoch = value_integer(value_get(body, "epoch"), -1);
	follow->size = (uint64_t)value_integer(value_get(body, "size"), 0);
	note = value_text(value_get(body, "note"));
	/* What cannot be read was not written by a sequencer. */
	if (note.at && note_read(note, &follow->last))
		return FOLLOW_E_DIVERGED;
	follow->has_last = note.at != NULL;
	return audit->head_outcome ? audit->head_outcome : follow_plan(follow);
}

const char *audit_write_nodes(struct audit *audit, const struct tree_node *nodes, size_t n)
{
	buffer_clear(&audit->nodes);
	buffer_append_char(&audit->nodes, '[');
	for (size_t i = 0; i < n; i++)
		buffer_printf(&audit->nodes, "%s[%u,%llu]", i ? "," : "", nodes[i].level,
			      (unsigned long long)nodes[i].index);
	buffer_append_char(&audit->nodes, ']');
	return buffer_finish(&audit->nodes) ? NULL : audit->nodes.at;
}

int audit_check_log(const struct audit *audit, const struct pg_answer *answer,
		    struct tree *ret_tree)
{
	CLEANUP(value_freep) struct value *body = NULL;
	const struct follow *follow = &audit->follow;
	struct tree_hash hashes[FOLLOW_NODES_MAX];
	const struct value *list;
	int r;

	/* A subtree that a checkpoint was made of is not there any more. */
	if (answer->outcome == PG_REFUSED && answer->status == 404)
		return FOLLOW_E_DIVERGED;
	if (answer->outcome != PG_DONE || value_parse(pg_answer_cell(answer, 0, 1), &body, NULL))
		return AUDIT_E_DATABASE;
	list = value_get(body, "hashes");
	if (value_count(list) != follow->n_nodes)
		return AUDIT_E_DATABASE;
	for (size_t i = 0; i < follow->n_nodes; i++) {
		size_t length;

		if (codec_hex_decode(value_text(value_at(list, i)), hashes[i].at, TREE_HASH_SIZE,
				     &length) ||
		    length != TREE_HASH_SIZE)
			return AUDIT_E_DATABASE;
	}
	r = follow_check(follow, hashes, ret_tree);
	return r < 0 ? AUDIT_E_DATABASE : r;
}

int audit_store_head(const struct worker *worker, struct audit *audit,
		     const struct checkpoint *head)
{
	struct follow *follow = &audit->follow;

	if (head_store(worker->setup.log_head_file, head) < 0)
		return AUDIT_E_HEAD_FAILED;
	follow->head = *head;
	follow->has_head = true;
	return 0;
}

int audit_outcome(const struct worker *worker)
{
	return worker->session ? worker->audit->outcome : worker->follower->outcome;
}
