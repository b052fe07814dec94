/* The messages about wiki accounts: what comes back is what was written, and nothing else passes.
 */

#include <string.h>

#include "daemon/base/buffer.h"
#include "daemon/ipc/pack.h"
#include "daemon/ipc/wiki.h"
#include "tests/unit/suite.h"

#define TEXT(literal) SLICE(literal)
#define BYTES(buffer) ((struct slice){ (buffer).at, (buffer).length })

static bool is_same(struct slice a, struct slice b)
{
	return a.length == b.length && (!a.length || memcmp(a.at, b.at, a.length) == 0);
}

START_TEST(a_check_reads_as_it_was_written)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	const struct ipc_wiki_check check = { TEXT("https://w.example"), TEXT("a.b.c") };
	struct ipc_wiki_check read;

	ipc_wiki_write_check(&buffer, &check);
	ck_assert_int_eq(ipc_wiki_read_check(BYTES(buffer), &read), 0);
	ck_assert(is_same(read.iss, check.iss) && is_same(read.token, check.token));
}
END_TEST

START_TEST(an_exchange_reads_as_it_was_written)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	const struct ipc_wiki_exchange exchange = { TEXT("https://w.example"), TEXT("code"),
						    TEXT("verifier"), TEXT("https://c.example/") };
	struct ipc_wiki_exchange read;

	ipc_wiki_write_exchange(&buffer, &exchange);
	ck_assert_int_eq(ipc_wiki_read_exchange(BYTES(buffer), &read), 0);
	ck_assert(is_same(read.code, exchange.code) && is_same(read.verifier, exchange.verifier));
	ck_assert(is_same(read.redirect_uri, exchange.redirect_uri));
}
END_TEST

START_TEST(an_answer_reads_as_it_was_written)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	const struct ipc_wiki_answer answer = { .outcome = IPC_WIKI_LIVE,
						.is_temporary = true,
						.retry_after_s = 258,
						.id = TEXT("4711"),
						.user_name = TEXT("Zoë"),
						.token = TEXT("t.o.k") };
	struct ipc_wiki_answer read;

	ipc_wiki_write_answer(&buffer, &answer);
	ck_assert_int_eq(ipc_wiki_read_answer(BYTES(buffer), &read), 0);
	ck_assert(read.outcome == IPC_WIKI_LIVE && read.is_temporary && !read.is_blocked);
	ck_assert_uint_eq(read.retry_after_s, 258);
	ck_assert(is_same(read.id, answer.id) && is_same(read.user_name, answer.user_name));
	ck_assert(is_same(read.token, answer.token));
}
END_TEST

/* Every length short of the whole, and one byte more. */
START_TEST(a_cut_or_longer_message_is_malformed)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	const struct ipc_wiki_answer answer = { .outcome = IPC_WIKI_LIVE,
						.id = TEXT("4711"),
						.user_name = TEXT("A") };
	struct ipc_wiki_answer read;

	ipc_wiki_write_answer(&buffer, &answer);
	for (size_t n = 0; n < buffer.length; n++)
		ck_assert_int_eq(ipc_wiki_read_answer((struct slice){ buffer.at, n }, &read),
				 IPC_WIKI_E_MALFORMED);
	buffer_append_char(&buffer, 0);
	ck_assert_int_eq(ipc_wiki_read_answer(BYTES(buffer), &read), IPC_WIKI_E_MALFORMED);
}
END_TEST

static const struct {
	const char *why;
	struct ipc_wiki_answer answer;
} bad_answers[] = {
	{ "no id", { .outcome = IPC_WIKI_LIVE } },
	{ "an id of letters", { .outcome = IPC_WIKI_LIVE, .id = { "4x", 2 } } },
	{ "an id with a leading zero", { .outcome = IPC_WIKI_LIVE, .id = { "04", 2 } } },
	{ "an id of 20 digits",
	  { .outcome = IPC_WIKI_LIVE, .id = { "12345678901234567890", 20 } } },
	{ "a NUL in the name",
	  { .outcome = IPC_WIKI_LIVE, .id = { "4", 1 }, .user_name = { "a\0b", 3 } } },
	{ "a space in the token",
	  { .outcome = IPC_WIKI_LIVE, .id = { "4", 1 }, .token = { "a b", 3 } } },
	{ "an identity that is refused", { .outcome = IPC_WIKI_REFUSED, .id = { "4", 1 } } },
	{ "a name while away", { .outcome = IPC_WIKI_AWAY, .user_name = { "A", 1 } } },
	{ "an unknown outcome", { .outcome = IPC_WIKI_OUTCOME_COUNT } },
};

START_TEST(an_answer_that_cannot_be_is_malformed)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad_answers); i++) {
		CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
		struct ipc_wiki_answer read;

		ipc_wiki_write_answer(&buffer, &bad_answers[i].answer);
		ck_assert_msg(ipc_wiki_read_answer(BYTES(buffer), &read) == IPC_WIKI_E_MALFORMED,
			      "%s", bad_answers[i].why);
	}
}
END_TEST

START_TEST(a_question_with_control_characters_is_malformed)
{
	CLEANUP(buffer_deinit) struct buffer check = BUFFER_NULL, exchange = BUFFER_NULL;
	struct ipc_wiki_check read_check;
	struct ipc_wiki_exchange read_exchange;

	ipc_wiki_write_check(&check, &(struct ipc_wiki_check){ TEXT("i"), TEXT("a\r\nX: y") });
	ck_assert_int_eq(ipc_wiki_read_check(BYTES(check), &read_check), IPC_WIKI_E_MALFORMED);
	ipc_wiki_write_exchange(&exchange, &(struct ipc_wiki_exchange){ TEXT("i"), TEXT("c"),
									TEXT(""), TEXT("u") });
	ck_assert_int_eq(ipc_wiki_read_exchange(BYTES(exchange), &read_exchange),
			 IPC_WIKI_E_MALFORMED);
}
END_TEST

START_TEST(a_part_above_the_limit_marks_the_buffer)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	static char long_text[PACK_PART_LIMIT + 1];

	pack_write(&buffer, &(struct slice){ long_text, sizeof(long_text) }, 1);
	ck_assert(buffer_finish(&buffer) < 0);
}
END_TEST

SUITE("ipc/wiki", a_check_reads_as_it_was_written, an_exchange_reads_as_it_was_written,
      an_answer_reads_as_it_was_written, a_cut_or_longer_message_is_malformed,
      an_answer_that_cannot_be_is_malformed, a_question_with_control_characters_is_malformed,
      a_part_above_the_limit_marks_the_buffer)
