/* daemon/json/scan.c: members of text that PostgreSQL wrote, and of text that it did not. */

#include "tests/unit/suite.h"

#include "daemon/json/value.h"

START_TEST(a_member_is_found_as_it_is_written)
{
	static const struct {
		const char *object, *key, *text;
	} rows[] = {
		{ "{\"id\": 1, \"next\": null}", "next", "null" },
		{ "{\"id\":1,\"next\":-2.5}", "id", "1" },
		{ " { \"a\" : [ {\"id\": \"]\"} ] , \"id\" : \"x\\\"y\" }", "id", "\"x\\\"y\"" },
		{ "{\"a\": {\"id\": 1}, \"b\": [], \"id\": {\"c\": [2]}}", "id", "{\"c\": [2]}" },
		{ "{\"ids\": 1, \"i\": 2, \"id\": true}", "id", "true" },
		{ "{\"\\\"id\": 1, \"id\": []}", "id", "[]" },
	};
	struct slice text;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ck_assert(value_scan_member(slice_of(rows[i].object), rows[i].key, &text));
		ck_assert_slice_eq(text, rows[i].text);
	}
}
END_TEST

START_TEST(what_is_absent_or_broken_has_no_member)
{
	static const char *const rows[] = {
		"",
		"{",
		"{}",
		"[]",
		"\"id\"",
		"{\"id\"",
		"{\"id\":",
		"{\"id\" 1}",
		"{\"id",
		"{\"id\":\"x}",
		"{\"id\":[1",
		"{\"id\":1",
		"{id:1}",
		"{\"a\":{\"id\":1}}",
		"{\"a\":1;\"id\":1}",
		"{\"id\\",
	};
	struct slice text = { NULL, 0 };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		ck_assert_msg(!value_scan_member(slice_of(rows[i]), "id", &text), "%s", rows[i]);
	ck_assert_ptr_null(text.at);
}
END_TEST

SUITE("json/scan", a_member_is_found_as_it_is_written, what_is_absent_or_broken_has_no_member)
