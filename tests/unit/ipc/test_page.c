/* What the shared page says of a web process that is there no more. */

#include "tests/unit/suite.h"

#include "daemon/ipc/page.h"

START_TEST(of_a_web_process_that_has_ended_only_what_it_counted_stays)
{
	struct page_web web = { .n_requests = { [2] = 7 }, .n_late = 3 };

	atomic_store(&web.is_serving, 1);
	atomic_store(&web.n_connections, 5);
	atomic_store(&web.n_database_ready, 4);
	atomic_store(&web.n_database_queued, 2);
	atomic_store(&web.n_database_in_flight, 1);
	page_forget_web(&web);
	ck_assert_uint_eq(atomic_load(&web.is_serving), 0);
	ck_assert_uint_eq(atomic_load(&web.n_connections), 0);
	ck_assert_uint_eq(atomic_load(&web.n_database_ready), 0);
	ck_assert_uint_eq(atomic_load(&web.n_database_queued), 0);
	ck_assert_uint_eq(atomic_load(&web.n_database_in_flight), 0);
	ck_assert_uint_eq(atomic_load(&web.n_requests[2]), 7);
	ck_assert_uint_eq(atomic_load(&web.n_late), 3);
}
END_TEST

SUITE("ipc/page", of_a_web_process_that_has_ended_only_what_it_counted_stays)
