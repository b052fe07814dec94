/* Distinct cases within an hour: by person, by host, and by units, whatever they are called. */

#include "tests/unit/suite.h"

#include "daemon/keys/vault_quota.h"

enum { PERSON = 3, HOST = 8, HOUR_MS = 3600 * 1000 };

static struct vault_quota *quota;
static uint32_t wait_s;

static void start(void)
{
	const struct vault_quota_limits limits = { .cases_person = PERSON, .cases_host = HOST };

	ck_assert_int_eq(vault_quota_new(&limits, &quota), 0);
	wait_s = 0;
}

static void end(void)
{
	quota = vault_quota_free(quota);
}

static int take_units(int64_t now_ms, unsigned person, unsigned case_nr, unsigned first_unit,
		      size_t n_units)
{
	uint8_t person_id[KEYS_ID_SIZE] = { 0 }, case_id[KEYS_ID_SIZE] = { 0 };
	uint8_t units[64][KEYS_ID_SIZE] = { { 0 } };

	place_put_u32(person_id, person);
	place_put_u32(case_id, case_nr);
	for (size_t i = 0; i < n_units; i++)
		place_put_u32(units[i], first_unit + (unsigned)i);
	return vault_quota_take(quota, now_ms, person_id, case_id,
				(const uint8_t(*)[KEYS_ID_SIZE])units, n_units, &wait_s);
}

/* A case with one unit of its own. */
static int take(int64_t now_ms, unsigned person, unsigned case_nr)
{
	return take_units(now_ms, person, case_nr, case_nr * 100, 1);
}

START_TEST(a_person_opens_so_many_cases_and_reads_on_in_them)
{
	for (unsigned i = 1; i <= PERSON; i++)
		ck_assert_int_eq(take(1000 * i, 1, i), 0);
	ck_assert_int_eq(take(5000, 1, 9), VAULT_QUOTA_E_PERSON);
	ck_assert_uint_eq(wait_s, 3596);
	for (unsigned i = 1; i <= PERSON; i++)
		ck_assert_int_eq(take(6000, 1, i), 0);
	ck_assert_int_eq(take(6000, 2, 9), 0);
	ck_assert_int_eq(take(6000, 1, 9), VAULT_QUOTA_E_PERSON);
}
END_TEST

/* From the first reading of each; reading again does not make it younger. */
START_TEST(the_hour_passes_case_by_case)
{
	for (unsigned i = 1; i <= PERSON; i++)
		ck_assert_int_eq(take(1000 * i, 1, i), 0);
	ck_assert_int_eq(take(2000 + HOUR_MS - 1, 1, 2), 0);
	ck_assert_int_eq(take(1000 + HOUR_MS, 1, 8), 0);
	ck_assert_int_eq(take(1000 + HOUR_MS, 1, 9), VAULT_QUOTA_E_PERSON);
	ck_assert_uint_eq(wait_s, 1);
	ck_assert_int_eq(take(2000 + HOUR_MS, 1, 9), 0);
	ck_assert_int_eq(take(2000 + HOUR_MS, 1, 2), VAULT_QUOTA_E_PERSON);
}
END_TEST

START_TEST(the_host_opens_so_many_cases_for_all)
{
	for (unsigned i = 1; i <= HOST; i++)
		ck_assert_int_eq(take(i, i, i), 0);
	ck_assert_int_eq(take(100, 99, 99), VAULT_QUOTA_E_HOST);
	ck_assert_uint_eq(wait_s, 3600);
	/* What was opened by somebody may be read by somebody else. */
	ck_assert_int_eq(take(100, 99, 1), 0);
	ck_assert_int_eq(take(1 + HOUR_MS, 99, 99), 0);
}
END_TEST

START_TEST(units_count_whatever_case_they_are_said_to_be_of)
{
	const unsigned most = HOST * VAULT_QUOTA_UNITS_PER_CASE;

	ck_assert_int_eq(take_units(1, 1, 1, 1000, most + 1), VAULT_QUOTA_E_HOST);
	ck_assert_uint_eq(wait_s, 1);
	ck_assert_int_eq(take_units(1, 1, 1, 1000, most), 0);
	ck_assert_int_eq(take_units(2, 1, 1, 1000, most), 0);
	ck_assert_int_eq(take_units(3, 1, 1, 1000 + most, 1), VAULT_QUOTA_E_HOST);
	ck_assert_int_eq(take_units(4, 1, 1, 999 + most, 2), VAULT_QUOTA_E_HOST);
	vault_quota_free(NULL);
	ck_assert_int_eq(take_units(5 + HOUR_MS, 1, 1, 1000 + most, 1), 0);
}
END_TEST

START_TEST(what_is_refused_counts_for_nothing)
{
	for (unsigned i = 1; i <= PERSON; i++)
		ck_assert_int_eq(take(1, 1, i), 0);
	for (unsigned i = 0; i < 100; i++)
		ck_assert_int_eq(take(2, 1, 100 + i), VAULT_QUOTA_E_PERSON);
	for (unsigned i = PERSON + 1; i <= HOST; i++)
		ck_assert_int_eq(take(3, 10 + i, i), 0);
	ck_assert_int_eq(take(4, 50, 200), VAULT_QUOTA_E_HOST);
}
END_TEST

START_TEST(the_daemon_itself_has_a_quota_of_its_own)
{
	const unsigned most = HOST * VAULT_QUOTA_UNITS_PER_CASE;

	/* All of it said to be of one case, or of none. */
	for (unsigned i = 0; i < most; i++)
		ck_assert_int_eq(take_units(1, 0, 0, 1 + i, 1), 0);
	ck_assert_int_eq(take_units(2, 0, 0, 1 + most, 1), VAULT_QUOTA_E_HOST);
	ck_assert_uint_eq(wait_s, 3600);
	ck_assert_int_eq(take_units(2, 0, 7, 1 + most, 1), VAULT_QUOTA_E_HOST);
	ck_assert_int_eq(take_units(2, 0, 0, 1, most), 0);
	ck_assert_int_eq(take(2, 1, 99), 0);
	ck_assert_int_eq(take_units(1 + HOUR_MS, 0, 0, 1 + most, 1), 0);
}
END_TEST

/* Many people at few cases: there is no room to count them in, so nothing more is opened. */
START_TEST(where_it_cannot_be_counted_nothing_is_opened)
{
	unsigned n = 0;

	for (unsigned person = 1; person <= HOST * 4; person++)
		for (unsigned i = 1; i <= PERSON; i++)
			n += take(1, person, i) == 0;
	ck_assert_uint_eq(n, HOST * 4);
	ck_assert_int_eq(take(1, 9999, 1), VAULT_QUOTA_E_HOST);
	ck_assert_uint_eq(wait_s, 3600);
}
END_TEST

/* A long time of random readings against the plainest model there is. */
START_TEST(the_sets_agree_with_a_model)
{
	static struct {
		int64_t at_ms;
		unsigned person, case_nr;
	} read[4096];
	unsigned seed = 7, n_read = 0, n_taken = 0;

	for (int64_t now = 0; now < 5 * (int64_t)HOUR_MS; now += 90 * 1000) {
		unsigned person, case_nr, n_person = 0, n_host = 0;
		bool is_person_new = true, is_host_new = true, is_allowed;

		seed = seed * 1103515245u + 12345u;
		person = 1 + (seed >> 16) % 3;
		case_nr = 1 + (seed >> 20) % 14;
		for (unsigned i = 0; i < n_read; i++) {
			bool is_first = true;

			if (now - read[i].at_ms >= HOUR_MS)
				continue;
			is_person_new &= read[i].person != person || read[i].case_nr != case_nr;
			is_host_new &= read[i].case_nr != case_nr;
			n_person += read[i].person == person;
			for (unsigned j = 0; j < i; j++)
				is_first &= read[j].case_nr != read[i].case_nr ||
					    now - read[j].at_ms >= HOUR_MS;
			n_host += is_first;
		}
		is_allowed = (!is_person_new || n_person < PERSON) &&
			     (!is_host_new || n_host < HOST);
		/* A case that one read an hour ago and another since is new to the first alone. */
		if (is_person_new && !is_host_new)
			continue;
		ck_assert_int_eq(take(now, person, case_nr) == 0, is_allowed);
		if (is_allowed && is_person_new) {
			read[n_read].at_ms = now;
			read[n_read].person = person;
			read[n_read++].case_nr = case_nr;
		}
		n_taken += is_allowed;
	}
	ck_assert_uint_gt(n_taken, 20);
	ck_assert_uint_lt(n_taken, 180);
}
END_TEST

SUITE_EACH("keys/vault_quota", start, end, a_person_opens_so_many_cases_and_reads_on_in_them,
	   the_hour_passes_case_by_case, the_host_opens_so_many_cases_for_all,
	   units_count_whatever_case_they_are_said_to_be_of, what_is_refused_counts_for_nothing,
	   the_daemon_itself_has_a_quota_of_its_own, where_it_cannot_be_counted_nothing_is_opened,
	   the_sets_agree_with_a_model)
