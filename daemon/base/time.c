/*
 * Timestamps (RFC 3339 as RFC 9557 keeps it) and durations as text. The calendar is computed here
 * and not by libc: no time zone database, no locale, and out-of-range dates refused instead of
 * normalised.
 */

#include "daemon/base/text.h"

#include <stdio.h>

enum { YEAR_MIN = 1900, YEAR_MAX = 9999, FRACTION_DIGITS_MAX = 9 };

struct reader {
	const char *at;
	const char *end;
	bool has_failed;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int read_digits(struct reader *reader, int n)
{
	int number = 0;

	for (int i = 0; i < n; i++) {
		if (reader->at == reader->end || !is_digit(*reader->at)) {
			reader->has_failed = true;
			return 0;
		}
		number = number * 10 + (*reader->at++ - '0');
	}
	return number;
}

/* Takes one character if it is `upper` or its lower-case letter. */
static bool read_char(struct reader *reader, char upper)
{
	if (reader->at == reader->end)
		return false;
	if (*reader->at != upper && !(upper >= 'A' && *reader->at == upper + ('a' - 'A')))
		return false;
	reader->at++;
	return true;
}

static void expect_char(struct reader *reader, char upper)
{
	if (!read_char(reader, upper))
		reader->has_failed = true;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01, by Howard Hinnant's days_from_civil; years from 1 only. */
static int64_t days_from_civil(int year, int month, int day)
{
	int shifted = month <= 2 ? year - 1 : year;
	int era = shifted / 400;
	int year_of_era = shifted - era * 400;
	int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return (int64_t)era * 146097 + day_of_era - 719468;
}

/* Reads ".123456789"; more digits than that are refused, digits after microseconds dropped. */
static int read_fraction(struct reader *reader)
{
	int usec = 0, scale = 100000, n = 0;

	for (; reader->at < reader->end && is_digit(*reader->at); reader->at++, n++) {
		usec += (*reader->at - '0') * scale;
		scale /= 10;
	}
	if (n == 0 || n > FRACTION_DIGITS_MAX)
		reader->has_failed = true;
	return usec;
}

/* Reads "Z" or "+hh:mm"; returns seconds east of Greenwich. */
static int read_offset(struct reader *reader)
{
	int sign, hours, minutes;

	if (read_char(reader, 'Z'))
		return 0;
	sign = read_char(reader, '-') ? -1 : 1;
	if (sign > 0)
		expect_char(reader, '+');
	hours = read_digits(reader, 2);
	expect_char(reader, ':');
	minutes = read_digits(reader, 2);
	if (hours > 23 || minutes > 59)
		reader->has_failed = true;
	return sign * (hours * 3600 + minutes * 60);
}

/*
 * Reads an RFC 3339 date-time into microseconds since 1970. A leap second (:60) is refused: none of
 * the clocks this is compared with can show one.
 */
int text_read_timestamp(struct slice text, int64_t *ret_usec)
{
	struct reader reader = { .at = text.at, .end = text.at + text.length };
	int year, month, day, hour, minute, second, usec = 0, offset;

	year = read_digits(&reader, 4);
	expect_char(&reader, '-');
	month = read_digits(&reader, 2);
	expect_char(&reader, '-');
	day = read_digits(&reader, 2);
	expect_char(&reader, 'T');
	hour = read_digits(&reader, 2);
	expect_char(&reader, ':');
	minute = read_digits(&reader, 2);
	expect_char(&reader, ':');
	second = read_digits(&reader, 2);
	if (read_char(&reader, '.'))
		usec = read_fraction(&reader);
	offset = read_offset(&reader);
	if (reader.has_failed || reader.at != reader.end)
		return TEXT_E_INVALID;
	if (year < YEAR_MIN || year > YEAR_MAX || month < 1 || month > 12 || day < 1 ||
	    day > days_of_month(year, month) || hour > 23 || minute > 59 || second > 59)
		return TEXT_E_INVALID;
	*ret_usec = (days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 +
		     second - offset) *
			    1000000 +
		    usec;
	return 0;
}

/*
 * Writes seconds precision in UTC, cut towards the past; returns the length. Times outside of the
 * years 1 to 9999 are written as the nearest one inside.
 */
size_t text_write_timestamp(char ret_text[32], int64_t usec)
{
	int64_t seconds = usec / 1000000 - (usec % 1000000 < 0);
	int64_t first = days_from_civil(1, 1, 1) * 86400;
	int64_t last = days_from_civil(YEAR_MAX, 12, 31) * 86400 + 86399;
	int64_t days, rest;
	int year, month = 1;

	if (seconds < first)
		seconds = first;
	if (seconds > last)
		seconds = last;
	days = seconds / 86400 - (seconds % 86400 < 0);
	rest = seconds - days * 86400;
	year = (int)(1970 + days / 366 - (days < 0));
	while (year < YEAR_MAX && days_from_civil(year + 1, 1, 1) <= days)
		year++;
	while (days_from_civil(year, 1, 1) > days)
		year--;
	days -= days_from_civil(year, 1, 1);
	while (days >= days_of_month(year, month))
		days -= days_of_month(year, month++);
	return (size_t)snprintf(ret_text, 32, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month,
				(int)days + 1, (int)(rest / 3600), (int)(rest / 60 % 60),
				(int)(rest % 60));
}

/*
 * Reads a whole number with one unit: s, min, h, d. At most 100 years, so that sums of durations
 * and timestamps stay far from overflow. There is no unit for months and years: policies mean days.
 */
int text_read_duration(struct slice text, int64_t *ret_seconds)
{
	static const struct {
		const char *name;
		int64_t seconds;
	} units[] = { { "s", 1 }, { "min", 60 }, { "h", 3600 }, { "d", 86400 } };
	const int64_t limit = INT64_C(36525) * 86400;
	int64_t number = 0;
	size_t n = 0;

	for (; n < text.length && n < 11 && is_digit(text.at[n]); n++)
		number = number * 10 + (text.at[n] - '0');
	if (n == 0 || (n > 1 && text.at[0] == '0'))
		return TEXT_E_INVALID;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		size_t k = 0;

		while (n + k < text.length && units[i].name[k] &&
		       text.at[n + k] == units[i].name[k])
			k++;
		if (n + k != text.length || units[i].name[k])
			continue;
		if (number > limit / units[i].seconds)
			return TEXT_E_INVALID;
		*ret_seconds = number * units[i].seconds;
		return 0;
	}
	return TEXT_E_INVALID;
}
