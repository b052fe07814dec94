#pragma once
/* Seals a document and hands it to the database as an attachment of its case. */

#include "daemon/worker/internal.h"
#include "daemon/worker/snapshot.h"

/* What it is a snapshot for; UUIDs as text. */
struct snapshot_item {
	const char *id; /* of the incident */
	const char *case_id;
	const char *unit; /* it is erased with */
};

/* The document is copied. 0: done() follows, as of job_call(); negative: it does not. */
int snapshot_keep(struct job *job, const struct snapshot_item *item,
		  const struct snapshot_place *place, struct slice document,
		  void (*done)(struct pg_call *call, const struct pg_answer *answer));
