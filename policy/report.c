/*
 * What is wrong with a set, as lines for people: `file:line:column: message`, sorted by place, each
 * once. Without a line (the published JSON, a missing file) only the file is named.
 */

#include "policy/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/text.h"

enum { MESSAGE_MAX = 400 };

void policy_report_at(struct policy_report *report, const char *file, unsigned line,
		      unsigned column, const char *message)
{
	struct policy_complaint *complaint = arena_alloc(report->arena, sizeof(*complaint));

	if (complaint)
		complaint->message = arena_strdup(report->arena, message);
	if (!complaint || !complaint->message) {
		report->has_failed = true;
		return;
	}
	complaint->file = file;
	complaint->line = line;
	complaint->column = column;
	complaint->number = report->n_complaints++;
	complaint->next = report->first;
	report->first = complaint;
}

/* A message is one line: what a file holds cannot forge another. */
static void message_print(char message[MESSAGE_MAX], const char *format, va_list arguments)
{
	vsnprintf(message, MESSAGE_MAX, format, arguments);
	text_make_line(message);
}

void policy_report_add(struct policy_report *report, const struct policy_node *node,
		       const char *format, ...)
{
	char message[MESSAGE_MAX];
	va_list arguments;

	va_start(arguments, format);
	message_print(message, format, arguments);
	va_end(arguments);
	policy_report_at(report, node->file, node->line, node->column, message);
}

void policy_report_once(struct policy_report *report, struct policy_node *node, const char *format,
			...)
{
	char message[MESSAGE_MAX];
	va_list arguments;

	if (node->is_reported)
		return;
	node->is_reported = true;
	va_start(arguments, format);
	message_print(message, format, arguments);
	va_end(arguments);
	policy_report_at(report, node->file, node->line, node->column, message);
}

static int complaint_compare(const void *a, const void *b)
{
	const struct policy_complaint *left = *(const struct policy_complaint *const *)a;
	const struct policy_complaint *right = *(const struct policy_complaint *const *)b;
	int r = strcmp(left->file, right->file);

	if (r != 0)
		return r;
	if (left->line != right->line)
		return left->line < right->line ? -1 : 1;
	if (left->column != right->column)
		return left->column < right->column ? -1 : 1;
	return left->number < right->number ? -1 : 1;
}

static char *complaint_print(const struct policy_complaint *complaint)
{
	char *line = NULL;
	int r;

	if (complaint->line == 0)
		r = asprintf(&line, "%s: %s", complaint->file, complaint->message);
	else
		r = asprintf(&line, "%s:%u:%u: %s", complaint->file, complaint->line,
			     complaint->column, complaint->message);
	return r < 0 ? NULL : line;
}

int policy_report_finish(struct policy_report *report, struct policy_errors *ret_errors)
{
	struct policy_complaint **sorted;
	struct policy_errors errors = { 0 };
	size_t n = 0;

	if (report->has_failed)
		return -ENOMEM;
	if (report->n_complaints == 0)
		return 0;
	if (!ret_errors)
		return POLICY_E_REFUSED;
	sorted = arena_alloc(report->arena, report->n_complaints * sizeof(*sorted));
	errors.lines = calloc(report->n_complaints, sizeof(*errors.lines));
	if (!sorted || !errors.lines) {
		free(errors.lines);
		return -ENOMEM;
	}
	for (struct policy_complaint *at = report->first; at; at = at->next)
		sorted[n++] = at;
	qsort(sorted, n, sizeof(*sorted), complaint_compare);
	for (size_t i = 0; i < n; i++) {
		char *line = complaint_print(sorted[i]);

		if (!line) {
			policy_errors_deinit(&errors);
			return -ENOMEM;
		}
		if (errors.n_lines > 0 && strcmp(errors.lines[errors.n_lines - 1], line) == 0)
			free(line);
		else
			errors.lines[errors.n_lines++] = line;
	}
	*ret_errors = errors;
	return POLICY_E_REFUSED;
}

void policy_errors_deinit(struct policy_errors *errors)
{
	for (size_t i = 0; i < errors->n_lines; i++)
		free(errors->lines[i]);
	free(errors->lines);
	*errors = (struct policy_errors){ 0 };
}
