/* api/auth/wiki: what is asked, what is remembered and for how long. The worker is the other end of
 * a real channel, the clock is the test's. */

#include <event2/event.h>

#include "api/auth/wiki.h"
#include "daemon/base/buffer.h"
#include "daemon/ipc/wiki.h"
#include "tests/unit/suite.h"

static struct event_base *base;
static struct ipc_channel *channel, *worker;
static struct wiki *wiki;
static int64_t clock_ms;
static const struct issuer issuer = { .iss = "https://w.example", .scope = "CentralAuth" };

/* The worker's side. */
static struct ipc_wiki_answer answer;
static const char *garbage; /* sent instead of the answer */
static bool is_silent;
static unsigned n_asked;
static uint16_t asked_type;

struct asker {
	struct wiki_call call;
	unsigned n_done;
	enum wiki_outcome outcome;
	char id[20];
	char name[64];
	char token[64];
};

static int64_t now_ms(void)
{
	return clock_ms;
}

static void on_message(struct ipc_channel *from, struct ipc_message *message, void *userdata)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;

	n_asked++;
	asked_type = message->type;
	if (is_silent)
		return;
	if (garbage)
		buffer_append_text(&buffer, garbage);
	else
		ipc_wiki_write_answer(&buffer, &answer);
	ck_assert_int_eq(ipc_channel_reply(from, message, IPC_TYPE_WIKI_ANSWER,
					   (struct slice){ buffer.at, buffer.length }),
			 0);
}

static void on_closed(struct ipc_channel *from, const char *why, void *userdata)
{
	struct ipc_channel **place = userdata;

	*place = ipc_channel_free(from);
}

static void setup(void)
{
	struct ipc_setup one = { .on_message = on_message, .on_closed = on_closed };
	int fds[2];

	base = event_base_new();
	ck_assert_int_eq(ipc_pair_open(fds), 0);
	one.base = base;
	one.fd = fds[0];
	one.userdata = &channel;
	ck_assert_int_eq(ipc_channel_new(&one, &channel), 0);
	one.fd = fds[1];
	one.userdata = &worker;
	ck_assert_int_eq(ipc_channel_new(&one, &worker), 0);
	clock_ms = 1000;
	ck_assert_int_eq(wiki_new(&channel, now_ms, &wiki), 0);
	answer = (struct ipc_wiki_answer){ .outcome = IPC_WIKI_LIVE,
					   .id = SLICE("42"),
					   .user_name = SLICE("Ada") };
	garbage = NULL;
	is_silent = false;
	n_asked = 0;
}

static void teardown(void)
{
	channel = ipc_channel_free(channel);
	worker = ipc_channel_free(worker);
	wiki = wiki_free(wiki);
	event_base_free(base);
}

static void on_done(struct wiki_call *call, enum wiki_outcome outcome,
		    const struct wiki_identity *identity, struct slice access_token)
{
	struct asker *asker = (struct asker *)(void *)((char *)call - offsetof(struct asker, call));

	asker->n_done++;
	asker->outcome = outcome;
	ck_assert((outcome == WIKI_LIVE) == (identity != NULL));
	if (identity) {
		(void)snprintf(asker->id, sizeof(asker->id), "%.*s", (int)identity->id.length,
			       identity->id.at);
		(void)snprintf(asker->name, sizeof(asker->name), "%.*s",
			       (int)identity->user_name.length, identity->user_name.at);
	}
	(void)snprintf(asker->token, sizeof(asker->token), "%.*s", (int)access_token.length,
		       access_token.length ? access_token.at : "");
}

static void settle(void)
{
	for (int i = 0; i < 8; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static void begin(struct asker *asker, const char *jti, const char *token, bool is_privileged)
{
	*asker = (struct asker){ .call = { .done = on_done } };
	wiki_check(wiki, &issuer, slice_of(jti), slice_of(token), is_privileged, &asker->call);
}

static struct asker ask(const char *token, bool is_privileged)
{
	struct asker asker;

	begin(&asker, "j", token, is_privileged);
	settle();
	ck_assert_uint_eq(asker.n_done, 1);
	return asker;
}

START_TEST(a_good_answer_holds_for_five_minutes_and_for_an_office_one)
{
	struct asker asker;

	setup();
	asker = ask("t", false);
	ck_assert_int_eq(asker.outcome, WIKI_LIVE);
	ck_assert_str_eq(asker.id, "42");
	ck_assert_str_eq(asker.name, "Ada");
	clock_ms += 59999;
	(void)ask("t", true);
	ck_assert_uint_eq(n_asked, 1);
	clock_ms += 1;
	(void)ask("t", false);
	ck_assert_uint_eq(n_asked, 1);
	(void)ask("t", true);
	ck_assert_uint_eq(n_asked, 2);
	clock_ms += 299999;
	asker = ask("t", false);
	ck_assert_str_eq(asker.name, "Ada");
	ck_assert_uint_eq(n_asked, 2);
	clock_ms += 1;
	(void)ask("t", false);
	ck_assert_uint_eq(n_asked, 3);
	teardown();
}
END_TEST

START_TEST(a_refusal_holds_for_half_a_minute)
{
	setup();
	answer = (struct ipc_wiki_answer){ .outcome = IPC_WIKI_REFUSED };
	ck_assert_int_eq(ask("t", false).outcome, WIKI_REFUSED);
	clock_ms += 29999;
	ck_assert_int_eq(ask("t", true).outcome, WIKI_REFUSED);
	ck_assert_uint_eq(n_asked, 1);
	clock_ms += 1;
	ck_assert_int_eq(ask("t", false).outcome, WIKI_REFUSED);
	ck_assert_uint_eq(n_asked, 2);
	teardown();
}
END_TEST

START_TEST(a_revocation_replaces_a_good_answer)
{
	setup();
	(void)ask("t", false);
	clock_ms += 61000;
	answer = (struct ipc_wiki_answer){ .outcome = IPC_WIKI_REFUSED };
	ck_assert_int_eq(ask("t", true).outcome, WIKI_REFUSED);
	ck_assert_int_eq(ask("t", false).outcome, WIKI_REFUSED);
	ck_assert_uint_eq(n_asked, 2);
	teardown();
}
END_TEST

START_TEST(a_wiki_that_is_away_is_not_remembered_and_forgets_nothing)
{
	struct asker asker;

	setup();
	(void)ask("t", false);
	clock_ms += 61000;
	answer = (struct ipc_wiki_answer){ .outcome = IPC_WIKI_AWAY, .retry_after_s = 9 };
	asker = ask("t", true);
	ck_assert_int_eq(asker.outcome, WIKI_AWAY);
	ck_assert_uint_eq(asker.call.retry_after_s, 9);
	ck_assert_int_eq(ask("t", false).outcome, WIKI_LIVE);
	ck_assert_int_eq(ask("u", false).outcome, WIKI_AWAY);
	ck_assert_int_eq(ask("u", false).outcome, WIKI_AWAY);
	ck_assert_uint_eq(n_asked, 4);
	teardown();
}
END_TEST

START_TEST(equal_questions_travel_together)
{
	struct asker askers[20];

	setup();
	for (size_t i = 0; i < ARRAY_SIZE(askers); i++)
		begin(&askers[i], "j", "t", i % 2);
	settle();
	for (size_t i = 0; i < ARRAY_SIZE(askers); i++) {
		ck_assert_uint_eq(askers[i].n_done, 1);
		ck_assert_int_eq(askers[i].outcome, WIKI_LIVE);
		ck_assert_str_eq(askers[i].name, "Ada");
	}
	ck_assert_uint_eq(n_asked, 1);
	teardown();
}
END_TEST

START_TEST(a_token_with_the_jti_of_another_is_another_question)
{
	struct asker asker;

	setup();
	(void)ask("t", false);
	begin(&asker, "j", "u", false);
	settle();
	ck_assert_uint_eq(n_asked, 2);
	teardown();
}
END_TEST

START_TEST(a_malformed_answer_is_away)
{
	setup();
	garbage = "\x01\x01\x01\x01 and more";
	ck_assert_int_eq(ask("t", false).outcome, WIKI_AWAY);
	teardown();
}
END_TEST

START_TEST(without_a_worker_it_is_away_at_once)
{
	struct asker asker;

	setup();
	channel = ipc_channel_free(channel);
	begin(&asker, "j", "t", false);
	ck_assert_uint_eq(asker.n_done, 1);
	ck_assert_int_eq(asker.outcome, WIKI_AWAY);
	ck_assert_uint_eq(asker.call.retry_after_s, WIKI_RETRY_S);
	teardown();
}
END_TEST

START_TEST(a_worker_that_dies_leaves_nobody_waiting)
{
	struct asker one, two;

	setup();
	is_silent = true;
	begin(&one, "j", "t", false);
	begin(&two, "j", "t", false);
	settle();
	ck_assert_uint_eq(one.n_done + two.n_done, 0);
	worker = ipc_channel_free(worker);
	settle();
	ck_assert_uint_eq(one.n_done, 1);
	ck_assert_uint_eq(two.n_done, 1);
	ck_assert_int_eq(two.outcome, WIKI_AWAY);
	ck_assert_ptr_null(channel);
	teardown();
}
END_TEST

START_TEST(more_questions_than_the_limit_are_away)
{
	static struct asker askers[600];
	char token[16];
	unsigned n_away = 0;

	setup();
	is_silent = true;
	for (size_t i = 0; i < ARRAY_SIZE(askers); i++) {
		(void)snprintf(token, sizeof(token), "t%zu", i);
		begin(&askers[i], "j", token, false);
		n_away += askers[i].n_done;
	}
	/* What the channel queues between two turns of the loop is the nearer limit. */
	ck_assert_uint_eq(n_away, ARRAY_SIZE(askers) - IPC_QUEUE_LIMIT);
	teardown();
	for (size_t i = 0; i < ARRAY_SIZE(askers); i++)
		ck_assert_uint_eq(askers[i].n_done, 1);
}
END_TEST

/* Four thousand places: whatever falls out is asked again, and never told of somebody else. */
START_TEST(more_accounts_than_the_cache_holds_are_kept_apart)
{
	char token[16];

	setup();
	for (unsigned i = 0; i < 6000; i++) {
		(void)snprintf(token, sizeof(token), "t%u", i);
		answer.id = slice_of(token + 1);
		if (i == 0)
			answer.id = SLICE("9");
		clock_ms++;
		ck_assert_int_eq(ask(token, false).outcome, WIKI_LIVE);
	}
	ck_assert_uint_eq(n_asked, 6000);
	for (unsigned i = 1; i < 6000; i += 7) {
		(void)snprintf(token, sizeof(token), "t%u", i);
		answer.id = slice_of(token + 1);
		ck_assert_str_eq(ask(token, false).id, token + 1);
	}
	ck_assert_uint_gt(n_asked, 6000);
	teardown();
}
END_TEST

START_TEST(an_exchange_brings_the_token_and_is_not_kept)
{
	struct asker asker;

	setup();
	answer.token = SLICE("a.b.c");
	for (unsigned i = 1; i <= 2; i++) {
		asker = (struct asker){ .call = { .done = on_done } };
		wiki_exchange(wiki, &issuer, SLICE("code"), SLICE("verifier"),
			      SLICE("https://c.example/cb"), &asker.call);
		settle();
		ck_assert_uint_eq(asker.n_done, 1);
		ck_assert_str_eq(asker.token, "a.b.c");
		ck_assert_str_eq(asker.id, "42");
		ck_assert_uint_eq(n_asked, i);
		ck_assert_uint_eq(asked_type, IPC_TYPE_WIKI_EXCHANGE);
	}
	teardown();
}
END_TEST

SUITE("auth/wiki", a_good_answer_holds_for_five_minutes_and_for_an_office_one,
      a_refusal_holds_for_half_a_minute, a_revocation_replaces_a_good_answer,
      a_wiki_that_is_away_is_not_remembered_and_forgets_nothing, equal_questions_travel_together,
      a_token_with_the_jti_of_another_is_another_question, a_malformed_answer_is_away,
      without_a_worker_it_is_away_at_once, a_worker_that_dies_leaves_nobody_waiting,
      more_questions_than_the_limit_are_away, more_accounts_than_the_cache_holds_are_kept_apart,
      an_exchange_brings_the_token_and_is_not_kept)
