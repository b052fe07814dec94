/* The shared page: anonymous memory made before the first fork. */

#include <sys/mman.h>
#include <time.h>

#include "daemon/ipc/page.h"

/* Zeroed but for the budgets' keys, shared with every process forked after. */
int page_new(struct page **ret_page)
{
	struct page *page = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int r;

	if (page == MAP_FAILED)
		return -errno;
	r = budget_turn_keys(&page->budgets, (uint64_t)time(NULL) / 86400);
	if (r < 0) {
		page_free(page);
		return r;
	}
	*ret_page = page;
	return 0;
}

struct page *page_free(struct page *page)
{
	if (page)
		(void)munmap(page, sizeof(*page));
	return NULL;
}
