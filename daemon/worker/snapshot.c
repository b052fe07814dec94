/*
 * What MediaWiki's REST API answers for a revision: an object with `id`, `page`, `timestamp`,
 * `user`, `source` and more; or, with 404 and 403, one with an `errorKey`. MediaWiki 1.39 has none
 * and is told by its message in English, which is among the translations of every wiki. A 404
 * without either is of somebody else than the API, as is anything that is not of the revision that
 * was asked for: that says nothing of the revision.
 */

#include "daemon/worker/snapshot.h"

#include <inttypes.h>
#include <string.h>

#include "daemon/base/text.h"
#include "daemon/ipc/page.h"
#include "daemon/json/value.h"

const char *const snapshot_states[PAGE_SNAPSHOTS] = { "taken",     "gone",      "hidden",
						      "too_large", "link_only", "given_up" };

static const char each[] = "https://*/";

/* NULL: out of memory. A rest without a star is a host's own. */
const char *snapshot_write_url(struct arena *arena, const char *rest, const char *host,
			       int64_t revision)
{
	bool is_each = strncmp(rest, each, sizeof(each) - 1) == 0;
	const char *path = is_each ? rest + sizeof(each) - 1 : rest;
	int length = (int)strlen(path);

	while (length > 0 && path[length - 1] == '/')
		length--;
	return arena_printf(arena, "%s%s%s%.*s/v1/revision/%" PRId64, is_each ? "https://" : "",
			    is_each ? host : "", is_each ? "/" : "", length, path, revision);
}

/* `message` is the key's text up to the number of the revision. */
static bool has_error(const struct value *answer, const char *key, const char *message)
{
	const char *text = value_get_string(value_get(answer, "messageTranslations"), "en");

	if (value_get(answer, "errorKey"))
		return text_equals(value_text(value_get(answer, "errorKey")), text_slice(key));
	return text && strncmp(text, message, strlen(message)) == 0;
}

static int read_refusal(long status, const struct value *answer)
{
	if (status == 404 &&
	    has_error(answer, "rest-nonexistent-revision", "The specified revision ("))
		return SNAPSHOT_E_GONE;
	if (status == 403 && has_error(answer, "rest-permission-denied-revision",
				       "User doesn't have access to the requested revision ("))
		return SNAPSHOT_E_HIDDEN;
	return SNAPSHOT_E_GARBAGE;
}

static bool is_revision(const struct value *answer, int64_t revision)
{
	const struct value *page = value_get(answer, "page");
	int64_t at_us;

	return value_integer(value_get(answer, "id"), 0) == revision &&
	       value_is(value_get(answer, "source"), VALUE_TEXT) &&
	       value_is(value_get(page, "title"), VALUE_TEXT) &&
	       text_read_timestamp(value_text(value_get(answer, "timestamp")), &at_us) == 0;
}

static int copy_member(struct value *document, const struct value *answer, const char *name)
{
	const struct value *member = value_get(answer, name);

	return value_set_take(document, name, member ? value_copy(member) : value_new_null());
}

static int write_document(const struct value *answer, const struct snapshot_place *place,
			  struct buffer *buffer)
{
	static const char *const members[] = { "page",    "timestamp",     "user",
					       "comment", "minor",         "size",
					       "license", "content_model", "source" };
	CLEANUP(value_freep) struct value *document = value_new_object();
	char fetched_at[32];
	int r = document ? value_set_integer(document, "snapshot", 1) : -ENOMEM;

	text_write_timestamp(fetched_at, place->fetched_us);
	if (!r)
		r = value_set_string(document, "wiki", place->wiki);
	if (!r)
		r = value_set_integer(document, "revision", place->revision);
	if (!r)
		r = value_set_string(document, "url", place->url);
	if (!r)
		r = value_set_string(document, "fetched_at", fetched_at);
	for (size_t i = 0; !r && i < ARRAY_SIZE(members); i++)
		r = copy_member(document, answer, members[i]);
	return r ? r : value_write(document, buffer);
}

int snapshot_read(long status, struct slice body, const struct snapshot_place *place,
		  struct buffer *document)
{
	CLEANUP(value_freep) struct value *answer = NULL;
	size_t before = document->length;
	int r = value_parse(body, &answer, NULL);

	if (r)
		return r < 0 ? r : SNAPSHOT_E_GARBAGE;
	if (status != 200)
		return read_refusal(status, answer);
	if (!is_revision(answer, place->revision))
		return SNAPSHOT_E_GARBAGE;
	if (value_text(value_get(answer, "source")).length > SNAPSHOT_SOURCE_MAX)
		return SNAPSHOT_E_TOO_LARGE;
	r = write_document(answer, place, document);
	if (r)
		return r;
	return document->length - before > SNAPSHOT_DOCUMENT_MAX ? SNAPSHOT_E_TOO_LARGE : 0;
}
