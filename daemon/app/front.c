/*
 * What a web process takes from the configuration for its server. Everything is copied: a reload
 * replaces the configuration while requests of the last generation still run.
 */

#include "daemon/app/front.h"

/* Return: 0, -ENOMEM, or -EINVAL for a text that the configuration should have refused. */
int front_read_ranges(struct arena *arena, const struct config_texts *texts,
		      struct client_ranges *ret_ranges)
{
	struct client_range *ranges = arena_alloc(arena, (texts->n + 1) * sizeof(*ranges));

	if (!ranges)
		return -ENOMEM;
	for (size_t i = 0; i < texts->n; i++)
		if (client_range_read(texts->at[i], &ranges[i]))
			return -EINVAL;
	*ret_ranges = (struct client_ranges){ ranges, texts->n };
	return 0;
}

/* Return: 0 or -ENOMEM. */
int front_copy_texts(struct arena *arena, const struct config_texts *texts,
		     struct config_texts *ret_texts)
{
	struct config_texts copies = { 0 };

	copies.at = arena_alloc(arena, (texts->n + 1) * sizeof(*copies.at));
	if (!copies.at)
		return -ENOMEM;
	for (; copies.n < texts->n; copies.n++) {
		copies.at[copies.n] = arena_strdup(arena, texts->at[copies.n]);
		if (!copies.at[copies.n])
			return -ENOMEM;
	}
	*ret_texts = copies;
	return 0;
}
