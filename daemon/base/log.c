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
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	STRING_MAX = 4096, /* bytes of one value; more is cut */
	HELD_MAX = PIPE_BUF,
};

static struct {
	char process[160]; /* the members that all lines of the process have; "": not written yet */
	enum log_level level;
	bool is_plain;
	bool is_torn;                /* the last line that was written has no end */
	struct buffer lines;         /* the one being written, behind those that wait */
	void (*wake)(void *context); /* NULL: none waits */
	void *context;
	time_t second;
	char time[32]; /* of that second, up to its seconds */
} log_settings = { .level = LOG_LEVEL_INFO };

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

/* Names the process ("conductd", "conductctl") and the least severe level that is written. */
void log_init(const char *process, enum log_level level)
{
	snprintf(log_settings.process, sizeof(log_settings.process),
		 ",\"ecs.version\":\"1.11.0\",\"process.name\":\"%s\",\"process.pid\":%ld", process,
		 (long)getpid());
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

static bool is_plain(char c)
{
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

/* The code point that `text` starts with; returns its bytes. */
static size_t write_point(struct buffer *line, struct slice text)
{
	uint32_t point = 0;
	size_t n = text_read_point(text, &point);

	if (n == 0) {
		buffer_append_text(line, "\xef\xbf\xbd");
		return 1;
	}
	if (point == '"' || point == '\\') {
		buffer_append_char(line, '\\');
		buffer_append_char(line, (char)point);
	} else if (is_escaped(point)) {
		buffer_printf(line, "\\u%04" PRIx32, point);
	} else {
		buffer_append(line, text.at, n);
	}
	return n;
}

static void write_string(struct buffer *line, const char *text)
{
	struct slice rest = text_slice(text);
	bool is_cut = rest.length > STRING_MAX;

	if (is_cut)
		rest.length = STRING_MAX;
	buffer_append_char(line, '"');
	while (rest.length > 0) {
		size_t n = 0;

		while (n < rest.length && is_plain(rest.at[n]))
			n++;
		buffer_append(line, rest.at, n);
		if (n < rest.length)
			n += write_point(line, (struct slice){ rest.at + n, rest.length - n });
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
	char fraction[] = ".000Z\"";
	long ms;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != log_settings.second || !log_settings.time[0]) {
		size_t length = text_write_timestamp(log_settings.time,
						     (int64_t)now.tv_sec * 1000000);

		log_settings.time[length - 1] = '\0';
		log_settings.second = now.tv_sec;
	}
	ms = now.tv_nsec / 1000000;
	fraction[1] = (char)('0' + ms / 100);
	fraction[2] = (char)('0' + ms / 10 % 10);
	fraction[3] = (char)('0' + ms % 10);
	buffer_append_text(line, "{\"@timestamp\":\"");
	buffer_append_text(line, log_settings.time);
	buffer_append_text(line, fraction);
}

/* Where a disk was full in the middle of a line, the next one must not go on in it. */
static void write_out(const char *at, size_t length)
{
	const char *start = at;

	if (log_settings.is_torn && write(STDERR_FILENO, "\n", 1) == 1)
		log_settings.is_torn = false;
	while (length > 0) {
		ssize_t n = write(STDERR_FILENO, at, length);

		if (n < 0 && errno == EINTR)
			continue;
		/* A log that cannot be written has nowhere to say so. */
		if (n <= 0) {
			log_settings.is_torn = log_settings.is_torn || at > start;
			return;
		}
		at += n;
		length -= (size_t)n;
	}
}

static void write_event(struct buffer *line, enum log_level level, const char *message,
			const struct log_field *fields, size_t n_fields)
{
	write_time(line);
	write_member(line, "log.level", level_names[level]);
	write_member(line, "message", message);
	if (!log_settings.process[0])
		log_init("conductd", log_settings.level);
	buffer_append_text(line, log_settings.process);
	for (size_t i = 0; i < n_fields; i++) {
		if (fields[i].text) {
			write_member(line, fields[i].name, fields[i].text);
			continue;
		}
		buffer_append_char(line, ',');
		write_string(line, fields[i].name);
		buffer_append_char(line, ':');
		buffer_append_number(line, fields[i].number);
	}
	buffer_append_text(line, "}\n");
}

/* Writes what waits. errno is kept. */
void log_flush(void)
{
	int saved_errno = errno;

	write_out(log_settings.lines.at, log_settings.lines.length);
	buffer_clear(&log_settings.lines);
	errno = saved_errno;
}

/**
 * log_hold() - let lines wait for each other, so that many are one system call
 * @wake: called when a line begins to wait; sees to it that log_flush() is called soon. NULL: none
 *        waits from here on
 *
 * Errors and warnings do not wait, nor does what came before them.
 */
void log_hold(void (*wake)(void *context), void *context)
{
	log_flush();
	log_settings.wake = wake;
	log_settings.context = context;
}

/*
 * Writes one event with its fields. Loses the line when out of memory. errno is kept. Whole lines
 * and, unless one alone is longer, at most PIPE_BUF bytes are one write(2), so that the lines of
 * several processes on one pipe do not mix.
 */
void log_event(enum log_level level, const char *message, const struct log_field *fields,
	       size_t n_fields)
{
	struct buffer *lines = &log_settings.lines;
	size_t held = lines->length;
	int saved_errno = errno;

	if (level > log_settings.level)
		return;
	if (log_settings.is_plain) {
		buffer_append_text(lines, message);
		buffer_append_char(lines, '\n');
	} else {
		write_event(lines, level, message, fields, n_fields);
	}
	if (buffer_finish(lines)) {
		buffer_cut(lines, held);
	} else if (held && lines->length > HELD_MAX) {
		write_out(lines->at, held);
		lines->length -= held;
		memmove(lines->at, lines->at + held, lines->length + 1);
	}
	if (!log_settings.wake || level <= LOG_LEVEL_WARN || lines->length > HELD_MAX)
		log_flush();
	else if (!held)
		log_settings.wake(log_settings.context);
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
