/*
 * The log: one JSON object a line on stderr with the names of the Elastic Common Schema 1.11. Every
 * string is escaped here, so that nothing from outside can start a line, close a string or turn the
 * text around; bytes that are not UTF-8 become U+FFFD. Name and level are set once, at the start of
 * the process, before anything is logged.
 */

#include "daemon/base/log.h"

#include "daemon/base/buffer.h"
#include "daemon/base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { STRING_MAX = 4096 /* bytes of one value; more is cut */ };

static struct {
	char process[32];
	enum log_level level;
	bool is_plain;
} log_settings = { .process = "conductd", .level = LOG_LEVEL_INFO };

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

/* Names the process ("conductd", "conductctl") and the least severe level that is written. */
void log_init(const char *process, enum log_level level)
{
	snprintf(log_settings.process, sizeof(log_settings.process), "%s", process);
	log_settings.level = level;
}

void log_init_plain(void)
{
	log_settings.is_plain = true;
}

/* Controls of both blocks, line ends of Unicode, and what changes the direction of text. */
static bool is_escaped(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x2028 ||
	       point == 0x2029 || point == 0x200e || point == 0x200f || point == 0x061c ||
	       (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

static void write_string(struct buffer *line, const char *text)
{
	struct slice rest = text_slice(text);
	bool is_cut = rest.length > STRING_MAX;

	if (is_cut)
		rest.length = STRING_MAX;
	buffer_append_char(line, '"');
	while (rest.length > 0) {
		uint32_t point = 0;
		size_t n = text_read_point(rest, &point);

		if (n == 0) {
			buffer_append_text(line, "\xef\xbf\xbd");
			n = 1;
		} else if (point == '"' || point == '\\') {
			buffer_append_char(line, '\\');
			buffer_append_char(line, (char)point);
		} else if (is_escaped(point)) {
			buffer_printf(line, "\\u%04" PRIx32, point);
		} else {
			buffer_append(line, rest.at, n);
		}
		rest.at += n;
		rest.length -= n;
	}
	buffer_append_text(line, is_cut ? "…\"" : "\"");
}

static void write_member(struct buffer *line, const char *name, const char *text)
{
	buffer_append_char(line, ',');
	write_string(line, name);
	buffer_append_char(line, ':');
	write_string(line, text);
}

static void write_time(struct buffer *line)
{
	struct timespec now = { 0 };
	char text[32];
	size_t length;

	clock_gettime(CLOCK_REALTIME, &now);
	length = text_write_timestamp(text, (int64_t)now.tv_sec * 1000000);
	buffer_printf(line, "{\"@timestamp\":\"%.*s.%03ldZ\"", (int)length - 1, text,
		      now.tv_nsec / 1000000);
}

/* One write(2) a line: the lines of several processes on one pipe do not mix up to PIPE_BUF. */
static void write_line(struct buffer *line)
{
	const char *at = line->at;
	size_t length = line->length;

	while (length > 0) {
		ssize_t n = write(STDERR_FILENO, at, length);

		if (n < 0 && errno == EINTR)
			continue;
		/* A log that cannot be written has nowhere to say so. */
		if (n <= 0)
			return;
		at += n;
		length -= (size_t)n;
	}
}

/* Writes one event with its fields. Loses the line when out of memory. errno is kept. */
void log_event(enum log_level level, const char *message, const struct log_field *fields,
	       size_t n_fields)
{
	CLEANUP(buffer_deinit) struct buffer line = BUFFER_NULL;
	int saved_errno = errno;

	if (level > log_settings.level)
		return;
	if (log_settings.is_plain) {
		buffer_printf(&line, "%s\n", message);
		if (buffer_finish(&line) == 0)
			write_line(&line);
		errno = saved_errno;
		return;
	}
	write_time(&line);
	write_member(&line, "log.level", level_names[level]);
	write_member(&line, "message", message);
	write_member(&line, "ecs.version", "1.11.0");
	write_member(&line, "process.name", log_settings.process);
	buffer_printf(&line, ",\"process.pid\":%ld", (long)getpid());
	for (size_t i = 0; i < n_fields; i++) {
		if (fields[i].text) {
			write_member(&line, fields[i].name, fields[i].text);
			continue;
		}
		buffer_append_char(&line, ',');
		write_string(&line, fields[i].name);
		buffer_printf(&line, ":%" PRId64, fields[i].number);
	}
	buffer_append_text(&line, "}\n");
	if (buffer_finish(&line) == 0)
		write_line(&line);
	errno = saved_errno;
}

/* Writes one event that is only a message. */
void log_say(enum log_level level, const char *format, ...)
{
	int saved_errno = errno;
	char *message = NULL;
	va_list args;
	int length;

	if (level > log_settings.level)
		return;
	va_start(args, format);
	length = vasprintf(&message, format, args);
	va_end(args);
	if (length >= 0) {
		log_event(level, message, NULL, 0);
		free(message);
	}
	errno = saved_errno;
}
