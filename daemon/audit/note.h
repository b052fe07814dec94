#pragma once
/*
 * Checkpoints: signed notes (C2SP signed-note and tlog-checkpoint). The text is the log's origin,
 * the tree's size in decimal and its root in base64, a line each; then an empty line, then a
 * signature line for each key: an em dash, the key's name, and base64 of the key's 4-byte id and
 * the signature.
 */

#include "daemon/audit/tree.h"
#include "daemon/crypto/ed25519.h"

enum {
	NOTE_NAME_MAX = 100,
	NOTE_TEXT_MAX = NOTE_NAME_MAX + 80,
	NOTE_SIGNATURES_MAX = 8,
	NOTE_SIZE_MAX = NOTE_TEXT_MAX + 1 + NOTE_SIGNATURES_MAX * (NOTE_NAME_MAX + 100),
	NOTE_ID_SIZE = 4,
	NOTE_KEY_TEXT_MAX = NOTE_NAME_MAX + 112,
};

enum {
	NOTE_E_MALFORMED = 1,
	NOTE_E_UNKNOWN,   /* no signature of one of the keys */
	NOTE_E_SIGNATURE, /* a signature of one of the keys does not hold */
};

struct checkpoint {
	char origin[NOTE_NAME_MAX + 1];
	uint64_t size;
	struct tree_hash root;
};

/* Who signs: a name and its public key. */
struct note_key {
	char name[NOTE_NAME_MAX + 1];
	uint8_t id[NOTE_ID_SIZE];
	uint8_t public[ED25519_KEY_SIZE];
};

/* name: 1 to NOTE_NAME_MAX bytes of ASCII without blanks and '+'. */
int note_key_init(struct note_key *key, const char *name, const uint8_t public[ED25519_KEY_SIZE]);
/* NAME+ID+KEY, as others who read signed notes take it: ret_text has NOTE_KEY_TEXT_MAX bytes. */
void note_key_write(const struct note_key *key, char *ret_text);
int note_key_read(struct slice text, struct note_key *ret_key);

/* The text that is signed, with a NUL: ret_text has NOTE_TEXT_MAX bytes. */
int note_write_text(const struct checkpoint *checkpoint, char *ret_text, size_t *ret_length);
/* The whole note of one signer: ret_note has NOTE_SIZE_MAX bytes. */
int note_write(struct slice text, const struct note_key *key,
	       const uint8_t signature[ED25519_SIGNATURE_SIZE], char *ret_note, size_t *ret_length);
/* What a note says, whoever signed it. */
int note_read(struct slice note, struct checkpoint *ret_checkpoint);
/* The same, and that one of the keys has signed it: which one. */
int note_open(struct slice note, const struct note_key *keys, size_t n_keys,
	      struct checkpoint *ret_checkpoint, size_t *ret_key);
