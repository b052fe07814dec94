/* The shared page: anonymous memory made before the first fork. */

#include <sys/mman.h>

#include "daemon/ipc/page.h"

/* Zeroed, shared with every process forked after. */
int page_new(struct page **ret_page)
{
	void *page = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return -errno;
	*ret_page = page;
	return 0;
}

struct page *page_free(struct page *page)
{
	if (page)
		(void)munmap(page, sizeof(*page));
	return NULL;
}
