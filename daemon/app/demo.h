#pragma once
/* `conductctl demo`: the demo people of the quickstart, the demo clock, and the walk of one case. */

#include "daemon/base/error.h"

/* argv[0] is "demo". Returns the program's exit status: 0 done, 1 failed, 2 wrong arguments. */
int demo_command(int argc, char **argv);

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

/* Where the quickstart keeps its files; each is DIR/NAME. */
char *demo_path(const char *dir, const char *name); /* malloc'ed; NULL: no memory */
int demo_read_file(const char *path, char **ret_text, size_t *ret_length); /* malloc'ed; -errno */
int demo_shift_clock(const char *dir, int64_t seconds); /* 0, 1 (said why on stderr), negative */

int demo_make_people(const char *dir, unsigned port);
int demo_make_grants(const char *dir);
int demo_walk(const char *dir);
