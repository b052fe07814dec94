#pragma once
/* The complaints about one set, gathered: a set is refused as a whole, with every reason. */

#include "policy/node.h"
#include "policy/set.h"

struct policy_complaint {
	struct policy_complaint *next;
	size_t number;
	const char *file;
	unsigned line;
	unsigned column;
	const char *message;
};

struct policy_report {
	struct arena *arena; /* borrowed */
	struct policy_complaint *first;
	size_t n_complaints;
	bool has_failed; /* out of memory */
};

/* node NULL is allowed nowhere; a node that was reported once by _once stays silent after. */
void policy_report_add(struct policy_report *report, const struct policy_node *node,
		       const char *format, ...) PRINTF(3, 4);
void policy_report_once(struct policy_report *report, struct policy_node *node, const char *format,
			...) PRINTF(3, 4);
void policy_report_at(struct policy_report *report, const char *file, unsigned line,
		      unsigned column, const char *message);
/* 0: no complaints; POLICY_E_REFUSED with ret_errors filled (it may be NULL); or negative. */
int policy_report_finish(struct policy_report *report, struct policy_errors *ret_errors);
