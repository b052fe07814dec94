/*
 * Verifying a bundle line by line: the leaves grow a tree that has to pass through every
 * checkpoint; what they say of rows is kept and compared with the rows as they are now, and every
 * entry whose payload was erased has to be named by the entry of an erasure; the events
 * of each proceeding have to follow each other up to its head. A fault does not end the reading: an
 * operator wants to know all of them.
 */

#include "daemon/audit/bundle.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/audit/chain.h"
#include "daemon/audit/leaf.h"
#include "daemon/audit/logged.h"
#include "daemon/audit/payload.h"
#include "daemon/base/codec.h"
#include "daemon/base/text.h"
#include "daemon/crypto/crypto.h"
#include "daemon/json/value.h"

enum { TEXT_LIMIT = 300 };

struct bundle {
	struct bundle_setup setup;
	struct bundle_summary summary;
	char origin[NOTE_NAME_MAX + 1];
	uint64_t n_lines;
	bool has_ended;
	struct tree tree;
	struct checkpoint *checkpoints;
	size_t n_checkpoints;
	size_t n_met; /* checkpoints that the tree has come to */
	struct logged logged;
	bool is_naming;      /* entries are read a second time, for what they say of missing rows */
	bool may_erase;      /* as the entry that is read is called */
	struct rows *erased; /* entries without a payload; seen: an erasure names them */
	struct chain chain;
	uint8_t *bytes[3]; /* of the line, decoded */
	size_t sizes[3];
};

static void fault(struct bundle *bundle, const char *format, ...) PRINTF(2, 3);

static void fault(struct bundle *bundle, const char *format, ...)
{
	char text[TEXT_LIMIT];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	text_make_line(text);
	bundle->summary.n_faults++;
	if (bundle->setup.fault)
		bundle->setup.fault(bundle->setup.userdata, text);
}

static bool is_gone(struct slice field)
{
	return text_equals(field, text_slice("-"));
}

/* Decodes base64 into a buffer of the bundle's; it holds until the next line. */
static int decode(struct bundle *bundle, unsigned nth, struct slice field, struct slice *ret_bytes)
{
	size_t size = field.length / 4 * 3 + 1, length = 0;

	if (size > bundle->sizes[nth]) {
		uint8_t *bytes = realloc(bundle->bytes[nth], size);

		if (!bytes)
			return -ENOMEM;
		bundle->bytes[nth] = bytes;
		bundle->sizes[nth] = size;
	}
	if (codec_base64_decode(field, bundle->bytes[nth], size, &length))
		return CODEC_E_MALFORMED;
	*ret_bytes = (struct slice){ (const char *)bundle->bytes[nth], length };
	return 0;
}

static bool copy_text(struct slice text, char *ret_text, size_t size)
{
	if (!text.at || text.length >= size)
		return false;
	memcpy(ret_text, text.at, text.length);
	ret_text[text.length] = '\0';
	return true;
}

static void malformed(struct bundle *bundle, const char *what)
{
	if (!bundle->is_naming)
		fault(bundle, "line %" PRIu64 " is no %s", bundle->n_lines, what);
}

static int read_origin(struct bundle *bundle, struct slice line)
{
	if (*bundle->origin || !copy_text(line, bundle->origin, sizeof(bundle->origin)))
		malformed(bundle, "origin");
	return 0;
}

/* Checkpoints ---------------------------------------------------------------------------------- */

static int add_checkpoint(struct bundle *bundle, const struct checkpoint *checkpoint)
{
	size_t n = bundle->n_checkpoints;
	struct checkpoint *more = bundle->checkpoints;

	/* Room doubles. */
	if ((n & (n - 1)) == 0)
		more = realloc(more, (n ? n * 2 : 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	bundle->checkpoints = more;
	more[bundle->n_checkpoints++] = *checkpoint;
	return 0;
}

static int read_checkpoint(struct bundle *bundle, struct slice line)
{
	struct checkpoint checkpoint;
	struct slice note;
	size_t key;
	int r = decode(bundle, 0, line, &note);

	if (r == 0)
		r = note_open(note, bundle->setup.keys, bundle->setup.n_keys, &checkpoint, &key);
	if (r == NOTE_E_UNKNOWN) {
		r = note_read(note, &checkpoint);
		fault(bundle, "the checkpoint of line %" PRIu64 " is signed by none of the keys",
		      bundle->n_lines);
	} else if (r == NOTE_E_SIGNATURE) {
		fault(bundle, "the signature of the checkpoint of line %" PRIu64 " does not hold",
		      bundle->n_lines);
		return 0;
	}
	if (r > 0)
		malformed(bundle, "checkpoint");
	if (r)
		return r < 0 ? r : 0;
	if (strcmp(checkpoint.origin, bundle->origin) != 0)
		fault(bundle, "the checkpoint of line %" PRIu64 " is of another log",
		      bundle->n_lines);
	if (bundle->tree.size ||
	    (bundle->n_checkpoints &&
	     bundle->checkpoints[bundle->n_checkpoints - 1].size >= checkpoint.size)) {
		malformed(bundle, "checkpoint in its place");
		return 0;
	}
	bundle->summary.n_checkpoints++;
	return add_checkpoint(bundle, &checkpoint);
}

/* The tree has grown: what was signed of this size has to be it. */
static int meet_checkpoints(struct bundle *bundle)
{
	const struct checkpoint *next;
	struct tree_hash root;
	int r;

	if (bundle->n_met == bundle->n_checkpoints)
		return 0;
	next = &bundle->checkpoints[bundle->n_met];
	if (next->size > bundle->tree.size)
		return 0;
	bundle->n_met++;
	r = tree_get_root(&bundle->tree, &root);
	if (r)
		return r;
	if (next->size == bundle->tree.size && tree_hash_equals(&root, &next->root))
		bundle->summary.head = *next;
	else
		fault(bundle, "the first %" PRIu64 " entries are not those that were signed",
		      next->size);
	return 0;
}

/* Leaves --------------------------------------------------------------------------------------- */

static const struct slice entry_table = { "entry", 5 };

/* A row that was logged and is not there, once. */
static int name_row(struct bundle *bundle, struct slice table, struct slice key)
{
	int r = rows_name(bundle->logged.rows, table, key);

	if (r > 0)
		fault(bundle, "%.*s %.*s was logged, and is not there any more", (int)table.length,
		      table.at, (int)key.length, key.at);
	return r < 0 ? r : 0;
}

static int keep_row(struct bundle *bundle, struct slice table, struct slice key,
		    const struct tree_hash *hash)
{
	int r;

	if (bundle->is_naming)
		return name_row(bundle, table, key);
	r = logged_keep(&bundle->logged, table, key, hash);
	if (r > 0)
		fault(bundle, "%.*s %.*s was logged before, and not so (line %" PRIu64 ")",
		      (int)table.length, table.at, (int)key.length, key.at, bundle->n_lines);
	return r < 0 ? r : 0;
}

/* Votes, decisions and events go with all of their case, and their entries are empty then: to be
 * called gone, or emptied, takes an erasure, which stands in the log as one. */
static int keep_gone(struct bundle *bundle, const struct payload_line *line)
{
	if (bundle->is_naming)
		return 0;
	if (!bundle->may_erase || (line->kind == PAYLOAD_GONE && !payload_may_go(line->table))) {
		fault(bundle, "line %" PRIu64 " says that %.*s %.*s is gone, and erases nothing",
		      bundle->n_lines, (int)line->table.length, line->table.at,
		      (int)line->key.length, line->key.at);
		return 0;
	}
	return line->kind == PAYLOAD_GONE
		       ? rows_drop(bundle->logged.rows, line->table, line->key)
		       : rows_see(bundle->erased, line->table, line->key, &line->hash);
}

/* Rows with their hashes, rows that were erased, entries that were. */
static int keep_payload(struct bundle *bundle, struct slice payload)
{
	int r = 0;

	while (r == 0 && payload.length) {
		const struct payload_line line = payload_next(&payload);

		if (line.kind == PAYLOAD_ROW)
			r = keep_row(bundle, line.table, line.key, &line.hash);
		else if (line.kind != PAYLOAD_OTHER)
			r = keep_gone(bundle, &line);
		if (r > 0)
			r = 0;
	}
	return r;
}

/* An entry without a payload waits for the erasure that names it. */
static int keep_erased(struct bundle *bundle)
{
	const struct tree_hash hash = { { 0 } };
	char number[24];

	(void)snprintf(number, sizeof(number), "%" PRIu64, bundle->tree.size);
	bundle->summary.n_erased++;
	return rows_set(bundle->erased, entry_table, text_slice(number), &hash);
}

static int keep_word(struct bundle *bundle, const uint8_t id[LEAF_ID_SIZE],
		     const struct tree_hash *hash)
{
	char text[TEXT_UUID_LENGTH + 1];

	text_write_uuid(text, id);
	return keep_row(bundle, text_slice("content"), text_slice(text), hash);
}

static int keep_leaf(struct bundle *bundle, const struct leaf *leaf, bool is_erased)
{
	int r = 0;

	/* Words are erased with the payload of the entry that they came with. */
	for (size_t i = 0; r == 0 && !is_erased && i < leaf->n_rows; i++) {
		struct tree_hash hash;

		memcpy(hash.at, leaf->rows + i * LEAF_ROW_SIZE + LEAF_ID_SIZE, TREE_HASH_SIZE);
		r = keep_word(bundle, leaf->rows + i * LEAF_ROW_SIZE, &hash);
	}
	return r;
}

static int check_payload(struct bundle *bundle, const struct leaf *leaf, struct slice salt_field,
			 struct slice payload_field)
{
	uint8_t commitment[LEAF_HASH_SIZE];
	struct slice salt, payload;
	int r = decode(bundle, 1, salt_field, &salt);

	if (r == 0)
		r = decode(bundle, 2, payload_field, &payload);
	if (r == 0)
		r = leaf_commit(salt, payload, commitment);
	if (r < 0)
		return r;
	if (r || memcmp(commitment, leaf->commitment, sizeof(commitment)) != 0) {
		fault(bundle, "the payload of entry %" PRIu64 " is not the one that was logged",
		      bundle->tree.size);
		return 0;
	}
	return keep_payload(bundle, payload);
}

static int read_leaf(struct bundle *bundle, struct slice line)
{
	struct slice field = payload_field(&line), salt = payload_field(&line), bytes;
	struct tree_hash hash;
	struct leaf leaf;
	bool is_erased = is_gone(salt) && is_gone(line);
	int r = decode(bundle, 0, field, &bytes);

	if (r == 0)
		r = leaf_read(bytes, &leaf);
	if (r > 0)
		malformed(bundle, "entry");
	if (r)
		return r < 0 ? r : 0;
	bundle->may_erase = text_equals(leaf.event, text_slice("case.erased"));
	bundle->summary.n_erasures += bundle->may_erase;
	/* A key that was sealed again leaves its place. */
	bundle->may_erase |= text_equals(leaf.event, text_slice("stanza.delete"));
	r = keep_leaf(bundle, &leaf, is_erased);
	if (r == 0)
		r = is_erased ? keep_erased(bundle) : check_payload(bundle, &leaf, salt, line);
	if (r == 0)
		r = tree_hash_leaf(bytes, &hash);
	if (r == 0)
		r = tree_append(&bundle->tree, &hash, NULL, NULL);
	bundle->summary.n_leaves = bundle->tree.size;
	return r ? r : meet_checkpoints(bundle);
}

/* Words and rows that wait for their number. */
static int read_pending(struct bundle *bundle, struct slice line)
{
	struct slice field = payload_field(&line), payload;
	int r = decode(bundle, 0, field, &payload);

	if (r > 0) {
		malformed(bundle, "pending entry");
		return 0;
	}
	bundle->may_erase = true;
	if (r == 0)
		r = keep_payload(bundle, payload);
	while (r == 0 && line.length && !is_gone(line)) {
		const char *comma = memchr(line.at, ',', line.length);
		size_t length = comma ? (size_t)(comma - line.at) : line.length;
		struct slice hex = { line.at + TEXT_UUID_LENGTH + 1, 2 * TREE_HASH_SIZE };
		struct tree_hash hash;

		if (length != TEXT_UUID_LENGTH + 1 + hex.length || !payload_read_hash(hex, &hash)) {
			malformed(bundle, "pending entry");
			return 0;
		}
		r = keep_row(bundle, text_slice("content"),
			     (struct slice){ line.at, TEXT_UUID_LENGTH }, &hash);
		line.at += length + (comma != NULL);
		line.length -= length + (comma != NULL);
	}
	return r;
}

/* Rows ----------------------------------------------------------------------------------------- */

static int see(struct bundle *bundle, struct slice table, struct slice key, struct slice bytes)
{
	struct tree_hash hash;
	int r = crypto_sha256(bytes, hash.at);

	if (r == 0)
		r = rows_see(bundle->logged.rows, table, key, &hash);
	if (r == ROWS_E_UNKNOWN)
		fault(bundle, "%.*s %.*s is not in the log", (int)table.length, table.at,
		      (int)key.length, key.at);
	else if (r == ROWS_E_OTHER)
		fault(bundle, "%.*s %.*s is not what was logged", (int)table.length, table.at,
		      (int)key.length, key.at);
	else if (r == ROWS_E_AGAIN)
		fault(bundle, "%.*s %.*s is there twice", (int)table.length, table.at,
		      (int)key.length, key.at);
	return r < 0 ? r : 0;
}

static void follow_event(struct bundle *bundle, const struct value *event)
{
	struct chain *chain = &bundle->chain;
	int r = chain_follow(chain, event);

	if (r == CHAIN_E_NONE)
		malformed(bundle, "event");
	else if (r)
		fault(bundle, "event %" PRId64 " of proceeding %s does not follow the one before",
		      chain->seq, value_get_string(event, "proceeding_id"));
}

static int read_row(struct bundle *bundle, struct slice line)
{
	CLEANUP(value_freep) struct value *event = NULL;
	struct slice table = payload_field(&line), field = payload_field(&line), text;
	int r = decode(bundle, 0, field, &text);

	if (r > 0)
		malformed(bundle, "row");
	if (r)
		return r < 0 ? r : 0;
	bundle->summary.n_rows++;
	r = see(bundle, table, line, text);
	if (r || !text_equals(table, text_slice("event")))
		return r;
	r = value_parse(text, &event, NULL);
	if (r == 0)
		follow_event(bundle, event);
	else if (r > 0)
		malformed(bundle, "event");
	return r < 0 ? r : 0;
}

static int read_head(struct bundle *bundle, struct slice line)
{
	struct slice proceeding = payload_field(&line), version = payload_field(&line);

	if (!chain_end(&bundle->chain, proceeding, version, line))
		fault(bundle, "proceeding %.*s is not where its events lead",
		      (int)proceeding.length, proceeding.at);
	return 0;
}

static int read_word(struct bundle *bundle, struct slice line)
{
	struct slice id = payload_field(&line), bytes;
	int r = decode(bundle, 0, line, &bytes);

	if (r > 0)
		malformed(bundle, "word");
	if (r)
		return r < 0 ? r : 0;
	bundle->summary.n_words++;
	return see(bundle, text_slice("content"), id, bytes);
}

/* Catalog -------------------------------------------------------------------------------------- */

static int read_catalog(struct bundle *bundle, struct slice line)
{
	struct slice kind = payload_field(&line), hex = payload_field(&line);
	struct tree_hash hash;
	int r;

	if (!payload_read_hash(hex, &hash)) {
		malformed(bundle, "part of the catalog");
		return 0;
	}
	if (!bundle->logged.catalog)
		return 0;
	r = catalog_see(bundle->logged.catalog, kind, line, &hash);
	if (r > 0)
		fault(bundle, "%.*s %.*s of the database %s", (int)kind.length, kind.at,
		      (int)line.length, line.at,
		      r == ROWS_E_UNKNOWN ? "is none that was shipped"
		      : r == ROWS_E_AGAIN ? "is there twice"
					  : "is other than it was shipped");
	return r < 0 ? r : 0;
}

/* The whole ------------------------------------------------------------------------------------ */

static int read_end(struct bundle *bundle, struct slice line)
{
	char number[24];

	(void)snprintf(number, sizeof(number), "%" PRIu64, bundle->n_lines - 1);
	if (!text_equals(line, text_slice(number)))
		fault(bundle, "the bundle has lost lines, or gained some");
	bundle->has_ended = true;
	return 0;
}

static const struct {
	const char *name;
	int (*read)(struct bundle *bundle, struct slice line);
} kinds[] = {
	{ "origin", read_origin }, { "checkpoint", read_checkpoint },
	{ "leaf", read_leaf },     { "pending", read_pending },
	{ "row", read_row },       { "head", read_head },
	{ "word", read_word },     { "catalog", read_catalog },
	{ "end", read_end },
};

int bundle_new(const struct bundle_setup *setup, struct bundle **ret_bundle)
{
	struct bundle *bundle = calloc(1, sizeof(*bundle));
	int r;

	if (!bundle)
		return -ENOMEM;
	bundle->setup = *setup;
	r = logged_init(&bundle->logged, setup->catalog);
	if (r == 0)
		r = rows_new(&bundle->erased);
	if (r) {
		bundle_free(bundle);
		return r;
	}
	*ret_bundle = bundle;
	return 0;
}

struct bundle *bundle_free(struct bundle *bundle)
{
	if (!bundle)
		return NULL;
	logged_deinit(&bundle->logged);
	rows_free(bundle->erased);
	free(bundle->checkpoints);
	for (size_t i = 0; i < ARRAY_SIZE(bundle->bytes); i++)
		free(bundle->bytes[i]);
	free(bundle);
	return NULL;
}

int bundle_read(struct bundle *bundle, struct slice line)
{
	struct slice whole = line, name;

	if (bundle->n_lines++ == 0) {
		if (!text_equals(line, text_slice("conductd audit bundle 1")))
			fault(bundle, "this is no bundle of version 1");
		return 0;
	}
	name = payload_field(&line);
	for (size_t i = 0; !bundle->has_ended && i < ARRAY_SIZE(kinds); i++)
		if (text_equals(name, text_slice(kinds[i].name)))
			return kinds[i].read(bundle, line);
	fault(bundle, "line %" PRIu64 " is nothing that a bundle has (%zu bytes)", bundle->n_lines,
	      whole.length);
	return 0;
}

/* What a leaf says of rows; what is wrong with it was told when it was read. */
static int name_leaf(struct bundle *bundle, struct slice line)
{
	struct slice field = payload_field(&line), salt = payload_field(&line), bytes, payload;
	struct leaf leaf;
	int r;

	if (is_gone(salt) && is_gone(line))
		return 0;
	r = decode(bundle, 0, field, &bytes);
	if (r == 0)
		r = leaf_read(bytes, &leaf);
	if (r == 0)
		r = keep_leaf(bundle, &leaf, false);
	if (r == 0)
		r = decode(bundle, 2, line, &payload);
	if (r == 0)
		r = keep_payload(bundle, payload);
	return r < 0 ? r : 0;
}

bool bundle_misses_rows(const struct bundle *bundle)
{
	return rows_count_unseen(bundle->logged.rows) > 0;
}

int bundle_name_rows(struct bundle *bundle, struct slice line)
{
	struct slice name = payload_field(&line);

	bundle->is_naming = true;
	if (text_equals(name, text_slice("leaf")))
		return name_leaf(bundle, line);
	return text_equals(name, text_slice("pending")) ? read_pending(bundle, line) : 0;
}

int bundle_finish(struct bundle *bundle, struct bundle_summary *ret_summary)
{
	uint64_t n = rows_count_unseen(bundle->logged.rows);

	if (!bundle->has_ended)
		fault(bundle, "the bundle has no end");
	if (bundle->n_met < bundle->n_checkpoints)
		fault(bundle, "%" PRIu64 " entries were signed, and there are %" PRIu64,
		      bundle->checkpoints[bundle->n_checkpoints - 1].size, bundle->tree.size);
	if (bundle->n_checkpoints == 0 && bundle->tree.size)
		fault(bundle, "no checkpoint was signed");
	if (n)
		fault(bundle, "%" PRIu64 " rows that were logged are not there any more", n);
	n = rows_count_unseen(bundle->erased);
	if (n)
		fault(bundle, "%" PRIu64 " entries were emptied, and no erasure names them", n);
	if (bundle->chain.seq)
		fault(bundle, "proceeding %s has no head", bundle->chain.proceeding);
	n = bundle->logged.catalog ? catalog_count_unseen(bundle->logged.catalog) : 0;
	if (n)
		fault(bundle, "%" PRIu64 " parts of the database that were shipped are missing", n);
	*ret_summary = bundle->summary;
	return 0;
}
