#pragma once
/* What api/i18n/embed.py writes at build time; for message.c alone. */

#include <stddef.h>

struct message_row {
	const char *key;
	const char *const *texts; /* one for each language; NULL where there is none */
};

extern const char *const message_languages[];
extern const size_t message_languages_n;
extern const struct message_row message_rows[]; /* sorted by key */
extern const size_t message_rows_n;
