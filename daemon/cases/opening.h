#pragma once
/*
 * The words of an answer are opened after the database has said them, and never half: one request
 * to the vault for all keys that the answer needs, in pieces where those are many. An erased word
 * is none, and no answer has it; one whose key is gone, or does not open it, is damage.
 */

#include "daemon/cases/seal.h"
#include "daemon/cases/words.h"

/* Who reads, for the vault's quota, and a receipt that opens its own channel. */
struct reader {
	uint8_t person[KEYS_ID_SIZE];  /* a pseudonym; zeros: the daemon itself */
	uint8_t case_id[KEYS_ID_SIZE]; /* what counts as one case */
	const uint8_t *receipt;        /* STANZA_RECEIPT_SIZE, or NULL */
};

enum opening_outcome {
	OPENING_DONE,
	OPENING_AWAY,    /* the vault; retry_after_s */
	OPENING_QUOTA,   /* too many cases; retry_after_s */
	OPENING_DAMAGED, /* `damaged` says which content */
	OPENING_FAILED,  /* a bug or a broken machine: `error` */
};

struct opening_word;

/* Lives, like everything borrowed, until done(). */
struct opening {
	struct arena *arena;
	struct sealer *sealer;
	const struct reader *reader;
	const struct words *own; /* known in the clear already; may be NULL */
	void (*done)(struct opening *opening, enum opening_outcome outcome);

	struct opened_words lookup; /* in done(), after OPENING_DONE: the texts */
	uint32_t retry_after_s;
	const char *damaged; /* content id */
	int error;

	/* Its own. */
	struct opening_word *words;
	size_t n_words;
	struct vault_unit *units; /* distinct keys, in the order of their stanzas */
	size_t n_units;
	struct vault_unit *channels; /* stanzas of the reader's receipt, not opened by the vault */
	size_t n_channels;
	size_t n_asked;
	struct vault_call call;
};

/* `ids` and `words` are the literals of an answer, and may go when this returns. done() runs once:
 * before this returns where the vault is not needed, else later. */
void opening_start(struct opening *opening, struct slice ids, struct slice words);
