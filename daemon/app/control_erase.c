/*
 * conductctl erase replay: a restored backup has again what was erased since it was made. A bundle
 * of the log that is newer names it, and it is erased once more, in the log's order.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/app/control.h"
#include "daemon/audit/leaf.h"
#include "daemon/base/codec.h"
#include "daemon/base/text.h"

enum { EXTENT_MAX = 16, FIELD_MAX = TEXT_UUID_LENGTH };

/* What one entry says was erased; no party: the whole case. */
struct erased {
	char extent[EXTENT_MAX];
	char case_id[FIELD_MAX + 1];
	char party_id[FIELD_MAX + 1];
};

struct replay {
	struct pg_session *session;
	unsigned n_done;
	unsigned n_unknown; /* cases that the backup does not have */
};

static bool take_word(const char **at, const char *end, char *ret_word, size_t size)
{
	size_t length = 0;

	while (*at + length < end && (*at)[length] != ' ' && (*at)[length] != '\n')
		length++;
	if (length == 0 || length >= size)
		return false;
	memcpy(ret_word, *at, length);
	ret_word[length] = '\0';
	*at += length + (*at + length < end && (*at)[length] == ' ');
	return true;
}

/* The first line of such a payload: "erasure EXTENT CASE [PARTY]". */
static bool read_payload(struct slice payload, struct erased *ret_erased)
{
	const char *at = payload.at, *end = payload.at + payload.length;
	char word[EXTENT_MAX];
	struct erased erased = { 0 };

	if (!take_word(&at, end, word, sizeof(word)) || strcmp(word, "erasure") != 0 ||
	    !take_word(&at, end, erased.extent, sizeof(erased.extent)) ||
	    !take_word(&at, end, erased.case_id, sizeof(erased.case_id)) ||
	    !text_is_uuid(text_slice(erased.case_id)))
		return false;
	if (take_word(&at, end, erased.party_id, sizeof(erased.party_id)) &&
	    !text_is_uuid(text_slice(erased.party_id)))
		return false;
	*ret_erased = erased;
	return true;
}

/* Decodes base64 into memory of the caller's. 0, or negative, or CODEC_E_MALFORMED. */
static int decode(const char *field, char **ret_bytes, struct slice *ret_slice)
{
	size_t size = strlen(field) / 4 * 3 + 1, length = 0;
	char *bytes = malloc(size);
	int r;

	if (!bytes)
		return -ENOMEM;
	r = codec_base64_decode(text_slice(field), bytes, size, &length);
	if (r) {
		free(bytes);
		return r;
	}
	*ret_bytes = bytes;
	*ret_slice = (struct slice){ bytes, length };
	return 0;
}

/* Whether a line of the bundle is the entry of an erasure. */
static bool read_line(char *line, struct erased *ret_erased)
{
	static const char event[] = "case.erased";
	char *fields[4] = { NULL }, *rest = line, *bytes = NULL, *text = NULL;
	struct slice slice, payload;
	struct leaf leaf;
	bool is_one;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		fields[i] = strsep(&rest, " \n");
	if (!fields[3] || strcmp(fields[0], "leaf") != 0 || strcmp(fields[3], "-") == 0)
		return false;
	is_one = decode(fields[1], &bytes, &slice) == 0 && leaf_read(slice, &leaf) == 0 &&
		 text_equals(leaf.event, (struct slice){ event, sizeof(event) - 1 }) &&
		 decode(fields[3], &text, &payload) == 0 && read_payload(payload, ret_erased);
	free(bytes);
	free(text);
	return is_one;
}

static int erase(struct replay *replay, const struct erased *erased)
{
	const char *params[] = { erased->case_id, erased->extent,
				 *erased->party_id ? erased->party_id : NULL };
	struct pg_rows *rows = NULL;
	const char *outcome;
	int r = pg_session_query(replay->session, "select conduct_gate.erase($1, $2, $3, true)",
				 params, ARRAY_SIZE(params), &rows);

	if (r)
		return control_fail("%s", r < 0 ? strerror(-r) : pg_session_error(replay->session));
	outcome = pg_rows_text(rows, 0, 0);
	if (strcmp(outcome, "done") == 0)
		replay->n_done++;
	else
		replay->n_unknown++;
	pg_rows_free(rows);
	return CONTROL_OK;
}

static int replay_file(struct replay *replay, FILE *file)
{
	struct erased erased;
	char *line = NULL;
	size_t size = 0;
	int r = CONTROL_OK;

	while (r == CONTROL_OK && getline(&line, &size, file) > 0)
		if (read_line(line, &erased))
			r = erase(replay, &erased);
	free(line);
	return r == CONTROL_OK && ferror(file) ? control_fail("the bundle cannot be read") : r;
}

int control_erase_replay(struct control *control, int argc, char **argv)
{
	struct replay replay = { 0 };
	FILE *file;
	int r;

	if (argc != 2)
		return control_misused("erase replay takes one file");
	file = fopen(argv[1], "re");
	if (!file)
		return control_fail("%s: %s", argv[1], strerror(errno));
	replay.session = control_session(control);
	r = replay.session ? replay_file(&replay, file) : CONTROL_FAILED;
	if (r == 0)
		r = control_settle(replay.session);
	pg_session_free(replay.session);
	(void)fclose(file);
	if (r)
		return r;
	(void)printf("erased again: %u; not in this database: %u\n", replay.n_done,
		     replay.n_unknown);
	return CONTROL_OK;
}
