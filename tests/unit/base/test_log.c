/* daemon/base/log.c: one event is one line of JSON, whatever stands in its strings. */

#include "tests/unit/suite.h"

#include "daemon/base/log.h"
#include "daemon/base/text.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

struct capture {
	int saved;
	int from;
};

/* Sends stderr into a pipe. */
static struct capture capture_begin(void)
{
	struct capture capture = { .saved = dup(STDERR_FILENO) };
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	capture.from = ends[0];
	return capture;
}

/* What has arrived since the last time. */
static char *capture_read(const struct capture *capture)
{
	static char text[65536];
	ssize_t length = read(capture->from, text, sizeof(text) - 1);

	text[length > 0 ? length : 0] = '\0';
	return text;
}

static void capture_end(struct capture *capture)
{
	dup2(capture->saved, STDERR_FILENO);
	close(capture->saved);
	close(capture->from);
}

static char *captured(enum log_level level, const char *message, const struct log_field *fields,
		      size_t n_fields)
{
	struct capture capture = capture_begin();
	char *text;

	log_event(level, message, fields, n_fields);
	text = capture_read(&capture);
	capture_end(&capture);
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

static void count(void *context)
{
	++*(size_t *)context;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	while ((text = strchr(text, '\n'))) {
		n++;
		text++;
	}
	return n;
}

START_TEST(lines_that_wait_come_together_and_wake_once)
{
	struct capture capture = capture_begin();
	size_t n_woken = 0;
	char *text;

	log_init("web 1", LOG_LEVEL_INFO);
	log_hold(count, &n_woken);
	log_say(LOG_LEVEL_INFO, "one");
	log_say(LOG_LEVEL_INFO, "two");
	ck_assert_str_eq(capture_read(&capture), "");
	ck_assert_uint_eq(n_woken, 1);
	log_flush();
	text = capture_read(&capture);
	ck_assert_uint_eq(count_lines(text), 2);
	ck_assert_ptr_nonnull(strstr(strstr(text, "\"one\""), "\"two\""));
	log_say(LOG_LEVEL_INFO, "three");
	ck_assert_uint_eq(n_woken, 2);
	log_hold(NULL, NULL);
	ck_assert_ptr_nonnull(strstr(capture_read(&capture), "\"three\""));
	log_say(LOG_LEVEL_INFO, "four");
	ck_assert_ptr_nonnull(strstr(capture_read(&capture), "\"four\""));
	ck_assert_uint_eq(n_woken, 2);
	capture_end(&capture);
}
END_TEST

START_TEST(a_warning_waits_for_nothing_and_keeps_the_order)
{
	struct capture capture = capture_begin();
	size_t n_woken = 0;
	char *text;

	log_init("web 1", LOG_LEVEL_INFO);
	log_hold(count, &n_woken);
	log_say(LOG_LEVEL_INFO, "before");
	log_say(LOG_LEVEL_WARN, "warning");
	text = capture_read(&capture);
	log_hold(NULL, NULL);
	capture_end(&capture);
	ck_assert_uint_eq(count_lines(text), 2);
	ck_assert_ptr_nonnull(strstr(strstr(text, "\"before\""), "\"warning\""));
}
END_TEST

START_TEST(what_waits_is_written_in_whole_lines_of_a_pipes_size)
{
	static char message[1000], giant[5000];
	struct capture capture = capture_begin();
	size_t n_woken = 0, n_lines = 0;

	memset(message, 'x', sizeof(message) - 1);
	memset(giant, 'y', sizeof(giant) - 1);
	log_init("web 1", LOG_LEVEL_INFO);
	log_hold(count, &n_woken);
	for (int i = 0; i < 20; i++) {
		const char *text;

		log_say(LOG_LEVEL_INFO, "%s", i == 9 ? giant : message);
		text = capture_read(&capture);
		if (i < 9)
			ck_assert_uint_le(strlen(text), PIPE_BUF);
		ck_assert(!*text || text[strlen(text) - 1] == '\n');
		n_lines += count_lines(text);
	}
	log_hold(NULL, NULL);
	n_lines += count_lines(capture_read(&capture));
	capture_end(&capture);
	ck_assert_uint_eq(n_lines, 20);
}
END_TEST

/* As a disk that is full, and then is not. */
START_TEST(a_line_that_was_cut_off_spoils_no_other)
{
	char path[] = "/tmp/conduct-log.XXXXXX", text[4096];
	struct rlimit limit;
	int saved = dup(STDERR_FILENO), fd = mkstemp(path);
	ssize_t length;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	log_init("conductd", LOG_LEVEL_INFO);
	dup2(fd, STDERR_FILENO);
	(void)setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 40, limit.rlim_max });
	log_say(LOG_LEVEL_INFO, "cut off");
	log_say(LOG_LEVEL_INFO, "lost");
	(void)setrlimit(RLIMIT_FSIZE, &limit);
	log_say(LOG_LEVEL_INFO, "whole");
	log_say(LOG_LEVEL_INFO, "whole too");
	dup2(saved, STDERR_FILENO);
	close(saved);
	length = pread(fd, text, sizeof(text) - 1, 0);
	close(fd);
	ck_assert_int_gt(length, 40);
	text[length] = '\0';
	ck_assert_int_eq(text[40], '\n');
	ck_assert_int_eq(strncmp(text + 41, "{\"@timestamp\":\"", 15), 0);
	ck_assert_ptr_nonnull(strstr(text + 41, "\"message\":\"whole\""));
	ck_assert_ptr_nonnull(strstr(text + 41, "}\n{\"@timestamp\""));
	ck_assert_ptr_null(strstr(text + 41, "\n\n"));
}
END_TEST

SUITE("base/log", an_event_is_one_line_with_ecs_names, hostile_strings_stay_inside_of_their_string,
      a_long_string_is_cut, less_severe_events_are_left_out, logging_keeps_errno,
      lines_that_wait_come_together_and_wake_once, a_warning_waits_for_nothing_and_keeps_the_order,
      what_waits_is_written_in_whole_lines_of_a_pipes_size, a_line_that_was_cut_off_spoils_no_other)
