/* daemon/worker/pace: the sequencer gives way to what is young, and to nothing for long. */

#include "daemon/worker/pace.h"
#include "tests/unit/suite.h"

START_TEST(what_is_young_waits_in_proportion)
{
	ck_assert_uint_eq(pace_pause_ms(30, 0), 30 * PACE_WAY);
	ck_assert_uint_eq(pace_pause_ms(30, PACE_AGE_MS / 2), 30 * PACE_WAY / 2);
	ck_assert_uint_eq(pace_pause_ms(40, 0), 40 * PACE_WAY);
	ck_assert_uint_eq(pace_piece(0), PACE_PIECE);
	ck_assert_uint_eq(pace_piece(PACE_AGE_MS - 1), PACE_PIECE);
}
END_TEST

START_TEST(what_is_old_does_not)
{
	for (unsigned age = PACE_AGE_MS; age < 4 * PACE_AGE_MS; age += PACE_AGE_MS / 2) {
		ck_assert_uint_eq(pace_pause_ms(1000, age), PACE_PAUSE_MS);
		ck_assert_uint_eq(pace_piece(age), PACE_PIECE_MAX);
	}
	ck_assert_uint_eq(pace_pause_ms(UINT32_MAX, UINT32_MAX), PACE_PAUSE_MS);
}
END_TEST

START_TEST(pauses_have_bounds_and_only_shrink_with_age)
{
	for (unsigned took = 0; took < 2000; took += 7) {
		unsigned before = PACE_PAUSE_MAX;

		for (unsigned age = 0; age <= PACE_AGE_MS; age += 50) {
			unsigned pause = pace_pause_ms(took, age);

			ck_assert_uint_ge(pause, PACE_PAUSE_MS);
			ck_assert_uint_le(pause, before);
			before = pause;
		}
	}
	ck_assert_uint_eq(pace_pause_ms(UINT32_MAX, 0), PACE_PAUSE_MAX);
}
END_TEST

/*
 * Entries come in faster than the sequencer gets through them while it gives way, and slower than
 * it gets through them otherwise: the oldest stays about as young as PACE_AGE_MS says.
 */
START_TEST(a_load_that_lasts_does_not_starve_the_log)
{
	const double per_ms = 4, took_per_entry = 0.1;
	double now = 0, numbered = 0;
	unsigned age = 0, oldest = 0;

	while (now < 600000) {
		double piece = pace_piece(age), waiting = now * per_ms - numbered, took;

		if (piece > waiting)
			piece = waiting;
		took = 5 + piece * took_per_entry;
		age = (unsigned)(now - numbered / per_ms);
		oldest = age > oldest ? age : oldest;
		numbered += piece;
		now += took + pace_pause_ms((unsigned)took, age);
	}
	ck_assert_uint_gt(oldest, PACE_AGE_MS / 2);
	ck_assert_uint_lt(oldest, PACE_AGE_MS + 1000);
}
END_TEST

SUITE("worker/pace", what_is_young_waits_in_proportion, what_is_old_does_not,
      pauses_have_bounds_and_only_shrink_with_age, a_load_that_lasts_does_not_starve_the_log)
