/*
 * The audit log as everybody may check it: the signed head, and proofs made of the hashes that the
 * sequencer keeps. Entries hold pseudonyms and hashes, no words; only auditors and ombuds list
 * them.
 */

#include "api/handlers/audit.h"
#include "api/handlers/page.h"
#include "api/handlers/verb.h"
#include "daemon/audit/leaf.h"
#include "daemon/audit/note.h"
#include "daemon/base/codec.h"
#include "daemon/base/text.h"
#include "daemon/cases/scalar.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD_AGE_S = 2, PROOF_AGE_S = 86400, BASE64_MAX = 48 };

/* What a proof is of, until its hashes have come. */
struct question {
	struct value *answer; /* the numbers asked with, to which the proof is added */
	size_t n_ranges;
	struct tree_range ranges[TREE_PROOF_MAX + 1];
	bool has_leaf; /* the first range is the leaf that is proved */
};

static const struct page entries = { "audit", "i" };

static void free_value(void *value)
{
	value_free(value);
}

static struct value *hash_value(const struct tree_hash *hash)
{
	char text[BASE64_MAX];

	codec_base64_encode(text, hash->at, TREE_HASH_SIZE);
	return value_new_string(text);
}

static int reply_checkpoint(struct exchange *exchange, const struct value *body)
{
	struct slice note = value_text(value_get(body, "note"));
	CLEANUP(value_freep) struct value *answer = value_new_object();
	struct checkpoint checkpoint;
	int r = note.at && answer ? note_read(note, &checkpoint) : -EPROTO;

	if (r == 0)
		r = value_set_string(answer, "origin", checkpoint.origin);
	if (r == 0)
		r = value_set_integer(answer, "size", (int64_t)checkpoint.size);
	if (r == 0)
		r = value_set_take(answer, "root", hash_value(&checkpoint.root));
	if (r == 0)
		r = value_set_text(answer, "note", note);
	if (r == 0)
		verb_reply_public(exchange, answer, HEAD_AGE_S);
	return r > 0 ? -EPROTO : r;
}

static void finish_checkpoint(struct call *call, const struct call_answer *answer)
{
	struct exchange *exchange = call->userdata;
	int r = 0;

	if (answer->status >= 400)
		verb_refuse(exchange, answer);
	else
		r = reply_checkpoint(exchange, answer->body);
	if (r)
		exchange_fail(exchange, r);
}

void audit_show_checkpoint(struct exchange *exchange)
{
	struct call *call = verb_begin(exchange, STATEMENT_AUDIT_CHECKPOINT, PG_LANE_READ);

	if (call)
		verb_submit(exchange, call, finish_checkpoint);
}

/* A number of leaves in the query, which has to be there. */
static bool read_number(struct exchange *exchange, const char *name, uint64_t *ret_number)
{
	struct slice text = exchange_query(exchange, name);

	if (!text.at || !scalar_is_number(text, (int64_t)TREE_SIZE_MAX - 1)) {
		verb_refuse_parameter(exchange);
		return false;
	}
	*ret_number = strtoull(text.at, NULL, 10);
	return true;
}

/* Every subtree of every range: [[level, index], …]. */
static int write_nodes(const struct question *question, struct value *nodes)
{
	int r = 0;

	for (size_t i = 0; i < question->n_ranges; i++) {
		struct tree_node planned[TREE_LEVELS_MAX];
		size_t n = tree_plan_nodes(question->ranges[i], planned);

		for (size_t j = 0; r == 0 && j < n; j++) {
			struct value *node = value_new_array();

			r = value_append_take(nodes, node);
			if (r == 0)
				r = value_append_take(node, value_new_integer(planned[j].level));
			if (r == 0)
				r = value_append_take(node,
						      value_new_integer((int64_t)planned[j].index));
		}
	}
	return r;
}

/* The hash of one range, from those of its subtrees. */
static int read_range(const struct value *hashes, size_t *at, struct tree_range range,
		      struct tree_hash *ret_hash)
{
	struct tree_node nodes[TREE_LEVELS_MAX];
	struct tree_hash parts[TREE_LEVELS_MAX];
	size_t n = tree_plan_nodes(range, nodes);

	for (size_t i = 0; i < n; i++) {
		size_t length;

		if (codec_hex_decode(value_text(value_at(hashes, (*at)++)), parts[i].at,
				     TREE_HASH_SIZE, &length) ||
		    length != TREE_HASH_SIZE)
			return -EPROTO;
	}
	return tree_fold(parts, n, ret_hash);
}

static int reply_proof(struct exchange *exchange, const struct question *question,
		       const struct value *hashes)
{
	struct value *proof = value_new_array();
	size_t at = 0;
	int r = value_set_take(question->answer, "proof", proof);

	for (size_t i = 0; r == 0 && i < question->n_ranges; i++) {
		struct tree_hash hash;

		r = read_range(hashes, &at, question->ranges[i], &hash);
		if (r == 0 && i == 0 && question->has_leaf)
			r = value_set_take(question->answer, "leaf_hash", hash_value(&hash));
		else if (r == 0)
			r = value_append_take(proof, hash_value(&hash));
	}
	if (r == 0)
		verb_reply_public(exchange, question->answer, PROOF_AGE_S);
	return r;
}

static void finish_proof(struct call *call, const struct call_answer *answer)
{
	struct exchange *exchange = call->userdata;
	int r = 0;

	if (answer->status >= 400)
		verb_refuse(exchange, answer);
	else
		r = reply_proof(exchange, exchange->state, value_get(answer->body, "hashes"));
	if (r)
		exchange_fail(exchange, r);
}

static void ask(struct exchange *exchange, struct question *question)
{
	struct call *call = verb_begin(exchange, STATEMENT_AUDIT_NODES, PG_LANE_READ);
	struct value *nodes;
	int r;

	if (!call)
		return;
	nodes = value_new_array();
	r = nodes ? arena_take(exchange->arena, nodes, free_value) : -ENOMEM;
	if (r == 0)
		r = write_nodes(question, nodes);
	if (r) {
		exchange_fail(exchange, r);
		return;
	}
	exchange->state = question;
	call_add_json(call, nodes);
	verb_submit(exchange, call, finish_proof);
}

/* The two numbers that a proof is asked with; NULL: the exchange has been answered. */
static struct question *question_new(struct exchange *exchange, const char *const names[2],
				     uint64_t ret_numbers[2])
{
	struct question *question;
	int r;

	if (!read_number(exchange, names[0], &ret_numbers[0]) ||
	    !read_number(exchange, names[1], &ret_numbers[1]))
		return NULL;
	question = arena_alloc(exchange->arena, sizeof(*question));
	if (question)
		question->answer = value_new_object();
	r = question && question->answer ? arena_take(exchange->arena, question->answer, free_value)
					 : -ENOMEM;
	for (size_t i = 0; r == 0 && i < 2; i++)
		r = value_set_integer(question->answer, names[i], (int64_t)ret_numbers[i]);
	if (r) {
		exchange_fail(exchange, r);
		return NULL;
	}
	return question;
}

void audit_show_proof(struct exchange *exchange)
{
	static const char *const names[2] = { "size", "index" };
	uint64_t numbers[2];
	struct question *question = question_new(exchange, names, numbers);

	if (!question)
		return;
	if (numbers[1] >= numbers[0]) {
		exchange_refuse(exchange, 404, "conduct-not-found");
		return;
	}
	question->has_leaf = true;
	question->ranges[0] = (struct tree_range){ numbers[1], numbers[1] + 1 };
	question->n_ranges = 1 + tree_plan_inclusion(numbers[1], numbers[0], question->ranges + 1);
	ask(exchange, question);
}

void audit_show_consistency(struct exchange *exchange)
{
	static const char *const names[2] = { "from", "to" };
	uint64_t numbers[2];
	struct question *question = question_new(exchange, names, numbers);

	if (!question)
		return;
	if (numbers[0] > numbers[1]) {
		exchange_refuse(exchange, 404, "conduct-not-found");
		return;
	}
	if (numbers[0] > 0)
		question->n_ranges = tree_plan_consistency(numbers[0], numbers[1],
							   question->ranges);
	ask(exchange, question);
}

/* A pseudonym as text; of zeros: null. */
static struct value *pseudonym_value(const uint8_t id[LEAF_ID_SIZE])
{
	static const uint8_t none[LEAF_ID_SIZE];
	char text[TEXT_UUID_LENGTH + 1];

	if (memcmp(id, none, LEAF_ID_SIZE) == 0)
		return value_new_null();
	text_write_uuid(text, id);
	return value_new_string(text);
}

static int set_rows(struct value *item, const struct leaf *leaf)
{
	struct value *rows = value_new_array();
	int r = value_set_take(item, "rows", rows);

	for (size_t i = 0; r == 0 && i < leaf->n_rows; i++) {
		const uint8_t *at = leaf->rows + i * LEAF_ROW_SIZE;
		struct value *row = value_new_object();
		char hex[2 * LEAF_HASH_SIZE + 1];

		codec_hex_encode(hex, at + LEAF_ID_SIZE, LEAF_HASH_SIZE);
		r = value_append_take(rows, row);
		if (r == 0)
			r = value_set_take(row, "id", pseudonym_value(at));
		if (r == 0)
			r = value_set_string(row, "sha256", hex);
	}
	return r;
}

/* Puts what an entry says in the place of its bytes. */
static int entry_spell(struct arena *arena, struct value *item)
{
	struct slice hex = value_text(value_get(item, "leaf"));
	uint8_t *bytes = hex.at ? arena_alloc(arena, hex.length / 2 + 1) : NULL;
	struct leaf leaf;
	size_t length = 0;
	char text[2 * LEAF_HASH_SIZE + 1];
	int r;

	if (!bytes || codec_hex_decode(hex, bytes, hex.length / 2, &length) ||
	    leaf_read((struct slice){ (const char *)bytes, length }, &leaf))
		return -EPROTO;
	text_write_timestamp(text, leaf.at_usec);
	r = value_set_string(item, "at", text);
	if (r == 0)
		r = value_set_text(item, "event", leaf.event);
	if (r == 0)
		r = value_set_take(item, "actor", pseudonym_value(leaf.actor));
	if (r == 0)
		r = value_set_take(item, "case", pseudonym_value(leaf.case_file));
	if (r == 0)
		r = set_rows(item, &leaf);
	codec_hex_encode(text, leaf.commitment, LEAF_HASH_SIZE);
	if (r == 0)
		r = value_set_string(item, "commitment", text);
	return r ? r : value_remove(item, "leaf");
}

static void finish_log(struct call *call, const struct call_answer *answer)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	struct exchange *exchange = call->userdata;
	const struct value *items = value_get(answer->body, "items");
	struct call_answer spelled = *answer;
	int r = 0;

	for (size_t i = 0; answer->status < 400 && r == 0 && i < value_count(items); i++)
		r = entry_spell(exchange->arena, value_at(items, i));
	if (r == 0 && answer->body)
		r = value_write(answer->body, &buffer);
	spelled.text = (struct slice){ buffer.at, buffer.length };
	if (r)
		exchange_fail(exchange, r);
	else
		page_reply(exchange, &entries, &spelled);
}

void audit_list_log(struct exchange *exchange)
{
	struct call *call = verb_begin(exchange, STATEMENT_AUDIT_LIST, PG_LANE_READ);
	const struct value *after;
	unsigned limit;

	if (!call || !page_read(exchange, &entries, &limit, &after))
		return;
	verb_add_account(exchange, call);
	call_add_integer(call, limit);
	call_add_json(call, after);
	verb_submit(exchange, call, finish_log);
}
