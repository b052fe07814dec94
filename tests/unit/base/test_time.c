/* daemon/base/time.c: RFC 3339 both ways over the whole range, and durations. */

#include "tests/unit/suite.h"

#include "daemon/base/text.h"

static int64_t read_usec(const char *text)
{
	int64_t usec = 0;

	ck_assert_msg(text_read_timestamp(slice_of(text), &usec) == 0, "%s", text);
	return usec;
}

START_TEST(known_instants_are_read)
{
	ck_assert_int_eq(read_usec("1970-01-01T00:00:00Z"), 0);
	ck_assert_int_eq(read_usec("2026-11-22T16:00:00Z"), INT64_C(1795363200000000));
	ck_assert_int_eq(read_usec("2000-02-29T12:34:56Z"), INT64_C(951827696000000));
	ck_assert_int_eq(read_usec("1969-12-31T23:59:59Z"), -1000000);
	ck_assert_int_eq(read_usec("9999-12-31T23:59:59Z"), INT64_C(253402300799000000));
	ck_assert_int_eq(read_usec("1900-01-01T00:00:00Z"), INT64_C(-2208988800000000));
}
END_TEST

START_TEST(offsets_and_fractions_count)
{
	ck_assert_int_eq(read_usec("1970-01-01T01:30:00+01:30"), 0);
	ck_assert_int_eq(read_usec("1969-12-31T16:00:00-08:00"), 0);
	ck_assert_int_eq(read_usec("1970-01-01t00:00:00.5z"), 500000);
	ck_assert_int_eq(read_usec("1970-01-01T00:00:00.000001Z"), 1);
	ck_assert_int_eq(read_usec("1970-01-01T00:00:00.123456789Z"), 123456);
	ck_assert_int_eq(read_usec("1969-12-31T23:59:59.25Z"), -750000);
}
END_TEST

START_TEST(what_is_no_timestamp_is_refused)
{
	static const char *const bad[] = {
		"",
		"Z",
		"2026",
		"2026-11-22",
		"2026-11-22T16:00Z",
		"2026-11-22T16:00:00",
		"2026-11-22 16:00:00Z",
		"2026-11-22T16:00:00Zx",
		" 2026-11-22T16:00:00Z",
		"2026-11-22T16:00:00+0100",
		"2026-11-22T16:00:00+24:00",
		"2026-11-22T16:00:00+01:60",
		"2026-11-22T16:00:00.Z",
		"2026-11-22T16:00:00.1234567890Z",
		"2026-11-22T24:00:00Z",
		"2026-11-22T16:60:00Z",
		"2026-11-22T16:00:60Z",
		"2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-01-00T00:00:00Z",
		"2026-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z",
		"2026-04-31T00:00:00Z",
		"1899-12-31T23:59:59Z",
		"+2026-01-01T00:00:00Z",
		"10000-01-01T00:00:00Z",
		"2026-1-01T00:00:00Z",
		"-026-01-01T00:00:00Z",
		"2026-11-22T16:00:00,5Z",
		"2026-11-22T1\xd9\xa0:00:00Z",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int64_t usec = 42;

		ck_assert_msg(text_read_timestamp(slice_of(bad[i]), &usec) == TEXT_E_INVALID, "%s",
			      bad[i]);
		ck_assert_int_eq(usec, 42);
	}
}
END_TEST

START_TEST(every_day_is_written_and_read_back)
{
	int64_t first = read_usec("1900-01-01T00:00:00Z"), last = read_usec("9999-12-31T00:00:00Z");
	const int64_t step = INT64_C(86400000000) * 3 + INT64_C(3661000000);

	for (int64_t usec = first; usec <= last; usec += step) {
		char text[32];

		ck_assert_uint_eq(text_write_timestamp(text, usec), 20);
		ck_assert_int_eq(read_usec(text), usec);
	}
}
END_TEST

START_TEST(times_are_written_to_the_second_before)
{
	char text[32];

	text_write_timestamp(text, 0);
	ck_assert_str_eq(text, "1970-01-01T00:00:00Z");
	text_write_timestamp(text, 1999999);
	ck_assert_str_eq(text, "1970-01-01T00:00:01Z");
	text_write_timestamp(text, -1);
	ck_assert_str_eq(text, "1969-12-31T23:59:59Z");
	text_write_timestamp(text, read_usec("2024-12-31T23:59:59Z"));
	ck_assert_str_eq(text, "2024-12-31T23:59:59Z");
	text_write_timestamp(text, INT64_MAX);
	ck_assert_str_eq(text, "9999-12-31T23:59:59Z");
	text_write_timestamp(text, INT64_MIN);
	ck_assert_str_eq(text, "0001-01-01T00:00:00Z");
}
END_TEST

START_TEST(durations_are_a_number_and_a_unit)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} good[] = {
		{ "30s", 30 },
		{ "15min", 900 },
		{ "24h", 86400 },
		{ "14d", 1209600 },
		{ "0s", 0 },
		{ "1826d", 157766400 },
		{ "36525d", INT64_C(3155760000) },
	};
	static const char *const bad[] = {
		"",    "s",   "30",     "30m",          "30 s",
		"-1s", "+1s", "1.5h",   "1h30min",      "01h",
		"1D",  "1w",  "36526d", "99999999999s", "99999999999999999999s",
		"1dd", "1mi", "1minx",  "P1D",
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		int64_t seconds = -1;

		ck_assert_msg(text_read_duration(slice_of(good[i].text), &seconds) == 0, "%s",
			      good[i].text);
		ck_assert_int_eq(seconds, good[i].seconds);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int64_t seconds = 42;

		ck_assert_msg(text_read_duration(slice_of(bad[i]), &seconds) == TEXT_E_INVALID,
			      "%s", bad[i]);
		ck_assert_int_eq(seconds, 42);
	}
}
END_TEST

SUITE("base/time", known_instants_are_read, offsets_and_fractions_count,
      what_is_no_timestamp_is_refused, every_day_is_written_and_read_back,
      times_are_written_to_the_second_before, durations_are_a_number_and_a_unit)
