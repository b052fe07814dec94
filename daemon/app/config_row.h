#pragma once
/* The table of the configuration's keys, for what reads it and what prints it. */

#include "daemon/app/config.h"

enum config_kind {
	CONFIG_TEXT,
	CONFIG_PATH,     /* absolute, or empty where the default is */
	CONFIG_CONNINFO, /* libpq, without a password */
	CONFIG_INTEGER,
	CONFIG_DURATION, /* stored in seconds */
	CONFIG_BOOLEAN,
	CONFIG_CHOICE,  /* stored as its index */
	CONFIG_ADDRESS, /* numeric host and port */
	CONFIG_TEXTS,
	CONFIG_URL, /* of https, or of http on loopback; or empty where the default is */
	CONFIG_PATHS,
	CONFIG_ADDRESSES,
	CONFIG_NETWORKS, /* CIDR */
	CONFIG_HOSTS,    /* names and literals, without port */
	CONFIG_ORIGIN,   /* of our own pages, or empty */
	CONFIG_ORIGINS,  /* of web pages, as browsers write them */
	CONFIG_MAPPINGS, /* a list of mappings with rows of their own */
};

/* One key. Its default goes through the same reader as the file. */
struct config_row {
	const char *path; /* "section.key" */
	enum config_kind kind;
	size_t offset;
	const char *fallback; /* YAML; NULL: the key must be given */
	int64_t least;        /* of numbers; of lists, their length */
	int64_t most;
	const char *const *choices; /* ends in NULL */
	const struct config_row *rows;
	size_t n_rows;
	size_t size; /* of one struct */
	size_t n_offset;
	bool is_fixed; /* processes are started with it: a reload does not change it */
};

extern const struct config_row config_rows[];
extern const size_t config_n_rows;

const char *config_find_missed_form(enum config_kind kind, const char *text);
