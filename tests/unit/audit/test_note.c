/* Notes as C2SP has them; none that was changed is opened. */

#include "tests/unit/mutate.h"

#include "daemon/audit/note.h"
#include "daemon/base/codec.h"

static struct note_key key, other;
static uint8_t secret[ED25519_KEY_SIZE];
static char note[NOTE_SIZE_MAX];
static size_t note_length;

static struct checkpoint sample(void)
{
	struct checkpoint checkpoint = { .origin = "conductd/1", .size = 123456 };

	memset(checkpoint.root.at, 0x5a, TREE_HASH_SIZE);
	return checkpoint;
}

static void make(const struct checkpoint *checkpoint)
{
	uint8_t signature[ED25519_SIGNATURE_SIZE];
	char text[NOTE_TEXT_MAX];
	size_t length;

	ck_assert_int_eq(note_write_text(checkpoint, text, &length), 0);
	ck_assert_int_eq(ed25519_sign(secret, (struct slice){ text, length }, signature), 0);
	ck_assert_int_eq(
		note_write((struct slice){ text, length }, &key, signature, note, &note_length), 0);
	ck_assert_uint_eq(note_length, strlen(note));
}

static void setup(void)
{
	uint8_t public[ED25519_KEY_SIZE];
	struct checkpoint checkpoint = sample();

	memset(secret, 7, sizeof(secret));
	ck_assert_int_eq(ed25519_get_public(secret, public), 0);
	ck_assert_int_eq(note_key_init(&key, "host-1.example", public), 0);
	public[0] ^= 1;
	ck_assert_int_eq(note_key_init(&other, "host-2.example", public), 0);
	make(&checkpoint);
}

static int open_note(const char *text, size_t length)
{
	const struct note_key keys[] = { other, key };
	struct checkpoint checkpoint;
	size_t found = 9;
	int r = note_open((struct slice){ text, length }, keys, 2, &checkpoint, &found);

	ck_assert_uint_eq(found, r ? 9 : 1);
	return r;
}

START_TEST(a_note_is_opened_by_the_key_that_signed_it)
{
	const struct note_key keys[] = { other, key };
	struct checkpoint checkpoint, expected = sample();
	size_t found;

	ck_assert_int_eq(
		note_open((struct slice){ note, note_length }, keys, 2, &checkpoint, &found), 0);
	ck_assert_uint_eq(found, 1);
	ck_assert_str_eq(checkpoint.origin, expected.origin);
	ck_assert_uint_eq(checkpoint.size, expected.size);
	ck_assert(tree_hash_equals(&checkpoint.root, &expected.root));
	ck_assert_int_eq(
		note_open((struct slice){ note, note_length }, &other, 1, &checkpoint, &found),
		NOTE_E_UNKNOWN);
	ck_assert_int_eq(note_read((struct slice){ note, note_length }, &checkpoint), 0);
}
END_TEST

/* The example of C2SP's signed-note text, made by Go's golang.org/x/mod/sumdb/note. */
START_TEST(a_note_of_another_program_is_opened)
{
	static const char text[] =
		"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
	struct note_key peter;
	char again[NOTE_KEY_TEXT_MAX];

	ck_assert_int_eq(note_key_read(slice_of(text), &peter), 0);
	ck_assert_str_eq(peter.name, "PeterNeumann");
	note_key_write(&peter, again);
	ck_assert_str_eq(again, text);
}
END_TEST

START_TEST(every_changed_bit_of_a_note_is_found)
{
	for (size_t bit = 0; bit < note_length * 8; bit++) {
		note[bit / 8] ^= (char)(1 << bit % 8);
		ck_assert_int_ne(open_note(note, note_length), 0);
		note[bit / 8] ^= (char)(1 << bit % 8);
	}
	ck_assert_int_eq(open_note(note, note_length), 0);
}
END_TEST

/* A checkpoint that is well-formed and says something else, with a signature that was once good. */
static void forge(struct mutator *mutator, char *ret_note, size_t *ret_length)
{
	struct checkpoint claimed = sample(), signed_one = sample();
	uint8_t signature[ED25519_SIGNATURE_SIZE];
	char text[NOTE_TEXT_MAX];
	size_t length;

	switch (mutate_below(mutator, 4)) {
	case 0:
		claimed.size = mutate_below(mutator, 1000000);
		signed_one.size = claimed.size + 1 + mutate_below(mutator, 1000000);
		break;
	case 1:
		claimed.root.at[mutate_below(mutator, TREE_HASH_SIZE)] ^=
			(uint8_t)(1 << mutate_below(mutator, 8));
		break;
	case 2:
		claimed.origin[mutate_below(mutator, strlen(claimed.origin))] ^= 1;
		break;
	default:
		break;
	}
	ck_assert_int_eq(note_write_text(&signed_one, text, &length), 0);
	ck_assert_int_eq(ed25519_sign(secret, (struct slice){ text, length }, signature), 0);
	if (mutate_below(mutator, 2) ||
	    (claimed.size == signed_one.size && strcmp(claimed.origin, signed_one.origin) == 0 &&
	     tree_hash_equals(&claimed.root, &signed_one.root)))
		signature[mutate_below(mutator, sizeof(signature))] ^=
			(uint8_t)(1 << mutate_below(mutator, 8));
	ck_assert_int_eq(note_write_text(&claimed, text, &length), 0);
	ck_assert_int_eq(
		note_write((struct slice){ text, length }, &key, signature, ret_note, ret_length),
		0);
	mutator->n_mutants++;
}

START_TEST(no_mutant_of_a_checkpoint_is_opened)
{
	struct mutator mutator = mutate_start("checkpoints");
	unsigned long n = mutate_count(100000), n_opened = 0, n_read = 0;
	char one[NOTE_SIZE_MAX], bytes[NOTE_SIZE_MAX + 64];
	struct checkpoint next = sample(), said;
	size_t length = note_length;

	memcpy(one, note, sizeof(note));
	next.size++;
	make(&next);
	while (mutator.n_mutants < n) {
		struct slice mutant = { bytes, 0 };

		if (mutator.n_mutants % 2)
			forge(&mutator, bytes, &mutant.length);
		else
			mutant = mutate(&mutator, (struct slice){ one, length },
					(struct slice){ note, note_length }, bytes);
		n_read += note_read(mutant, &said) == 0;
		n_opened += open_note(mutant.at, mutant.length) == 0;
	}
	mutate_note(&mutator, "checkpoints", n_opened);
	ck_assert_uint_eq(n_opened, 0);
	/* Half of them are refused for their signature alone. */
	ck_assert_uint_ge(n_read, n / 2);
}
END_TEST

START_TEST(every_shorter_note_is_refused_and_every_longer)
{
	char longer[NOTE_SIZE_MAX + 1];

	for (size_t n = 0; n < note_length; n++)
		ck_assert_int_ne(open_note(note, n), 0);
	memcpy(longer, note, note_length);
	for (unsigned c = 0; c < 256; c++) {
		longer[note_length] = (char)c;
		ck_assert_int_eq(open_note(longer, note_length + 1), NOTE_E_MALFORMED);
	}
}
END_TEST

START_TEST(signatures_of_others_are_passed_over)
{
	char more[NOTE_SIZE_MAX], foreign[NOTE_SIZE_MAX];
	size_t length;
	const char *line = strstr(note, "\n\n") + 2;

	/* Somebody else's line: another name, so another id; its signature means nothing here. */
	(void)snprintf(foreign, sizeof(foreign), "\xe2\x80\x94 witness %s", strrchr(line, ' ') + 1);
	for (unsigned n = 1; n <= NOTE_SIGNATURES_MAX; n++) {
		(void)snprintf(more, sizeof(more), "%.*s", (int)(line - note), note);
		for (unsigned i = 1; i < n; i++)
			strcat(more, foreign);
		strcat(more, line);
		length = strlen(more);
		ck_assert_int_eq(open_note(more, length), 0);
	}
	strcat(more, foreign);
	ck_assert_int_ne(open_note(more, strlen(more)), 0);
}
END_TEST

/* Else there were two texts of one checkpoint. */
START_TEST(a_key_signs_once)
{
	char more[2 * NOTE_SIZE_MAX];
	const char *line = strstr(note, "\n\n") + 2;
	struct checkpoint checkpoint;

	(void)snprintf(more, sizeof(more), "%s%s", note, line);
	ck_assert_int_eq(open_note(more, strlen(more)), NOTE_E_MALFORMED);
	ck_assert_int_eq(note_read((struct slice){ more, strlen(more) }, &checkpoint), 0);
}
END_TEST

START_TEST(numbers_and_hashes_have_one_spelling)
{
	static const char *const bad[] = {
		"o\n01\n",
		"o\n-1\n",
		"o\n+1\n",
		"o\n\n",
		"o\n1 \n",
		"o\n1e3\n",
		"o\n999999999999999\n",
		"o\n9999999999999999999999\n",
		"\n1\n",
		"o o\n1\n",
		"o+\n1\n",
	};
	static const char *const bad_roots[] = {
		"",
		"AAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nmore",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	};
	static const char good[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
	struct checkpoint checkpoint;
	char text[400];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		(void)snprintf(text, sizeof(text), "%s%s\n\n", bad[i], good);
		ck_assert_int_eq(note_read(slice_of(text), &checkpoint), NOTE_E_MALFORMED);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad_roots); i++) {
		(void)snprintf(text, sizeof(text), "o\n1\n%s\n\n", bad_roots[i]);
		ck_assert_int_eq(note_read(slice_of(text), &checkpoint), NOTE_E_MALFORMED);
	}
	(void)snprintf(text, sizeof(text), "o\n1\n%s\n\n", good);
	ck_assert_int_eq(note_read(slice_of(text), &checkpoint), 0);
}
END_TEST

START_TEST(keys_are_read_as_they_are_written)
{
	char text[NOTE_KEY_TEXT_MAX], changed[NOTE_KEY_TEXT_MAX];
	struct note_key again;

	note_key_write(&key, text);
	ck_assert_int_eq(note_key_read(slice_of(text), &again), 0);
	ck_assert_mem_eq(again.public, key.public, sizeof(key.public));
	for (size_t i = 0; i < strlen(text); i++) {
		memcpy(changed, text, sizeof(text));
		changed[i] ^= 1;
		ck_assert_int_ne(note_key_read(slice_of(changed), &again), 0);
		ck_assert_int_ne(note_key_read((struct slice){ text, i }, &again), 0);
	}
	ck_assert_int_eq(note_key_init(&again, "two words", key.public), NOTE_E_MALFORMED);
	ck_assert_int_eq(note_key_init(&again, "a+b", key.public), NOTE_E_MALFORMED);
	ck_assert_int_eq(note_key_init(&again, "", key.public), NOTE_E_MALFORMED);
}
END_TEST

START_TEST(what_is_no_note_or_key_is_refused)
{
	static const char *const bad[] = {
		"",
		"x",
		"o\n\n",
		"o\n1\n\n",
		"o\n1\n",
		"\n\n",
		"o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nmore\n\n",
		"o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\xe2\x80\x94 a AAAA\n",
		"o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\xe2\x80\x94 a\n",
		"o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\nx\n",
	};
	static const char *const bad_keys[] = {
		"",
		"name",
		"name+00000000",
		"+00000000+AAAA",
		"name+0000+AAAA",
		"name+00000000+AAAA",
		"name+00000000+AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	};
	struct checkpoint checkpoint = { .origin = "two words" };
	uint8_t signature[ED25519_SIGNATURE_SIZE] = { 0 };
	char name[NOTE_NAME_MAX + 2], text[NOTE_SIZE_MAX];
	struct note_key again;
	size_t length;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ck_assert_int_eq(note_read(slice_of(bad[i]), &checkpoint), NOTE_E_MALFORMED);
		ck_assert_int_ne(open_note(bad[i], strlen(bad[i])), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad_keys); i++)
		ck_assert_int_eq(note_key_read(slice_of(bad_keys[i]), &again), NOTE_E_MALFORMED);
	ck_assert_int_eq(note_write_text(&checkpoint, text, &length), NOTE_E_MALFORMED);
	memset(text, 'x', NOTE_TEXT_MAX);
	ck_assert_int_eq(
		note_write((struct slice){ text, NOTE_TEXT_MAX }, &key, signature, text, &length),
		NOTE_E_MALFORMED);
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(note_key_init(&again, name, key.public), NOTE_E_MALFORMED);
}
END_TEST

SUITE_EACH("audit/note", setup, NULL, a_note_is_opened_by_the_key_that_signed_it,
	   a_note_of_another_program_is_opened, every_changed_bit_of_a_note_is_found,
	   no_mutant_of_a_checkpoint_is_opened, every_shorter_note_is_refused_and_every_longer,
	   signatures_of_others_are_passed_over, a_key_signs_once,
	   numbers_and_hashes_have_one_spelling, what_is_no_note_or_key_is_refused,
	   keys_are_read_as_they_are_written)
