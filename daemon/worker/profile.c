/*
 * Answers of Extension:OAuth. It serves JSON as text/html, so the type says nothing and the bytes
 * have to speak for themselves. Only an answer that can be believed refuses anybody: a page of some
 * proxy, a database error, or half a document mean that the wiki is away.
 */

#include <string.h>

#include "api/auth/token.h"
#include "daemon/base/text.h"
#include "daemon/json/value.h"
#include "daemon/worker/profile.h"

static void free_value(void *value)
{
	value_free(value);
}

/* The object of an answer, or NULL with *ret_r set. */
static const struct value *read_object(struct arena *arena, struct slice body, int *ret_r)
{
	struct value *value = NULL;

	*ret_r = PROFILE_E_GARBAGE;
	if (body.length == 0 || body.length > PROFILE_SIZE_MAX)
		return NULL;
	*ret_r = value_parse(body, &value, NULL);
	if (*ret_r > 0)
		*ret_r = PROFILE_E_GARBAGE;
	if (*ret_r)
		return NULL;
	*ret_r = arena_take(arena, value, free_value);
	if (!*ret_r && !value_is(value, VALUE_OBJECT))
		*ret_r = PROFILE_E_GARBAGE;
	return *ret_r ? NULL : value;
}

/* 401 is clear by itself; 400 and 403 are also what proxies and firewalls say, in HTML. */
static bool is_refusal(long status, const struct value *object)
{
	return status == 401 || ((status == 400 || status == 403) && object);
}

/* A number is what older wikis send. */
static bool read_sub(struct arena *arena, const struct value *sub, const char *scope,
		     struct slice *ret_id)
{
	struct slice text = value_text(sub);

	if (value_is(sub, VALUE_INTEGER)) {
		text.at = arena_printf(arena, "%lld", (long long)value_integer(sub, 0));
		text.length = text.at ? strlen(text.at) : 0;
	}
	return token_read_subject(text, scope, ret_id);
}

/* Names of MediaWiki: no control characters, at most 255 bytes. Absent or empty: hidden. */
static bool read_name(const struct value *value, struct slice *ret_name)
{
	struct slice name = value_text(value);

	if (!value || value_is(value, VALUE_NULL)) {
		*ret_name = (struct slice){ "", 0 };
		return true;
	}
	if (!value_is(value, VALUE_TEXT) || name.length > IPC_WIKI_NAME_LIMIT)
		return false;
	for (size_t i = 0; i < name.length; i++)
		if ((unsigned char)name.at[i] < 0x20 || name.at[i] == 0x7f)
			return false;
	*ret_name = name;
	return true;
}

/* MediaWiki reserves "~2…" for accounts that expire. */
static bool is_temporary(struct slice name)
{
	return name.length > 1 && name.at[0] == '~' && name.at[1] == '2';
}

int profile_read(struct arena *arena, long status, struct slice body, const char *scope,
		 struct ipc_wiki_answer *ret_answer)
{
	struct ipc_wiki_answer answer = { .outcome = IPC_WIKI_LIVE };
	const struct value *object, *blocked;
	int r;

	object = read_object(arena, body, &r);
	if (r < 0)
		return r;
	if (is_refusal(status, object))
		return PROFILE_E_REFUSED;
	blocked = value_get(object, "blocked");
	if (status != 200 || !object || value_get(object, "error") ||
	    !read_sub(arena, value_get(object, "sub"), scope, &answer.id) ||
	    !read_name(value_get(object, "username"), &answer.user_name) ||
	    (blocked && !value_is(blocked, VALUE_BOOLEAN)))
		return PROFILE_E_GARBAGE;
	answer.is_blocked = value_is_true(blocked);
	answer.is_temporary = is_temporary(answer.user_name);
	*ret_answer = answer;
	return 0;
}

int profile_read_access_token(struct arena *arena, long status, struct slice body,
			      struct slice *ret_token)
{
	const struct value *object;
	struct slice token;
	int r;

	object = read_object(arena, body, &r);
	if (r < 0)
		return r;
	if (is_refusal(status, object))
		return PROFILE_E_REFUSED;
	token = value_text(value_get(object, "access_token"));
	if (status != 200 || token.length == 0 || token.length > IPC_WIKI_TOKEN_LIMIT)
		return PROFILE_E_GARBAGE;
	for (size_t i = 0; i < token.length; i++)
		if (token.at[i] <= ' ' || token.at[i] > '~')
			return PROFILE_E_GARBAGE;
	*ret_token = token;
	return 0;
}
