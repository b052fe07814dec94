/* daemon/worker/snapshot: where revisions are asked for, which answers are believed, and what is
 * kept of them. */

#include "daemon/json/value.h"
#include "daemon/worker/snapshot.h"
#include "tests/unit/suite.h"

static const struct snapshot_place place = { .wiki = "enwiki",
					     .url = "https://en.wiki.example/w/rest.php/v1/"
						    "revision/42",
					     .revision = 42,
					     .fetched_us = 1795392000000000 };

static const struct {
	const char *rest;
	const char *host;
	const char *url;
} addresses[] = {
	{ "https://a.example/w/rest.php", "b.example",
	  "https://a.example/w/rest.php/v1/revision/7" },
	{ "https://a.example/w/rest.php/", NULL, "https://a.example/w/rest.php/v1/revision/7" },
	{ "https://*/w/rest.php", "b.example", "https://b.example/w/rest.php/v1/revision/7" },
	{ "https://*/", "b.example", "https://b.example//v1/revision/7" },
	{ "http://127.0.0.1:80/rest.php", NULL, "http://127.0.0.1:80/rest.php/v1/revision/7" },
};

START_TEST(a_revision_has_an_address)
{
	struct arena *arena;

	ck_assert_int_eq(arena_new(&arena), 0);
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
		ck_assert_str_eq(snapshot_write_url(arena, addresses[i].rest, addresses[i].host, 7),
				 addresses[i].url);
	arena_free(arena);
}
END_TEST

#define REVISION(id, more)                                                                      \
	"{\"id\":" id ",\"size\":4,\"minor\":false,\"timestamp\":\"2026-11-20T10:00:00Z\","     \
	"\"content_model\":\"wikitext\",\"page\":{\"id\":3,\"key\":\"A_b\",\"title\":\"A b\"}," \
	"\"user\":{\"id\":5,\"name\":\"Ada\"},\"comment\":\"c\",\"delta\":2" more "}"

START_TEST(a_revision_is_kept_as_it_is)
{
	CLEANUP(buffer_deinit) struct buffer document = BUFFER_NULL;
	CLEANUP(value_freep) struct value *kept = NULL;
	static const char body[] = REVISION(
		"42", ",\"source\":\"Zo\\u00eb \\ud83d\\ude00\\n\\u0001 \\\"x\\\"\"");

	ck_assert_int_eq(snapshot_read(200, slice_of(body), &place, &document), 0);
	ck_assert_int_eq(value_parse((struct slice){ document.at, document.length }, &kept, NULL),
			 0);
	ck_assert_str_eq(value_get_string(kept, "source"),
			 "Zo\xc3\xab \xf0\x9f\x98\x80\n\x01 \"x\"");
	ck_assert_int_eq(value_integer(value_get(kept, "snapshot"), 0), 1);
	ck_assert_str_eq(value_get_string(kept, "wiki"), "enwiki");
	ck_assert_str_eq(value_get_string(kept, "url"), place.url);
	ck_assert_str_eq(value_get_string(kept, "fetched_at"), "2026-11-23T00:00:00Z");
	ck_assert_int_eq(value_integer(value_get(kept, "revision"), 0), 42);
	ck_assert_str_eq(value_get_string(value_get(kept, "page"), "title"), "A b");
	ck_assert_str_eq(value_get_string(value_get(kept, "user"), "name"), "Ada");
	ck_assert_str_eq(value_get_string(kept, "timestamp"), "2026-11-20T10:00:00Z");
	ck_assert(value_is(value_get(kept, "license"), VALUE_NULL));
	ck_assert_ptr_null(value_get(kept, "delta"));
}
END_TEST

#define MESSAGE(text) "{\"messageTranslations\":{\"en\":\"" text "\"},\"httpReason\":\"x\"}"

static const struct {
	long status;
	const char *body;
	int outcome;
} answers[] = {
	{ 200, REVISION("42", ",\"source\":\"\""), 0 },
	{ 200, REVISION("42", ",\"source\":\"x\",\"user\":null"), SNAPSHOT_E_GARBAGE },
	{ 200, REVISION("43", ",\"source\":\"x\""), SNAPSHOT_E_GARBAGE },
	{ 200, REVISION("\"42\"", ",\"source\":\"x\""), SNAPSHOT_E_GARBAGE },
	{ 200, REVISION("42", ""), SNAPSHOT_E_GARBAGE },
	{ 200, REVISION("42", ",\"source\":7"), SNAPSHOT_E_GARBAGE },
	{ 200, "{\"id\":42,\"source\":\"x\"}", SNAPSHOT_E_GARBAGE },
	{ 200, "{\"id\":42,\"source\":\"x\",\"page\":{\"title\":\"A\"},\"timestamp\":\"now\"}",
	  SNAPSHOT_E_GARBAGE },
	{ 200, "[]", SNAPSHOT_E_GARBAGE },
	{ 200, "<!DOCTYPE html>", SNAPSHOT_E_GARBAGE },
	{ 200, "", SNAPSHOT_E_GARBAGE },
	{ 200, "{\"errorKey\":\"rest-nonexistent-revision\"}", SNAPSHOT_E_GARBAGE },
	{ 302, REVISION("42", ",\"source\":\"x\""), SNAPSHOT_E_GARBAGE },
	{ 500, "{\"errorKey\":\"rest-nonexistent-revision\"}", SNAPSHOT_E_GARBAGE },
	{ 404, "{\"errorKey\":\"rest-nonexistent-revision\",\"httpCode\":404}", SNAPSHOT_E_GONE },
	{ 404, "{\"messageTranslations\":{},\"httpCode\":404}", SNAPSHOT_E_GARBAGE },
	{ 404, MESSAGE("The specified revision (42) does not exist"), SNAPSHOT_E_GONE },
	{ 403, MESSAGE("The specified revision (42) does not exist"), SNAPSHOT_E_GARBAGE },
	{ 403, MESSAGE("User doesn't have access to the requested revision (42)."),
	  SNAPSHOT_E_HIDDEN },
	{ 404, MESSAGE("The requested relative path (/v1) did not match any known handler"),
	  SNAPSHOT_E_GARBAGE },
	{ 404,
	  "{\"errorKey\":\"rest-no-match\",\"messageTranslations\":"
	  "{\"en\":\"The specified revision (42) does not exist\"}}",
	  SNAPSHOT_E_GARBAGE },
	{ 404, "<h1>Not Found</h1>", SNAPSHOT_E_GARBAGE },
	{ 403, "{\"errorKey\":\"rest-permission-denied-revision\"}", SNAPSHOT_E_HIDDEN },
	{ 403, "{\"errorKey\":\"rest-read-denied\"}", SNAPSHOT_E_GARBAGE },
	{ 404, "{\"errorKey\":\"rest-permission-denied-revision\"}", SNAPSHOT_E_GARBAGE },
	{ 429, "{}", SNAPSHOT_E_GARBAGE },
};

START_TEST(answers_are_believed_when_they_are_of_the_revision)
{
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		CLEANUP(buffer_deinit) struct buffer document = BUFFER_NULL;
		int r = snapshot_read(answers[i].status, slice_of(answers[i].body), &place,
				      &document);

		ck_assert_msg(r == answers[i].outcome, "%s: %d", answers[i].body, r);
		ck_assert(answers[i].outcome ? !document.length : document.length > 0);
	}
}
END_TEST

/* A source of so many bytes, all of them `c`. */
static int read_long(size_t length, char c)
{
	CLEANUP(buffer_deinit) struct buffer body = BUFFER_NULL;
	CLEANUP(buffer_deinit) struct buffer document = BUFFER_NULL;
	char *source = malloc(length);

	ck_assert_ptr_nonnull(source);
	memset(source, c, length);
	buffer_append_text(&body, "{\"id\":42,\"page\":{\"title\":\"A\"},"
				  "\"timestamp\":\"2026-11-20T10:00:00Z\",\"source\":\"");
	for (size_t i = 0; i < length && c == '\n'; i++)
		buffer_append_text(&body, "\\n");
	if (c != '\n')
		buffer_append(&body, source, length);
	buffer_append_text(&body, "\"}");
	free(source);
	ck_assert_int_eq(buffer_finish(&body), 0);
	return snapshot_read(200, (struct slice){ body.at, body.length }, &place, &document);
}

START_TEST(a_source_has_a_limit)
{
	ck_assert_int_eq(read_long(SNAPSHOT_SOURCE_MAX, 'a'), 0);
	ck_assert_int_eq(read_long(SNAPSHOT_SOURCE_MAX + 1, 'a'), SNAPSHOT_E_TOO_LARGE);
	/* Written out, each of these is two bytes. */
	ck_assert_int_eq(read_long(SNAPSHOT_SOURCE_MAX, '\n'), SNAPSHOT_E_TOO_LARGE);
	ck_assert_int_eq(read_long(SNAPSHOT_SOURCE_MAX - 512, '\n'), 0);
}
END_TEST

SUITE("worker/snapshot", a_revision_has_an_address, a_revision_is_kept_as_it_is,
      answers_are_believed_when_they_are_of_the_revision, a_source_has_a_limit)
