#pragma once
/* Program code logs, once; library code does not. One JSON object a line on stderr, ECS 1.11 names.
 */

#include "daemon/base/error.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log_field {
	const char *name; /* ECS name, for example "error.message" */
	const char *text; /* NULL: the number is meant */
	int64_t number;
};

/* For a program that a person has called: the messages alone. */
void log_init_plain(void);
void log_init(const char *process, enum log_level level);
void log_event(enum log_level level, const char *message, const struct log_field *fields,
	       size_t n_fields);
void log_say(enum log_level level, const char *format, ...) PRINTF(2, 3);
/* Lines of level info and below wait until log_flush(); wake() is called when one begins to. */
void log_hold(void (*wake)(void *context), void *context);
void log_flush(void);
