/* A whole bundle is verified; every kind of fault in one is told. */

#include "tests/unit/suite.h"

#include "daemon/audit/bundle.h"
#include "daemon/audit/leaf.h"
#include "daemon/audit/rows.h"
#include "daemon/base/buffer.h"
#include "daemon/base/codec.h"
#include "daemon/crypto/crypto.h"

enum { LINES_MAX = 32, LINE_MAX_ = 2048 };

static const char case_row[] = "{\"case_id\":\"c1\"}";
static const char word[] = "ciphertext";
static const char word_id[] = "01020304-0506-0708-090a-0b0c0d0e0f10";
#define HASH_A "00000000000000000000000000000000000000000000000000000000000000aa"
#define HASH_B "00000000000000000000000000000000000000000000000000000000000000bb"

static const char catalog[] = "catalog table " HASH_A " conduct.vote\n"
			      "catalog trigger " HASH_B
			      " conduct.case_file.case_file_changes_are_logged\n";
static const char proceeding[] = "11111111-1111-1111-1111-111111111111";

static char lines[LINES_MAX][LINE_MAX_];
static size_t n_lines;
static struct tree tree;
static struct note_key key;
static uint8_t secret[ED25519_KEY_SIZE];

static bool names_rows;
static size_t n_faults;
static char faults[8192];

static void on_fault(void *userdata, const char *text)
{
	n_faults++;
	strncat(faults, text, sizeof(faults) - strlen(faults) - 2);
	strcat(faults, "\n");
}

static const char *base64(struct slice bytes)
{
	static char texts[4][1024];
	static unsigned nth;
	char *text = texts[nth++ % 4];

	codec_base64_encode(text, bytes.at, bytes.length);
	return text;
}

static const char *hex_of(const char *text)
{
	static char hex[2 * CRYPTO_SHA256_SIZE + 1];
	uint8_t hash[CRYPTO_SHA256_SIZE];

	ck_assert_int_eq(crypto_sha256(slice_of(text), hash), 0);
	codec_hex_encode(hex, hash, sizeof(hash));
	return hex;
}

#define LINE(...) ((void)snprintf(lines[n_lines], LINE_MAX_, __VA_ARGS__), n_lines++)

static void add_leaf(const char *event, const char *payload, bool has_word)
{
	static const char salt[LEAF_SALT_SIZE] = { 7 };
	struct leaf leaf = { .at_usec = 1, .event = slice_of(event) };
	struct slice whole = { salt, sizeof(salt) };
	uint8_t rows[LEAF_ROW_SIZE], bytes[1024];
	struct tree_hash hash;
	size_t length;

	for (size_t i = 0; i < LEAF_ID_SIZE; i++)
		rows[i] = (uint8_t)(i + 1);
	ck_assert_int_eq(crypto_sha256(slice_of(word), rows + LEAF_ID_SIZE), 0);
	leaf.n_rows = has_word;
	leaf.rows = rows;
	ck_assert_int_eq(leaf_commit(whole, slice_of(payload), leaf.commitment), 0);
	ck_assert_int_eq(leaf_write(&leaf, bytes, &length), 0);
	whole = (struct slice){ (char *)bytes, length };
	ck_assert_int_eq(tree_hash_leaf(whole, &hash), 0);
	ck_assert_int_eq(tree_append(&tree, &hash, NULL, NULL), 0);
	LINE("leaf %s %s %s", base64(whole), base64((struct slice){ salt, sizeof(salt) }),
	     base64(slice_of(payload)));
}

static void write_checkpoint(char line[LINE_MAX_])
{
	struct checkpoint checkpoint = { .origin = "log/1", .size = tree.size };
	uint8_t signature[ED25519_SIGNATURE_SIZE];
	char text[NOTE_TEXT_MAX], note[NOTE_SIZE_MAX];
	size_t length;

	ck_assert_int_eq(tree_get_root(&tree, &checkpoint.root), 0);
	ck_assert_int_eq(note_write_text(&checkpoint, text, &length), 0);
	ck_assert_int_eq(ed25519_sign(secret, (struct slice){ text, length }, signature), 0);
	ck_assert_int_eq(note_write((struct slice){ text, length }, &key, signature, note, &length),
			 0);
	(void)snprintf(line, LINE_MAX_, "checkpoint %s", base64((struct slice){ note, length }));
}

static void event(char text[256], int seq, const char *from, const char *to)
{
	(void)snprintf(
		text, 256,
		"{\"seq\": %d, \"revision\": %d, \"to_state\": \"%s\", \"from_state\": \"%s\", "
		"\"proceeding_id\": \"%s\"}",
		seq, seq, to, from, proceeding);
}

/* A bundle whose last entry is called this, and says more than the row of a case. */
static void make(const char *last_event, const char *last_more)
{
	char payload[512], first[256], second[256];
	uint8_t public[ED25519_KEY_SIZE];
	size_t at_checkpoint;

	tree = (struct tree)TREE_NULL;
	names_rows = true;
	n_lines = 0;
	memset(secret, 9, sizeof(secret));
	ck_assert_int_eq(ed25519_get_public(secret, public), 0);
	ck_assert_int_eq(note_key_init(&key, "host", public), 0);
	event(first, 1, "new", "received");
	event(second, 2, "received", "triage");

	LINE("conductd audit bundle 1");
	LINE("origin log/1");
	at_checkpoint = n_lines;
	n_lines += 2;
	(void)snprintf(payload, sizeof(payload), "unit u\ncase_file c1 %s\n", hex_of("old"));
	add_leaf("content.insert", payload, true);
	write_checkpoint(lines[at_checkpoint]);
	(void)snprintf(payload, sizeof(payload), "event %s/1 %s\n", proceeding, hex_of(first));
	add_leaf("case.submit", payload, false);
	(void)snprintf(payload, sizeof(payload), "case_file c1 %s\n%s", hex_of(case_row),
		       last_more);
	add_leaf(last_event, payload, false);
	write_checkpoint(lines[at_checkpoint + 1]);
	(void)snprintf(payload, sizeof(payload), "event %s/2 %s\n", proceeding, hex_of(second));
	LINE("pending %s -", base64(slice_of(payload)));
	LINE("row case_file %s c1", base64(slice_of(case_row)));
	LINE("row event %s %s/1", base64(slice_of(first)), proceeding);
	LINE("row event %s %s/2", base64(slice_of(second)), proceeding);
	LINE("head %s 2 triage", proceeding);
	LINE("word %s %s", word_id, base64(slice_of(word)));
	LINE("catalog table " HASH_A " conduct.vote");
	LINE("catalog trigger " HASH_B " conduct.case_file.case_file_changes_are_logged");
	LINE("end %zu", n_lines);
}

static void setup(void)
{
	make("case_file.update", "");
}

static struct bundle_summary verify(void)
{
	const struct bundle_setup bundle_setup = { &key, 1, catalog, on_fault, NULL };
	struct bundle_summary summary;
	struct bundle *bundle;

	n_faults = 0;
	*faults = '\0';
	ck_assert_int_eq(bundle_new(&bundle_setup, &bundle), 0);
	for (size_t i = 0; i < n_lines; i++)
		if (*lines[i])
			ck_assert_int_eq(bundle_read(bundle, slice_of(lines[i])), 0);
	for (size_t i = 0; names_rows && bundle_misses_rows(bundle) && i < n_lines; i++)
		ck_assert_int_eq(bundle_name_rows(bundle, slice_of(lines[i])), 0);
	ck_assert_int_eq(bundle_finish(bundle, &summary), 0);
	bundle_free(bundle);
	ck_assert_uint_eq(summary.n_faults, n_faults);
	return summary;
}

static void ck_fault(const char *text)
{
	(void)verify();
	ck_assert_msg(strstr(faults, text), "\"%s\" is not in \"%s\"", text, faults);
}

static char *line_of(const char *start, unsigned nth)
{
	for (size_t i = 0; i < n_lines; i++)
		if (strncmp(lines[i], start, strlen(start)) == 0 && nth-- == 0)
			return lines[i];
	ck_abort_msg("no line %s", start);
	return NULL;
}

START_TEST(a_whole_bundle_is_verified)
{
	struct bundle_summary summary = verify();

	ck_assert_str_eq(faults, "");
	ck_assert_uint_eq(summary.n_leaves, 3);
	ck_assert_uint_eq(summary.n_checkpoints, 2);
	ck_assert_uint_eq(summary.n_rows, 3);
	ck_assert_uint_eq(summary.n_words, 1);
	ck_assert_uint_eq(summary.n_erased, 0);
	ck_assert_uint_eq(summary.head.size, 3);
}
END_TEST

START_TEST(every_changed_character_is_a_fault)
{
	for (size_t i = 0; i < n_lines; i++) {
		/* What is pending is signed by nobody yet: other notes in it are no fault. */
		if (strncmp(lines[i], "pending", 7) == 0)
			continue;
		for (size_t at = 0; lines[i][at]; at++)
			for (int bit = 0; bit < 7; bit += 3) {
				char old = lines[i][at];

				lines[i][at] = (char)(old ^ (1 << bit));
				if (lines[i][at] != '\0') {
					(void)verify();
					ck_assert_msg(n_faults > 0, "line %zu, byte %zu: %s", i, at,
						      lines[i]);
				}
				lines[i][at] = old;
			}
	}
}
END_TEST

START_TEST(every_missing_and_every_doubled_line_is_a_fault)
{
	char line[LINE_MAX_];

	for (size_t i = 0; i < n_lines; i++) {
		memcpy(line, lines[i], sizeof(line));
		*lines[i] = '\0';
		(void)verify();
		ck_assert_uint_gt(n_faults, 0);
		memcpy(lines[i], line, sizeof(line));
	}
	n_lines++;
	for (size_t i = n_lines - 1; i > 0; i--) {
		memcpy(lines[i], lines[i - 1], sizeof(line));
		(void)verify();
		ck_assert_uint_gt(n_faults, 0);
	}
}
END_TEST

START_TEST(each_fault_is_told_by_name)
{
	char *line = line_of("row case_file", 0);

	(void)snprintf(line, LINE_MAX_, "row case_file %s c1", base64(slice_of("{}")));
	ck_fault("case_file c1 is not what was logged");
	(void)snprintf(line, LINE_MAX_, "row case_file %s c2", base64(slice_of("{}")));
	ck_fault("case_file c2 is not in the log");
	ck_fault("case_file c1 was logged, and is not there any more");
	names_rows = false;
	ck_fault("1 rows that were logged are not there any more");
	setup();
	line = line_of("word", 0);
	(void)snprintf(line, LINE_MAX_, "word %s %s", word_id, base64(slice_of("older")));
	ck_fault("content 01020304-0506-0708-090a-0b0c0d0e0f10 is not what was logged");
	setup();
	(void)snprintf(line_of("head", 0), LINE_MAX_, "head %s 1 received", proceeding);
	ck_fault("is not where its events lead");
	setup();
	*line_of("row event", 0) = '\0';
	ck_fault("does not follow the one before");
	setup();
	line_of("catalog table", 0)[14] = '1';
	ck_fault("table conduct.vote of the database is other than it was shipped");
	setup();
	strcat(line_of("catalog table", 0), "2");
	ck_fault("is none that was shipped");
	ck_fault("1 parts of the database that were shipped are missing");
	setup();
	*line_of("leaf", 2) = '\0';
	ck_fault("3 entries were signed, and there are 2");
}
END_TEST

START_TEST(a_log_that_others_signed_is_not_verified)
{
	uint8_t public[ED25519_KEY_SIZE] = { 1 };

	ck_assert_int_eq(note_key_init(&key, "host", public), 0);
	ck_fault("is signed by none of the keys");
	setup();
	*line_of("checkpoint", 0) = '\0';
	*line_of("checkpoint", 0) = '\0';
	ck_fault("no checkpoint was signed");
}
END_TEST

/* One more pending entry, with this payload. */
static void pend(const char *payload)
{
	char *line = line_of("pending", 0);

	memmove(line + LINE_MAX_, line, (size_t)(lines[n_lines] - line));
	n_lines++;
	(void)snprintf(line, LINE_MAX_, "pending %s -", base64(slice_of(payload)));
	(void)snprintf(line_of("end", 0), LINE_MAX_, "end %zu", n_lines - 1);
}

START_TEST(what_an_erasure_names_is_counted_and_asks_for_nothing)
{
	char *line = line_of("leaf", 0);
	struct bundle_summary summary;

	strcpy(strchr(strchr(line, ' ') + 1, ' '), " - -");
	pend("erasure text c1\nentry 0\nentry 77\n");
	*line_of("word", 0) = '\0';
	(void)snprintf(line_of("end", 0), LINE_MAX_, "end %zu", n_lines - 2);
	summary = verify();
	ck_assert_str_eq(faults, "");
	ck_assert_uint_eq(summary.n_erased, 1);
}
END_TEST

START_TEST(history_is_not_logged_again_in_other_words)
{
	char payload[512], text[256];

	/* An event, edited where it lies, and logged once more as it is now. */
	event(text, 1, "new", "closed");
	(void)snprintf(payload, sizeof(payload), "event %s/1 %s\n", proceeding, hex_of(text));
	(void)snprintf(line_of("pending", 0), LINE_MAX_, "pending %s -", base64(slice_of(payload)));
	ck_fault("event 11111111-1111-1111-1111-111111111111/1 was logged before, and not so");
}
END_TEST

START_TEST(a_word_is_not_logged_again_in_other_bytes)
{
	(void)snprintf(line_of("pending", 0), LINE_MAX_, "pending %s %s:%s",
		       base64(slice_of("unit u\n")), word_id, hex_of("another"));
	ck_fault("was logged before, and not so");
}
END_TEST

START_TEST(what_changes_is_logged_again)
{
	char payload[512];

	(void)snprintf(payload, sizeof(payload), "case_file c1 %s\n", hex_of("newer"));
	(void)snprintf(line_of("pending", 0), LINE_MAX_, "pending %s -", base64(slice_of(payload)));
	(void)verify();
	ck_assert_ptr_null(strstr(faults, "was logged before"));
}
END_TEST

START_TEST(what_was_emptied_without_an_erasure_is_found)
{
	char *line = line_of("leaf", 0);

	strcpy(strchr(strchr(line, ' ') + 1, ' '), " - -");
	pend("erasure text c1\nentry 1\n");
	*line_of("word", 0) = '\0';
	(void)snprintf(line_of("end", 0), LINE_MAX_, "end %zu", n_lines - 2);
	ck_fault("1 entries were emptied, and no erasure names them");
}
END_TEST

START_TEST(what_is_gone_is_not_missed_and_not_believed)
{
	char payload[128];

	(void)snprintf(payload, sizeof(payload), "gone content %s\n", word_id);
	pend(payload);
	(void)snprintf(payload, sizeof(payload), "content %s is not what was logged", word_id);
	ck_fault(payload);
	*line_of("word", 0) = '\0';
	(void)snprintf(line_of("end", 0), LINE_MAX_, "end %zu", n_lines - 2);
	(void)verify();
	ck_assert_str_eq(faults, "");
}
END_TEST

START_TEST(what_is_there_twice_is_found)
{
	static const char *const starts[] = { "row case_file", "word", "catalog table" };

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		char *line;

		setup();
		line = line_of(starts[i], 0);
		memmove(line + LINE_MAX_, line, (size_t)(lines[n_lines] - line));
		n_lines++;
		(void)snprintf(line_of("end", 0), LINE_MAX_, "end %zu", n_lines - 1);
		ck_fault("is there twice");
		ck_assert_uint_eq(n_faults, 1);
	}
}
END_TEST

START_TEST(what_goes_with_its_case_is_not_called_gone)
{
	pend("gone case_file c1\n");
	ck_fault("says that case_file c1 is gone, and erases nothing");
}
END_TEST

START_TEST(history_is_not_logged_again_by_what_calls_itself_kept)
{
	char text[256], more[256];

	event(text, 1, "new", "closed");
	(void)snprintf(more, sizeof(more), "event %s/1 %s\n", proceeding, hex_of(text));
	make("case.kept", more);
	ck_fault("event 11111111-1111-1111-1111-111111111111/1 was logged before, and not so");
}
END_TEST

START_TEST(what_erases_nothing_calls_nothing_gone)
{
	char more[256];

	(void)snprintf(more, sizeof(more), "gone content %s\nentry 0\n", word_id);
	make("case.note", more);
	ck_fault("is gone, and erases nothing");
	make("case.note", "entry 0\n");
	ck_fault("says that entry 0 is gone, and erases nothing");
	make("stanza.delete", "gone stanza u/1/vault/1\n");
	ck_assert_uint_eq(verify().n_erasures, 0);
	ck_assert_str_eq(faults, "");
	make("case.erased", more);
	*line_of("word", 0) = '\0';
	(void)snprintf(line_of("end", 0), LINE_MAX_, "end %zu", n_lines - 2);
	ck_assert_uint_eq(verify().n_erasures, 1);
	ck_assert_str_eq(faults, "");
}
END_TEST

START_TEST(missing_rows_of_every_entry_are_named_once)
{
	static const char *const names[] = {
		"content 01020304-0506-0708-090a-0b0c0d0e0f10 was logged",
		"stanza u/1/vault/1 was logged",
	};
	char line[128];

	(void)snprintf(line, sizeof(line), "stanza u/1/vault/1 %s\n", hex_of("key"));
	pend(line);
	pend(line);
	ck_fault(names[1]);
	*line_of("word", 0) = '\0';
	(void)snprintf(line_of("end", 0), LINE_MAX_, "end %zu", n_lines - 2);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ck_fault(names[i]);
	ck_assert_uint_eq(n_faults, 2);
}
END_TEST

START_TEST(what_is_no_bundle_is_told_line_by_line)
{
	static const char long_origin[] = "origin a-name-that-is-longer-than-a-name-may-be-and-on-"
					  "and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on";
	static const char long_pending[] =
		"pending YQ== 01020304-0506-0708-090a-0b0c0d0e0f10:"
		"zz00000000000000000000000000000000000000000000000000000000000000,x";
	static const char *const bad[] = {
		long_origin,        "leaf AA==",        "leaf ! - -",    "pending !",
		"pending YQ== x",   long_pending,       "row event ! k", "row event e k",
		"row event e30= k", "row event W10= k", "head x 1 y",    "word x !",
		"catalog a b c",    "nothing at all",   "checkpoint !",  "checkpoint AAAA",
	};
	static const char *const events[] = {
		"{\"proceeding_id\":\"x\"}",
		"{\"proceeding_id\":\"x\",\"from_state\":\"new\"}",
		"{\"proceeding_id\":\"x\",\"from_state\":\"new\",\"to_state\":\"y\"}",
		"{\"proceeding_id\":\"11111111-1111-1111-1111-111111111111\","
		"\"from_state\":\"new\","
		"\"to_state\":\"a_state_with_a_name_that_is_longer_than_forty_bytes\"}",
	};
	size_t n = n_lines - 1;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		(void)snprintf(lines[n], LINE_MAX_, "%s", bad[i]);
		(void)verify();
		ck_assert_msg(n_faults > 1, "%s", bad[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		(void)snprintf(lines[n], LINE_MAX_, "row event %s k", base64(slice_of(events[i])));
		ck_fault("is no event");
	}
	memcpy(lines[n], lines[2], LINE_MAX_);
	ck_fault("is no checkpoint in its place");
	strcpy(strrchr(line_of("leaf", 0), ' '), " -");
	ck_fault("is not the one that was logged");
}
END_TEST

START_TEST(a_bundle_is_verified_without_catalog_and_listener)
{
	const struct bundle_setup quiet = { .keys = &key, .n_keys = 1 };
	struct bundle_summary summary;
	struct bundle *bundle;

	ck_assert_int_eq(bundle_new(&quiet, &bundle), 0);
	for (size_t i = 0; i < n_lines; i++)
		ck_assert_int_eq(bundle_read(bundle, slice_of(lines[i])), 0);
	ck_assert_int_eq(bundle_read(bundle, SLICE("more")), 0);
	ck_assert_int_eq(bundle_finish(bundle, &summary), 0);
	ck_assert_uint_eq(summary.n_faults, 1);
	bundle_free(bundle);
}
END_TEST

START_TEST(thousands_of_rows_are_kept_and_found)
{
	struct rows *rows;

	ck_assert_int_eq(rows_new(&rows), 0);
	for (uint32_t i = 0; i < 5000; i++) {
		const struct slice name = { (const char *)&i, sizeof(i) };
		const struct tree_hash hash = { { (uint8_t)i } };

		ck_assert_int_eq(rows_set(rows, SLICE("t"), name, &hash), 0);
	}
	for (uint32_t i = 0; i < 5001; i++) {
		const struct slice name = { (const char *)&i, sizeof(i) };
		const struct tree_hash hash = { { (uint8_t)i } };
		int expected = i < 5000 ? 0 : ROWS_E_UNKNOWN;

		ck_assert_uint_eq(rows_count_unseen(rows), i < 5000 ? 5000 - i : 0);
		ck_assert_int_eq(rows_see(rows, SLICE("t"), name, &hash), expected);
	}
	rows_free(rows);
}
END_TEST

SUITE_EACH("audit/bundle", setup, NULL, a_whole_bundle_is_verified,
	   every_changed_character_is_a_fault, every_missing_and_every_doubled_line_is_a_fault,
	   each_fault_is_told_by_name, a_log_that_others_signed_is_not_verified,
	   what_an_erasure_names_is_counted_and_asks_for_nothing,
	   history_is_not_logged_again_in_other_words, a_word_is_not_logged_again_in_other_bytes,
	   what_changes_is_logged_again, what_was_emptied_without_an_erasure_is_found,
	   what_is_gone_is_not_missed_and_not_believed, what_goes_with_its_case_is_not_called_gone,
	   what_is_there_twice_is_found, history_is_not_logged_again_by_what_calls_itself_kept,
	   what_erases_nothing_calls_nothing_gone, missing_rows_of_every_entry_are_named_once,
	   what_is_no_bundle_is_told_line_by_line,
	   a_bundle_is_verified_without_catalog_and_listener, thousands_of_rows_are_kept_and_found)
