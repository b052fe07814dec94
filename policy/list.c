/* A growing array of pointers in an arena: lists of a policy set are short, and made once. */

#include "policy/list.h"

#include <string.h>

int policy_list_add(struct arena *arena, struct policy_list *list, void *item)
{
	if (list->n_items == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 8;
		void **items = arena_alloc(arena, capacity * sizeof(*items));

		if (!items)
			return -ENOMEM;
		if (list->n_items > 0)
			memcpy(items, list->items, list->n_items * sizeof(*items));
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->n_items++] = item;
	return 0;
}

void policy_list_sort(struct policy_list *list, int (*compare)(const void *a, const void *b))
{
	/* Insertion from the right: stable, and fast for what is nearly sorted, as directories are.
	 */
	for (size_t i = 1; i < list->n_items; i++) {
		void *item = list->items[i];
		size_t j = i;

		for (; j > 0 && compare(list->items[j - 1], item) > 0; j--)
			list->items[j] = list->items[j - 1];
		list->items[j] = item;
	}
}

void *policy_list_find(const struct policy_list *list, struct slice name,
		       const char *(*name_of)(const void *item))
{
	size_t low = 0, high = list->n_items;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *other = name_of(list->items[middle]);
		int r = strncmp(other, name.at ? name.at : "", name.length);

		if (r == 0 && other[name.length] != '\0')
			r = 1;
		if (r == 0)
			return list->items[middle];
		if (r < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
