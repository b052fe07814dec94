#pragma once
/* What ps shows: "conductd: web 1". */

struct title {
	char *at; /* the memory of argv and environ, one behind the other */
	unsigned long size;
};

int title_init(struct title *title, int argc, char **argv);
void title_set(const struct title *title, const char *text);
