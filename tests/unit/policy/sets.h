#pragma once
/* Sets to test with: the good one, and what a case file makes of it in a folder of its own. */

#include "policy/set.h"

struct set_folder {
	char root[64];  /* removed by set_folder_deinit */
	char set[80];   /* the good set, as the case changed it */
	char own[80];   /* the operator's directory; empty when the case has none */
	char *expected; /* malloc'ed */
};

/* A case is a text of parts, each begun by a line: `=== write PATH`, `=== remove PATH`,
 * `=== replace PATH` … `=== with` …, `=== expected`. PATH below own/ is another directory. */
void set_folder_init(struct set_folder *folder, const char *case_text);
void set_folder_deinit(struct set_folder *folder);
/* Loads the folder. The complaints, one a line, paths relative to it; malloc'ed, "" when accepted.
 */
char *set_folder_load(const struct set_folder *folder, struct policy_set **ret_set);

struct policy_set *good_set(void);                     /* fails the test when refused */
struct policy_set *changed_set(const char *case_text); /* the same, with changes */
char *read_text(const char *path);                     /* malloc'ed */
