/*
 * Keyset paging. A cursor carries the sort key of the last row and a hash of the list with all its
 * filters; every key is checked for its type before it becomes a parameter.
 */

#include "api/handlers/page.h"
#include "api/http/cursor.h"
#include "daemon/base/text.h"
#include "daemon/cases/scalar.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FILTER_MAX = ROUTE_PARAMS_MAX + ROUTE_QUERY_MAX + 1 };

/* What the cursor is bound to: the list, its path, and every parameter but those of paging. */
static size_t write_filter(const struct exchange *exchange, const struct page *page,
			   struct slice ret_filter[FILTER_MAX])
{
	const struct route *route = exchange->route;
	size_t n = 0;

	ret_filter[n++] = text_slice(page->name);
	for (size_t i = 0; i < ROUTE_PARAMS_MAX && exchange->params[i].at; i++)
		ret_filter[n++] = exchange->params[i];
	for (size_t i = 0; i < ROUTE_QUERY_MAX && route->query[i]; i++)
		if (strcmp(route->query[i], "limit") != 0 && strcmp(route->query[i], "cursor") != 0)
			ret_filter[n++] = exchange_query(exchange, route->query[i]);
	return n;
}

static bool is_sound_key(char type, struct slice key)
{
	switch (type) {
	case 'i':
		return scalar_is_number(key, INT32_MAX);
	case 'u':
		return text_is_uuid(key);
	default:
		return scalar_is_time(key) || text_equals(key, text_slice("infinity"));
	}
}

static struct value *write_after(const struct page *page, const struct slice *keys)
{
	struct value *after = value_new_array();

	for (size_t i = 0; after && page->keys[i]; i++) {
		struct value *key = page->keys[i] == 'i'
					    ? value_new_integer(strtoll(keys[i].at, NULL, 10))
					    : value_new_text(keys[i]);

		if (value_append_take(after, key))
			after = value_free(after);
	}
	return after;
}

static void free_value(void *value)
{
	value_free(value);
}

/* 0, CURSOR_E_REFUSED or negative. */
static int read_cursor(struct exchange *exchange, const struct page *page, struct slice cursor,
		       const struct value **ret_after)
{
	struct slice filter[FILTER_MAX], keys[CURSOR_KEYS_MAX];
	size_t n_keys = strlen(page->keys);
	struct value *after;
	int r;

	r = cursor_read(exchange->arena, cursor, filter, write_filter(exchange, page, filter),
			n_keys, keys);
	for (size_t i = 0; !r && i < n_keys; i++)
		if (!is_sound_key(page->keys[i], keys[i]))
			r = CURSOR_E_REFUSED;
	if (r)
		return r;
	after = write_after(page, keys);
	r = after ? arena_take(exchange->arena, after, free_value) : -ENOMEM;
	if (!r)
		*ret_after = after;
	return r;
}

bool page_read(struct exchange *exchange, const struct page *page, unsigned *ret_limit,
	       const struct value **ret_after)
{
	struct slice cursor = exchange_query(exchange, "cursor");
	const struct value *after = NULL;
	unsigned limit;
	int r = 0;

	if (!exchange_read_limit(exchange, &limit))
		return false;
	if (cursor.at)
		r = read_cursor(exchange, page, cursor, &after);
	if (r) {
		if (r > 0)
			exchange_refuse(exchange, 400, "conduct-bad-cursor");
		else
			exchange_fail(exchange, r);
		return false;
	}
	*ret_limit = limit;
	*ret_after = after;
	return true;
}

/* The cursor of a sort key as the database tells it. -EPROTO: not the key of this list. */
static int write_cursor(struct exchange *exchange, const struct page *page,
			const struct value *next, char **ret_cursor)
{
	struct slice filter[FILTER_MAX], keys[CURSOR_KEYS_MAX];
	size_t n_keys = strlen(page->keys);

	if (value_count(next) != n_keys)
		return -EPROTO;
	for (size_t i = 0; i < n_keys; i++) {
		const struct value *key = value_at(next, i);

		keys[i] = value_text(key);
		if (value_is(key, VALUE_INTEGER))
			keys[i] = text_slice(
				arena_printf(exchange->arena, "%" PRId64, value_integer(key, 0)));
		if (!keys[i].at || !is_sound_key(page->keys[i], keys[i]))
			return -EPROTO;
	}
	return cursor_write(exchange->arena, filter, write_filter(exchange, page, filter), keys,
			    n_keys, ret_cursor);
}

/* {items, next}: the items as they came, and the cursor in place of the key. */
static char *write_page(struct exchange *exchange, struct slice items, const char *cursor)
{
	static const char form[] = "{\"items\":%.*s,\"next\":%s%s%s}";
	const char *quote = cursor ? "\"" : "";

	return arena_printf(exchange->arena, form, (int)items.length, items.at, quote,
			    cursor ? cursor : "null", quote);
}

void page_reply(struct exchange *exchange, const struct page *page,
		const struct call_answer *answer)
{
	CLEANUP(value_freep) struct value *next = NULL;
	struct slice items, key;
	char *cursor = NULL, *text = NULL;
	int r = -EPROTO;

	if (answer->status >= 400) {
		verb_refuse(exchange, answer);
		return;
	}
	if (answer->text.at && value_scan_member(answer->text, "items", &items) &&
	    value_scan_member(answer->text, "next", &key))
		r = *key.at == '[' ? value_parse(key, &next, NULL) : 0;
	if (!r && next)
		r = write_cursor(exchange, page, next, &cursor);
	if (!r) {
		text = write_page(exchange, items, cursor);
		r = text ? 0 : -ENOMEM;
	}
	if (r) {
		exchange_fail(exchange, r < 0 ? r : -EPROTO);
		return;
	}
	if (cursor)
		exchange_set_next(exchange, cursor);
	exchange_reply_bytes(exchange, 200, "application/json; charset=utf-8", text_slice(text));
}
