/*
 * What is read of the audit log: entries, checkpoints and keys have one spelling each, and a bundle
 * may be anything. The first byte chooses.
 */

#include "tests/fuzz/fuzz.h"

#include "daemon/audit/bundle.h"
#include "daemon/audit/leaf.h"
#include "daemon/base/text.h"

#include <string.h>

static void read_entry(struct slice bytes)
{
	static uint8_t again[LEAF_SIZE_MAX];
	struct leaf leaf;
	size_t length;

	if (leaf_read(bytes, &leaf))
		return;
	PROPERTY(leaf_write(&leaf, again, &length) == 0);
	PROPERTY(length == bytes.length && memcmp(again, bytes.at, length) == 0);
}

/* What a note says is what was signed, and nobody has signed this. */
static void read_note(struct slice note)
{
	char text[NOTE_TEXT_MAX];
	uint8_t public[ED25519_KEY_SIZE] = { 1 };
	struct checkpoint checkpoint;
	struct note_key key;
	size_t length, found;
	int r = note_read(note, &checkpoint);

	NOT_NEGATIVE(r, out);
	if (r)
		return;
	PROPERTY(note_write_text(&checkpoint, text, &length) == 0);
	PROPERTY(length < note.length && memcmp(text, note.at, length) == 0);
	r = note_key_init(&key, "host", public);
	NOT_NEGATIVE(r, out);
	r = note_open(note, &key, 1, &checkpoint, &found);
	PROPERTY(r != 0);
out:
	return;
}

static void read_key(struct slice text)
{
	char again[NOTE_KEY_TEXT_MAX];
	struct note_key key;
	int r = note_key_read(text, &key);

	NOT_NEGATIVE(r, out);
	if (r)
		return;
	note_key_write(&key, again);
	PROPERTY(strlen(again) == text.length);
out:
	return;
}

static void on_fault(void *userdata, const char *text)
{
	uint64_t *n = userdata;

	PROPERTY(fuzz_is_line(text));
	(*n)++;
}

static int read_lines(struct bundle *bundle, struct slice text,
		      int (*read)(struct bundle *bundle, struct slice line))
{
	int r = 0;

	while (r == 0 && text.length) {
		const char *end = memchr(text.at, '\n', text.length);
		size_t length = end ? (size_t)(end - text.at) : text.length;

		r = read(bundle, (struct slice){ text.at, length });
		text.at += length + (end != NULL);
		text.length -= length + (end != NULL);
	}
	return r;
}

static void read_bundle(struct slice text)
{
	uint64_t n_faults = 0;
	const struct bundle_setup setup = { .catalog = "",
					    .fault = on_fault,
					    .userdata = &n_faults };
	struct bundle_summary summary = { 0 };
	struct bundle *bundle = NULL;
	int r = bundle_new(&setup, &bundle);

	if (r == 0)
		r = read_lines(bundle, text, bundle_read);
	NOT_NEGATIVE(r, out);
	r = read_lines(bundle, text, bundle_name_rows);
	PROPERTY(r < 0 || !bundle_misses_rows(bundle));
	NOT_NEGATIVE(r, out);
	r = bundle_finish(bundle, &summary);
	NOT_NEGATIVE(r, out);
	PROPERTY(summary.n_faults == n_faults);
	/* Without a key nothing is signed. */
	PROPERTY(n_faults > 0 || summary.n_leaves == 0);
out:
	bundle_free(bundle);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static void (*const readers[])(struct slice) = { read_entry, read_note, read_key,
							 read_bundle };

	if (size)
		readers[bytes[0] % ARRAY_SIZE(readers)](
			(struct slice){ (const char *)bytes + 1, size - 1 });
	return 0;
}
