/*
 * Names to central ids, as MediaWiki's API tells them with formatversion 2: `centralids` has a
 * member for each of $wgCentralIdLookupProviders, 0 where there is none. An account that is not
 * attached to the central one of its name is somebody else, and so is no answer. A name that the
 * answer leaves out was not looked up: then nothing of the answer is believed.
 */

#include <string.h>

#include "api/auth/token.h"
#include "daemon/base/text.h"
#include "daemon/fetch/fetch.h"
#include "daemon/worker/lookup.h"

void lookup_write_form(struct buffer *form, const struct lookup_name *names, size_t n_names)
{
	buffer_append_text(form, "action=query&format=json&formatversion=2&list=users"
				 "&usprop=centralids&ususers=");
	/* U+001F first makes it the separator: a reported name may hold a bar. */
	for (size_t i = 0; i < n_names; i++) {
		if (!names[i].folded.length)
			continue;
		buffer_append_text(form, "%1F");
		fetch_escape(form, names[i].folded);
	}
}

static void free_value(void *value)
{
	value_free(value);
}

/* Nobody has the name, or nobody could. */
static bool is_nobody(const struct value *user)
{
	return value_is_true(value_get(user, "missing")) ||
	       value_is_true(value_get(user, "invalid"));
}

/* The central id of one user, or empty. */
static struct slice read_id(struct arena *arena, const struct value *user, const char *provider)
{
	const struct value *attached = value_get(value_get(user, "attachedlocal"), provider);
	int64_t id = value_integer(value_get(value_get(user, "centralids"), provider), 0);
	char *text;

	if (id <= 0 || (attached && !value_is_true(attached)))
		return (struct slice){ NULL, 0 };
	text = arena_printf(arena, "%lld", (long long)id);
	return (struct slice){ text, text ? strlen(text) : 0 };
}

static const struct value *find_user(struct arena *arena, const struct value *users,
				     struct slice folded)
{
	for (size_t i = 0; i < value_count(users); i++) {
		const struct value *user = value_at(users, i);
		struct slice name;

		if (text_fold_user(arena, value_text(value_get(user, "name")), &name) == 0 &&
		    text_equals(name, folded))
			return user;
	}
	return NULL;
}

int lookup_read(struct arena *arena, struct slice body, const char *provider,
		struct lookup_name *names, size_t n_names)
{
	const struct value *users;
	struct value *root = NULL;
	int r = value_parse(body, &root, NULL);

	if (r)
		return r < 0 ? r : LOOKUP_E_GARBAGE;
	r = arena_take(arena, root, free_value);
	if (r)
		return r;
	users = value_get(value_get(root, "query"), "users");
	if (value_get(root, "error") || !value_is(users, VALUE_ARRAY))
		return LOOKUP_E_GARBAGE;
	for (size_t i = 0; i < n_names; i++) {
		const struct value *user;

		if (!names[i].folded.length)
			continue;
		user = find_user(arena, users, names[i].folded);
		if (!user)
			return LOOKUP_E_GARBAGE;
		if (!is_nobody(user) && !value_get(value_get(user, "centralids"), provider))
			return LOOKUP_E_PROVIDER;
		names[i].id = read_id(arena, user, provider);
		names[i].is_temporary = names[i].folded.length > 1 &&
					memcmp(names[i].folded.at, "~2", 2) == 0;
	}
	return 0;
}
