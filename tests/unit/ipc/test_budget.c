/* daemon/ipc/budget: counts that several processes share. */

#include "daemon/ipc/budget.h"
#include "daemon/ipc/page.h"
#include "tests/unit/suite.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct budget_table *table_new(void)
{
	void *table = mmap(NULL, sizeof(struct budget_table), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(table, MAP_FAILED);
	return table;
}

static void table_free(struct budget_table *table)
{
	munmap(table, sizeof(*table));
}

START_TEST(a_budget_ends_at_its_limit_and_begins_anew_in_the_next_window)
{
	struct budget_table *table = table_new();
	uint32_t used;

	for (uint32_t i = 1; i <= 10; i++) {
		ck_assert_int_eq(budget_take(table, 42, 10, 1000, 1060, &used), 0);
		ck_assert_uint_eq(used, i);
	}
	ck_assert_int_eq(budget_take(table, 42, 10, 1059, 1060, &used), BUDGET_E_EXHAUSTED);
	ck_assert_uint_eq(used, 10);
	ck_assert_uint_eq(budget_used(table, 42, 1059), 10);
	ck_assert_uint_eq(budget_used(table, 42, 1060), 0);
	ck_assert_int_eq(budget_take(table, 42, 10, 1060, 1120, &used), 0);
	ck_assert_uint_eq(used, 1);
	table_free(table);
}
END_TEST

START_TEST(what_is_given_back_can_be_used_again)
{
	struct budget_table *table = table_new();
	uint32_t used;

	ck_assert_int_eq(budget_take(table, 7, 1, 5, 9, &used), 0);
	ck_assert_int_eq(budget_take(table, 7, 1, 5, 9, &used), BUDGET_E_EXHAUSTED);
	budget_give_back(table, 7, 5);
	budget_give_back(table, 7, 5);
	ck_assert_uint_eq(budget_used(table, 7, 5), 0);
	ck_assert_int_eq(budget_take(table, 7, 1, 5, 9, &used), 0);
	ck_assert_int_eq(budget_take(table, 7, 1, 5, 9, &used), BUDGET_E_EXHAUSTED);
	table_free(table);
}
END_TEST

/* Hashes of one bucket: only the fingerprint on top differs. */
static uint64_t neighbour(uint64_t i)
{
	return i << 42 | 3;
}

START_TEST(a_flood_of_new_subjects_does_not_wash_out_who_has_used_much)
{
	struct budget_table *table = table_new();
	uint32_t used;

	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(budget_take(table, neighbour(1), 10, 100, 160, &used), 0);
	for (uint64_t i = 2; i < 10000; i++)
		(void)budget_take(table, neighbour(i), 10, 100, 160, &used);
	ck_assert_int_eq(budget_take(table, neighbour(1), 10, 100, 160, &used), BUDGET_E_EXHAUSTED);
	table_free(table);
}
END_TEST

START_TEST(counts_do_not_flow_over_into_the_time)
{
	struct budget_table *table = table_new();
	uint32_t used = 0;

	atomic_store(&table->slots[neighbour(1) % (BUDGET_SLOTS / BUDGET_WAYS) * BUDGET_WAYS],
		     neighbour(1) >> 42 << 42 | (uint64_t)160 << 24 | (BUDGET_COUNT_MAX - 1));
	ck_assert_int_eq(budget_take(table, neighbour(1), BUDGET_COUNT_MAX, 100, 160, &used), 0);
	ck_assert_uint_eq(used, BUDGET_COUNT_MAX);
	ck_assert_int_eq(budget_take(table, neighbour(1), BUDGET_COUNT_MAX, 100, 160, &used),
			 BUDGET_E_EXHAUSTED);
	table_free(table);
}
END_TEST

/* Processes race for one budget; all of them together get exactly what there is. */
START_TEST(processes_share_a_budget_exactly)
{
	enum { PROCESSES = 4, TRIES = 5000, MOST = 7000 };
	struct budget_table *table = table_new();
	unsigned n_taken = 0;
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	for (int i = 0; i < PROCESSES; i++) {
		if (fork() == 0) {
			unsigned n = 0;
			uint32_t used;

			for (int j = 0; j < TRIES; j++)
				n += budget_take(table, 99, MOST, 10, 20, &used) == 0;
			_exit(write(fds[1], &n, sizeof(n)) == sizeof(n) ? 0 : 1);
		}
	}
	for (int i = 0; i < PROCESSES; i++) {
		unsigned n;

		ck_assert_int_eq(read(fds[0], &n, sizeof(n)), sizeof(n));
		n_taken += n;
		ck_assert_int_gt(wait(NULL), 0);
	}
	ck_assert_uint_eq(n_taken, MOST);
	close(fds[0]);
	close(fds[1]);
	table_free(table);
}
END_TEST

START_TEST(each_day_has_a_key_of_its_own_and_the_last_one_goes)
{
	struct budget_table *table = table_new();
	uint8_t today[BUDGET_KEY_SIZE], tomorrow[BUDGET_KEY_SIZE], key[BUDGET_KEY_SIZE];
	static const uint8_t none[BUDGET_KEY_SIZE];

	ck_assert_int_eq(budget_turn_keys(table, 20000), 0);
	budget_get_key(table, 20000, today);
	budget_get_key(table, 20001, tomorrow);
	ck_assert_mem_ne(today, none, sizeof(none));
	ck_assert_mem_ne(today, tomorrow, sizeof(today));
	ck_assert_int_eq(budget_turn_keys(table, 20000), 0);
	budget_get_key(table, 20000, key);
	ck_assert_mem_eq(key, today, sizeof(key));
	/* Tomorrow's key was there before, and today's is nowhere any more. */
	ck_assert_int_eq(budget_turn_keys(table, 20001), 0);
	budget_get_key(table, 20001, key);
	ck_assert_mem_eq(key, tomorrow, sizeof(key));
	ck_assert_ptr_null(memmem(table, sizeof(*table), today, sizeof(today)));
	table_free(table);
}
END_TEST

START_TEST(the_page_comes_with_keys)
{
	static const uint8_t none[BUDGET_KEY_SIZE];
	uint8_t key[BUDGET_KEY_SIZE];
	struct page *page = NULL;

	ck_assert_int_eq(page_new(&page), 0);
	budget_get_key(page->budgets, 0, key);
	ck_assert_mem_ne(key, none, sizeof(key));
	budget_get_key(page->budgets, 1, key);
	ck_assert_mem_ne(key, none, sizeof(key));
	page_free(page);
}
END_TEST

/* As after an upgrade: another process, which has the descriptor alone. */
START_TEST(a_table_goes_on_where_its_descriptor_goes)
{
	struct budget_table *table = NULL, *other = NULL;
	uint8_t key[BUDGET_KEY_SIZE], same[BUDGET_KEY_SIZE];
	struct page *page = NULL;
	uint32_t used;
	int fd = -1;

	ck_assert_int_eq(budget_table_new(&fd, &table), 0);
	ck_assert_int_eq(budget_turn_keys(table, (uint64_t)time(NULL) / 86400), 0);
	ck_assert_int_eq(budget_take(table, 42, 2, 1000, 1060, &used), 0);
	ck_assert_int_eq(budget_table_open(fd, &other), 0);
	ck_assert_ptr_ne(table, other);
	ck_assert_int_eq(budget_take(other, 42, 2, 1000, 1060, &used), 0);
	ck_assert_int_eq(budget_take(table, 42, 2, 1000, 1060, &used), BUDGET_E_EXHAUSTED);
	ck_assert_int_eq(page_new(&page), 0);
	ck_assert_int_eq(page_take_budgets(page, fd), 0);
	ck_assert_uint_eq(budget_used(page->budgets, 42, 1000), 2);
	budget_get_key(table, (uint64_t)time(NULL) / 86400, key);
	budget_get_key(page->budgets, (uint64_t)time(NULL) / 86400, same);
	ck_assert_mem_eq(key, same, sizeof(key));
	page_free(page);
	budget_table_free(other);
	budget_table_free(table);
}
END_TEST

START_TEST(what_is_no_table_of_this_layout_is_not_taken)
{
	struct budget_table *table = NULL, *other = NULL;
	struct page *page = NULL;
	int fd = -1, file = memfd_create("test", MFD_CLOEXEC), shrinking;
	uint32_t used;

	ck_assert_int_eq(budget_table_open(file, &other), BUDGET_E_FOREIGN);
	shrinking = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ck_assert_int_eq(ftruncate(shrinking, sizeof(*table)), 0);
	ck_assert_int_eq(budget_table_open(shrinking, &other), BUDGET_E_FOREIGN);
	ck_assert_int_eq(budget_table_new(&fd, &table), 0);
	table->layout++;
	ck_assert_int_eq(budget_table_open(fd, &other), BUDGET_E_FOREIGN);
	ck_assert_int_eq(page_new(&page), 0);
	ck_assert_int_eq(budget_take(page->budgets, 42, 2, 1000, 1060, &used), 0);
	ck_assert_int_eq(page_take_budgets(page, fd), BUDGET_E_FOREIGN);
	ck_assert_uint_eq(budget_used(page->budgets, 42, 1000), 1);
	ck_assert_int_eq(page_take_budgets(page, file), BUDGET_E_FOREIGN);
	close(shrinking);
	page_free(page);
	budget_table_free(table);
}
END_TEST

SUITE("ipc/budget", a_budget_ends_at_its_limit_and_begins_anew_in_the_next_window,
      what_is_given_back_can_be_used_again,
      a_flood_of_new_subjects_does_not_wash_out_who_has_used_much,
      counts_do_not_flow_over_into_the_time, processes_share_a_budget_exactly,
      each_day_has_a_key_of_its_own_and_the_last_one_goes, the_page_comes_with_keys,
      a_table_goes_on_where_its_descriptor_goes, what_is_no_table_of_this_layout_is_not_taken)
