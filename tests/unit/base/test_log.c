/* daemon/base/log.c: one event is one line of JSON, whatever stands in its strings. */

#include "tests/unit/suite.h"

#include "daemon/base/log.h"
#include "daemon/base/text.h"

#include <unistd.h>

/* Sends stderr into a pipe around one event and gives back what arrived. */
static char *captured(enum log_level level, const char *message, const struct log_field *fields,
		      size_t n_fields)
{
	static char text[32768];
	int ends[2], saved = dup(STDERR_FILENO);
	ssize_t length;

	ck_assert_int_eq(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	log_event(level, message, fields, n_fields);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(ends[1]);
	length = read(ends[0], text, sizeof(text) - 1);
	close(ends[0]);
	ck_assert_int_ge(length, 0);
	text[length] = '\0';
	return text;
}

START_TEST(an_event_is_one_line_with_ecs_names)
{
	const struct log_field fields[] = {
		{ .name = "event.action", .text = "start" },
		{ .name = "event.duration", .number = -12 },
	};
	char expected[300];
	int64_t usec;
	char *line;

	log_init("conductd", LOG_LEVEL_INFO);
	line = captured(LOG_LEVEL_WARN, "hello", fields, 2);
	ck_assert_int_eq(strncmp(line, "{\"@timestamp\":\"", 15), 0);
	ck_assert_int_eq(text_read_timestamp((struct slice){ line + 15, 24 }, &usec), 0);
	ck_assert_int_gt(usec, INT64_C(1700000000000000));
	snprintf(expected, sizeof(expected),
		 "\",\"log.level\":\"warn\",\"message\":\"hello\",\"ecs.version\":\"1.11.0\","
		 "\"process.name\":\"conductd\",\"process.pid\":%ld,\"event.action\":\"start\","
		 "\"event.duration\":-12}\n",
		 (long)getpid());
	ck_assert_str_eq(line + 39, expected);
}
END_TEST

START_TEST(hostile_strings_stay_inside_of_their_string)
{
	const struct log_field field = {
		.name = "url.path",
		.text = "a\"}\n{\"x\":\"\\\r\t\x1b[2J\x7f\xc2\x9b\xe2\x80\xae\xe2\x80\xa8\xff"
			"b\xc3",
	};
	const char *line;

	log_init("conductd", LOG_LEVEL_INFO);
	line = captured(LOG_LEVEL_ERROR, "\n", &field, 1);
	ck_assert_ptr_nonnull(strstr(line, "\"message\":\"\\u000a\""));
	ck_assert_ptr_nonnull(strstr(
		line,
		"\"url.path\":\"a\\\"}\\u000a{\\\"x\\\":\\\"\\\\\\u000d\\u0009\\u001b[2J\\u007f"
		"\\u009b\\u202e\\u2028\xef\xbf\xbd"
		"b\xef\xbf\xbd\"}\n"));
	ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
	ck_assert(text_is_utf8(slice_of(line)));
}
END_TEST

START_TEST(a_long_string_is_cut)
{
	static char text[10000];
	const char *line;

	memset(text, 'x', sizeof(text) - 1);
	log_init("conductd", LOG_LEVEL_INFO);
	line = captured(LOG_LEVEL_ERROR, text, NULL, 0);
	ck_assert_uint_lt(strlen(line), 4500);
	ck_assert_ptr_nonnull(strstr(line, "xxx\xe2\x80\xa6\",\"ecs.version\""));
}
END_TEST

START_TEST(less_severe_events_are_left_out)
{
	log_init("conductctl", LOG_LEVEL_WARN);
	ck_assert_str_eq(captured(LOG_LEVEL_INFO, "quiet", NULL, 0), "");
	ck_assert_ptr_nonnull(strstr(captured(LOG_LEVEL_WARN, "loud", NULL, 0),
				     "\"process.name\":\"conductctl\""));
	log_init("conductctl", LOG_LEVEL_DEBUG);
	ck_assert_ptr_nonnull(strstr(captured(LOG_LEVEL_DEBUG, "now", NULL, 0), "\"debug\""));
}
END_TEST

START_TEST(logging_keeps_errno)
{
	log_init("conductd", LOG_LEVEL_ERROR);
	errno = EXDEV;
	captured(LOG_LEVEL_INFO, "left out", NULL, 0);
	errno = EXDEV;
	log_say(LOG_LEVEL_INFO, "left out too: %d", 1);
	ck_assert_int_eq(errno, EXDEV);
}
END_TEST

SUITE("base/log", an_event_is_one_line_with_ecs_names, hostile_strings_stay_inside_of_their_string,
      a_long_string_is_cut, less_severe_events_are_left_out, logging_keeps_errno)
