#pragma once
/* Pointers one behind the other, in an arena; what they point to belongs to the arena too. */

#include "daemon/base/arena.h"

struct policy_list {
	void **items;
	size_t n_items;
	size_t capacity;
};

int policy_list_add(struct arena *arena, struct policy_list *list, void *item); /* 0 or -ENOMEM */
/* Stable; compare gets the items themselves. */
void policy_list_sort(struct policy_list *list, int (*compare)(const void *a, const void *b));
/* In a list sorted by `name_of`: the item of that name, or NULL. */
void *policy_list_find(const struct policy_list *list, struct slice name,
		       const char *(*name_of)(const void *item));
