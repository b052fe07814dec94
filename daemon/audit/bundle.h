#pragma once
/*
 * A bundle: the log and what it speaks of, as lines of text that can be verified anywhere. Fields
 * are divided by one blank; bytes are base64; "-" stands for what was erased.
 *
 *   conductd audit bundle 1
 *   origin NAME
 *   checkpoint NOTE                 each, by size; the note in base64
 *   leaf BYTES SALT PAYLOAD         each, by number from 0
 *   pending PAYLOAD ROWS            not numbered yet; ROWS: ID:SHA256 in hex, divided by commas
 *   row TABLE TEXT KEY              a row as it is now: JSON without nulls, and its key
 *   head PROCEEDING VERSION STATE   behind the rows of its events, which come by number
 *   word ID BYTES                   a ciphertext as it is now
 *   catalog KIND SHA256 NAME        what the database is built of
 *   end N                           how many lines there are before this one
 *
 * A payload's lines are TABLE KEY SHA256, a row each. An entry has `gone TABLE KEY` for a row that
 * was erased, or a key that was sealed again to another one, and the entry of an erasure `entry N`
 * for each entry whose payload was. Others say what was done and are not looked at.
 *
 * Beside rows of tables there are those of `content_place`: of a word its unit, party and kind, of
 * a piece of a file the file and its number; and of `stanza`: the unit's kind, and bytes in hex.
 */

#include "daemon/audit/note.h"

enum { BUNDLE_LINE_MAX = 16 * 1024 * 1024 };

struct bundle;

struct bundle_setup {
	const struct note_key *keys; /* borrowed; a checkpoint needs a signature of one of them */
	size_t n_keys;
	const char *catalog; /* the lines that are expected; borrowed; NULL: not compared */
	void (*fault)(void *userdata,
		      const char *text); /* one line each, nothing that was sealed */
	void *userdata;
};

struct bundle_summary {
	uint64_t n_leaves;
	uint64_t n_checkpoints;
	uint64_t n_rows;
	uint64_t n_words;
	uint64_t n_erased; /* leaves whose payload was erased */
	uint64_t n_erasures;
	uint64_t n_faults;
	struct checkpoint head; /* the last one that was verified; without origin: none */
};

int bundle_new(const struct bundle_setup *setup, struct bundle **ret_bundle);
struct bundle *bundle_free(struct bundle *bundle);
/* One line without its newline. 0 or negative; what is wrong is told as faults. */
int bundle_read(struct bundle *bundle, struct slice line);
/* Of a bundle that was read. Each of its lines once more tells which rows those are, as faults. */
bool bundle_misses_rows(const struct bundle *bundle);
int bundle_name_rows(struct bundle *bundle, struct slice line);
int bundle_finish(struct bundle *bundle, struct bundle_summary *ret_summary);
