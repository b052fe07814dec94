/* The vault's two sides over a real channel: keys come back once, in time, and to who may ask. */

#include "tests/unit/mutate.h"

#include <event2/event.h>
#include <sys/resource.h>

#include "daemon/crypto/crypto.h"
#include "daemon/keys/vault_client.h"
#include "daemon/keys/vault_server.h"

enum { UNITS = 5, CASES = 4 };

static const uint8_t deployment[KEYS_ID_SIZE] = "deployment 0000";
static const uint8_t person[KEYS_ID_SIZE] = "person 00000000";

static struct event_base *base;
static struct vault_server *server;
static struct vault_keys keys;
static struct stanza_sender sender;
static struct ipc_channel *client, *service;
static struct unit_key expected[UNITS];
static bool is_worker, is_silent;
static unsigned n_done;
static enum vault_outcome last;

static struct vault_unit units[UNITS];
static struct vault_call call;

static void serve(struct ipc_channel *channel, struct ipc_message *message, void *userdata)
{
	uint8_t reply[IPC_VAULT_OPENED_MAX];
	struct vault_report report;
	size_t length = 0;

	if (is_silent)
		return;
	if (message->type == IPC_TYPE_VAULT_SIGN) {
		length = vault_server_sign(server, is_worker, message->payload, reply) == 0 ? 64
											    : 0;
		ipc_channel_reply(channel, message, IPC_TYPE_VAULT_SIGNED,
				  (struct slice){ (char *)reply, length });
		return;
	}
	if (vault_server_open(server, 1000, is_worker, message->payload, reply, &length, &report) ==
	    0)
		ipc_channel_reply(channel, message, IPC_TYPE_VAULT_OPENED,
				  (struct slice){ (char *)reply, length });
}

static void on_done(struct vault_call *of, enum vault_outcome outcome)
{
	ck_assert_ptr_eq(of, &call);
	n_done++;
	last = outcome;
	event_base_loopbreak(base);
}

static void fill(void)
{
	const struct intake_key *intake = vault_keys_newest(&keys);

	for (size_t i = 0; i < UNITS; i++) {
		uint8_t unit_id[KEYS_ID_SIZE] = { 'u', (uint8_t)i };

		ck_assert_int_eq(unit_key_new(unit_id, (uint32_t)i + 1, &expected[i]), 0);
		units[i] = (struct vault_unit){ .generation = (uint32_t)i + 1, .key_id = 1 };
		memcpy(units[i].unit_id, unit_id, KEYS_ID_SIZE);
		ck_assert_int_eq(stanza_seal(&sender, intake, 0, &expected[i], units[i].blob), 0);
	}
	call = (struct vault_call){ .units = units, .n_units = UNITS, .done = on_done };
	memcpy(call.person, person, KEYS_ID_SIZE);
	call.case_id[0] = 1;
	n_done = 0;
}

static void start(void)
{
	const struct vault_quota_limits limits = { .cases_person = CASES, .cases_host = 100 };
	struct ipc_setup setup = { .on_message = serve };
	int fds[2];

	base = event_base_new();
	ck_assert_ptr_nonnull(base);
	ck_assert_int_eq(ipc_pair_open(fds), 0);
	setup.base = base;
	setup.fd = fds[0];
	ck_assert_int_eq(ipc_channel_new(&setup, &service), 0);
	setup.fd = fds[1];
	ck_assert_int_eq(ipc_channel_new(&setup, &client), 0);
	ck_assert_int_eq(vault_server_new(&limits, &server), 0);
	ck_assert_int_eq(vault_keys_new(deployment, "host", &keys), 0);
	ck_assert_int_eq(vault_server_set_keys(server, &keys), 0);
	is_worker = is_silent = false;
	fill();
}

static void end(void)
{
	client = ipc_channel_free(client);
	service = ipc_channel_free(service);
	server = vault_server_free(server);
	stanza_sender_deinit(&sender);
	vault_keys_deinit(&keys);
	event_base_free(base);
}

static enum vault_outcome ask(void)
{
	n_done = 0;
	ck_assert_int_eq(vault_open(client, &call), 0);
	ck_assert_uint_eq(n_done, 0);
	event_base_dispatch(base);
	ck_assert_uint_eq(n_done, 1);
	return last;
}

START_TEST(all_keys_of_an_answer_come_with_one_request)
{
	ck_assert_int_eq(ask(), VAULT_ANSWERED);
	for (size_t i = 0; i < UNITS; i++) {
		ck_assert_int_eq(units[i].outcome, IPC_VAULT_OPENED);
		ck_assert_mem_eq(&units[i].key, &expected[i], sizeof(expected[i]));
	}
	vault_call_wipe(&call);
	ck_assert_int_eq(units[0].key.bytes[0] | units[0].key.bytes[31], 0);
}
END_TEST

START_TEST(each_unit_says_how_it_went)
{
	units[1].blob[60] ^= 1;
	units[2].key_id = 2;
	units[3].generation = 9;
	ck_assert_int_eq(ask(), VAULT_ANSWERED);
	ck_assert_int_eq(units[0].outcome, IPC_VAULT_OPENED);
	ck_assert_int_eq(units[1].outcome, IPC_VAULT_BROKEN);
	ck_assert_int_eq(units[2].outcome, IPC_VAULT_NO_KEY);
	ck_assert_int_eq(units[3].outcome, IPC_VAULT_BROKEN);
	ck_assert_int_eq(units[4].outcome, IPC_VAULT_OPENED);
	ck_assert_int_eq(units[1].key.bytes[0] | units[1].key.bytes[31], 0);
}
END_TEST

/* A context is kept by its first byte: others that share it, and a broken one, must not get in its
 * way. */
START_TEST(kept_contexts_are_never_mixed_up)
{
	static const uint8_t zero[HPKE_ENC_SIZE];

	for (unsigned i = 0; i < 600; i++) {
		stanza_sender_deinit(&sender);
		fill();
		if (i % 7 == 0)
			memcpy(units[2].blob + 1, zero, HPKE_ENC_SIZE - 1);
		ck_assert_int_eq(ask(), VAULT_ANSWERED);
		for (size_t at = 0; at < UNITS; at++) {
			bool is_broken = i % 7 == 0 && at == 2;

			ck_assert_int_eq(units[at].outcome,
					 is_broken ? IPC_VAULT_BROKEN : IPC_VAULT_OPENED);
			if (!is_broken)
				ck_assert_mem_eq(units[at].key.bytes, expected[at].bytes,
						 KEYS_KEY_SIZE);
		}
		/* Units of another run are others: the host's quota is not what is tested here. */
		if (i % 50 == 49) {
			end();
			start();
		}
	}
}
END_TEST

/* Even were two intake keys the same key, a stanza names the one that it was sealed to. */
START_TEST(a_context_is_kept_for_its_own_key_alone)
{
	keys.intake[1] = keys.intake[0];
	keys.intake[1].public_part.key_id = 2;
	keys.n_intake = 2;
	ck_assert_int_eq(vault_server_set_keys(server, &keys), 0);
	ck_assert_int_eq(ask(), VAULT_ANSWERED);
	ck_assert_int_eq(units[1].outcome, IPC_VAULT_OPENED);
	units[1].key_id = 2;
	ck_assert_int_eq(ask(), VAULT_ANSWERED);
	ck_assert_int_eq(units[0].outcome, IPC_VAULT_OPENED);
	ck_assert_int_eq(units[1].outcome, IPC_VAULT_BROKEN);
	ck_assert_int_eq(units[2].outcome, IPC_VAULT_OPENED);
}
END_TEST

START_TEST(a_quota_that_is_used_up_opens_nothing_and_says_when)
{
	for (unsigned i = 1; i <= CASES; i++) {
		call.case_id[0] = (uint8_t)i;
		ck_assert_int_eq(ask(), VAULT_ANSWERED);
	}
	call.case_id[0] = CASES + 1;
	ck_assert_int_eq(ask(), VAULT_QUOTA);
	ck_assert_uint_eq(call.retry_after_s, 3600);
	for (size_t i = 0; i < UNITS; i++)
		ck_assert_int_eq(units[i].key.bytes[0] | units[i].key.bytes[31], 0);
	call.case_id[0] = 1;
	ck_assert_int_eq(ask(), VAULT_ANSWERED);
}
END_TEST

START_TEST(without_a_vault_nobody_waits)
{
	ck_assert_int_eq(vault_open(NULL, &call), VAULT_E_AWAY);
	ck_assert_int_eq(vault_sign(NULL, &(struct vault_sign_call){ .text = SLICE("a\n") }),
			 VAULT_E_AWAY);
	call.n_units = 0;
	ck_assert_int_eq(vault_open(client, &call), -EINVAL);
	call.n_units = VAULT_UNITS_MAX + 1;
	ck_assert_int_eq(vault_open(client, &call), -EINVAL);
	call.n_units = UNITS;
	ck_assert_uint_eq(n_done, 0);
	is_silent = true;
	ck_assert_int_eq(vault_open(client, &call), 0);
	client = ipc_channel_free(client);
	ck_assert_uint_eq(n_done, 1);
	ck_assert_int_eq(last, VAULT_AWAY);
	ck_assert_uint_eq(call.retry_after_s, VAULT_RETRY_S);
}
END_TEST

START_TEST(a_vault_that_does_not_answer_is_waited_for_two_seconds)
{
	struct timespec before, after;

	is_silent = true;
	clock_gettime(CLOCK_MONOTONIC, &before);
	ck_assert_int_eq(ask(), VAULT_AWAY);
	clock_gettime(CLOCK_MONOTONIC, &after);
	ck_assert_int_ge(after.tv_sec - before.tv_sec, 1);
	ck_assert_int_le(after.tv_sec - before.tv_sec, 20);
}
END_TEST

START_TEST(only_the_worker_asks_as_nobody)
{
	memset(call.person, 0, sizeof(call.person));
	is_worker = true;
	ck_assert_int_eq(ask(), VAULT_ANSWERED);
	is_worker = false;
	ck_assert_int_eq(ask(), VAULT_AWAY);
}
END_TEST

static const uint8_t *signature;
static uint8_t signature_bytes[ED25519_SIGNATURE_SIZE];

static void on_signed(struct vault_sign_call *of, const uint8_t *bytes)
{
	n_done++;
	signature = NULL;
	if (bytes) {
		memcpy(signature_bytes, bytes, sizeof(signature_bytes));
		signature = signature_bytes;
	}
	event_base_loopbreak(base);
}

static bool is_signed(struct slice text)
{
	struct vault_sign_call sign = { .text = text, .done = on_signed };
	uint8_t public_key[ED25519_KEY_SIZE];

	n_done = 0;
	ck_assert_int_eq(vault_sign(client, &sign), 0);
	event_base_dispatch(base);
	ck_assert_uint_eq(n_done, 1);
	ck_assert_int_eq(ed25519_get_public(keys.signing, public_key), 0);
	if (signature)
		ck_assert_int_eq(ed25519_verify(public_key, text, signature), 0);
	return signature != NULL;
}

START_TEST(checkpoints_are_signed_for_the_worker_alone)
{
	static const char *const bad[] = {
		"a",           "a\nb\nc",       "a\nb\n",          "\na\nb\nc\n",
		"a\n\nb\nc\n", "a\nb\nc\x7f\n", "a\nb\n\xc3\xa4\n"
	};
	char large[IPC_VAULT_NOTE_MAX + 1];

	ck_assert(!is_signed(SLICE("origin\n5\nroot\n")));
	is_worker = true;
	ck_assert(is_signed(SLICE("origin\n5\nroot\n")));
	ck_assert(is_signed(SLICE("origin\n5\nroot\nextension\n")));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert(!is_signed(slice_of(bad[i])));
	memset(large, 'a', sizeof(large));
	memcpy(large + sizeof(large) - 6, "\na\nb\n", 6);
	ck_assert_int_eq(vault_server_sign(server, true, (struct slice){ large, sizeof(large) },
					   signature_bytes),
			 VAULT_SERVER_E_MALFORMED);
	ck_assert_int_eq(
		vault_sign(client, &(struct vault_sign_call){ .text = { large, sizeof(large) } }),
		-EINVAL);
}
END_TEST

/* Keys that could be written to a disk are not held: there is no vault then. */
START_TEST(without_memory_of_its_own_there_is_no_vault)
{
	struct vault_quota_limits limits = { .cases_person = CASES, .cases_host = CASES };
	struct vault_server *other = NULL;
	struct rlimit had, none;

	ck_assert_int_eq(getrlimit(RLIMIT_AS, &had), 0);
	none = had;
	none.rlim_cur = 1;
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &none), 0);
	int r = vault_server_new(&limits, &other);
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &had), 0);
	ck_assert_int_eq(r, -ENOMEM);
	ck_assert_ptr_null(other);
}
END_TEST

START_TEST(keys_are_replaced_whole)
{
	struct vault_keys others;

	ck_assert_int_eq(ask(), VAULT_ANSWERED);
	ck_assert_int_eq(vault_keys_new(deployment, "host", &others), 0);
	ck_assert_int_eq(vault_server_set_keys(server, &others), 0);
	ck_assert_int_eq(ask(), VAULT_ANSWERED);
	for (size_t i = 0; i < UNITS; i++)
		ck_assert_int_eq(units[i].outcome, IPC_VAULT_BROKEN);
	vault_keys_deinit(&others);
}
END_TEST

/* Requests as a process sends them that was taken over: refused or answered, and nothing opens. */
START_TEST(no_mutant_of_a_request_opens_a_unit)
{
	struct mutator mutator = mutate_start("requests");
	unsigned long n = mutate_count(20000), n_opened = 0;
	char payload[sizeof(struct ipc_vault_ask) + sizeof(struct ipc_vault_unit)] = { 0 };
	char other[sizeof(payload)], bytes[sizeof(payload) + 64];
	struct ipc_vault_unit unit = { .generation = 1, .key_id = 1 };
	uint8_t reply[IPC_VAULT_OPENED_MAX];

	memcpy(payload, person, sizeof(person));
	memcpy(unit.unit_id, units[0].unit_id, KEYS_ID_SIZE);
	memcpy(unit.blob, units[0].blob, sizeof(unit.blob));
	memcpy(payload + sizeof(struct ipc_vault_ask), &unit, sizeof(unit));
	memset(other, 0x55, sizeof(other));
	while (mutator.n_mutants < n) {
		struct slice mutant = mutate(&mutator, (struct slice){ payload, sizeof(payload) },
					     (struct slice){ other, sizeof(other) }, bytes);
		struct vault_report report = { .n_opened = 0 };
		size_t length = 0;

		/* Person and case are whatever the asker says. */
		if (mutant.length == sizeof(payload) &&
		    memcmp(bytes + 32, payload + 32, sizeof(payload) - 32) == 0)
			continue;
		if (vault_server_open(server, 1000, false, mutant, reply, &length, &report) == 0)
			n_opened += report.n_opened;
	}
	mutate_note(&mutator, "requests", n_opened);
	ck_assert_uint_eq(n_opened, 0);
}
END_TEST

START_TEST(answers_of_another_shape_are_none)
{
	static const char large[IPC_VAULT_OPEN_MAX + sizeof(struct ipc_vault_unit)];
	char reply[IPC_VAULT_OPENED_MIN + 1] = { 0 };
	struct ipc_vault_ask head;
	uint32_t retry_after_s;
	size_t n;

	for (size_t length = 0; length <= sizeof(reply); length++)
		ck_assert_int_eq(
			ipc_vault_read_opened((struct slice){ reply, length }, &retry_after_s, &n),
			length == IPC_VAULT_OPENED_MIN ? 0 : IPC_VAULT_E_MALFORMED);
	ck_assert_int_eq(ipc_vault_read_open((struct slice){ large, sizeof(large) }, &head, &n),
			 IPC_VAULT_E_MALFORMED);
	reply[sizeof(uint32_t)] = IPC_VAULT_OUTCOME_COUNT;
	ck_assert_int_eq(ipc_vault_read_opened((struct slice){ reply, IPC_VAULT_OPENED_MIN },
					       &retry_after_s, &n),
			 IPC_VAULT_E_MALFORMED);
}
END_TEST

SUITE_EACH("keys/vault", start, end, all_keys_of_an_answer_come_with_one_request,
	   each_unit_says_how_it_went, kept_contexts_are_never_mixed_up,
	   a_context_is_kept_for_its_own_key_alone,
	   a_quota_that_is_used_up_opens_nothing_and_says_when, without_a_vault_nobody_waits,
	   a_vault_that_does_not_answer_is_waited_for_two_seconds, only_the_worker_asks_as_nobody,
	   checkpoints_are_signed_for_the_worker_alone, without_memory_of_its_own_there_is_no_vault,
	   keys_are_replaced_whole, no_mutant_of_a_request_opens_a_unit,
	   answers_of_another_shape_are_none)
