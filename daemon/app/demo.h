#pragma once
/* conductctl demo: the demo people of the quickstart, the demo clock, and the walk of one case. */

#include "daemon/app/control.h"

struct demo_person {
	const char *name;
	const char *sub;
	const char *user;
	const char *home_wiki;
	const char *role; /* NULL: no grant */
	const char *body; /* NULL: for no body */
};

extern const struct demo_person demo_people[];
extern const size_t demo_people_count;

char *demo_path(const char *dir, const char *name); /* malloc'ed; NULL: no memory */
int demo_read_file(const char *path, char **ret_text, size_t *ret_length); /* malloc'ed; -errno */
const struct config *demo_config(struct control *control, char **ret_dir);
int demo_shift_clock(struct control *control, int64_t seconds);
