/* The shared page: anonymous memory made before the first fork. */

#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "daemon/ipc/page.h"

static int keys_turn(struct page *page)
{
	return budget_turn_keys(page->budgets, (uint64_t)time(NULL) / 86400);
}

/* Zeroed but for the budgets' keys, shared with every process forked after. */
int page_new(struct page **ret_page)
{
	struct page *page = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int r;

	if (page == MAP_FAILED)
		return -errno;
	page->budgets_fd = -1;
	r = budget_table_new(&page->budgets_fd, &page->budgets);
	if (r == 0)
		r = keys_turn(page);
	if (r < 0) {
		page_free(page);
		return r;
	}
	*ret_page = page;
	return 0;
}

/*
 * Before the first fork: counts go on where another daemon's are. The descriptor is taken. Returns
 * 0, BUDGET_E_FOREIGN, or negative; other than 0 leaves the page as it was.
 */
int page_take_budgets(struct page *page, int fd)
{
	struct budget_table *table = NULL;
	int r = budget_table_open(fd, &table);

	if (r) {
		(void)close(fd);
		return r;
	}
	budget_table_free(page->budgets);
	(void)close(page->budgets_fd);
	page->budgets = table;
	page->budgets_fd = fd;
	return keys_turn(page);
}

/* What was true of a web process that has ended; what it counted stays. */
void page_forget_web(struct page_web *web)
{
	atomic_store(&web->is_serving, 0);
	atomic_store(&web->n_connections, 0);
	atomic_store(&web->n_database_ready, 0);
	atomic_store(&web->n_database_queued, 0);
	atomic_store(&web->n_database_in_flight, 0);
}

/* In the parent, at its end. Takes NULL; returns NULL. */
struct page *page_free(struct page *page)
{
	if (!page)
		return NULL;
	budget_table_free(page->budgets);
	if (page->budgets_fd >= 0)
		(void)close(page->budgets_fd);
	(void)munmap(page, sizeof(*page));
	return NULL;
}
