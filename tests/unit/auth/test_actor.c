/* The gate: which credentials make which actor, and what each audience refuses. */

#include "tests/unit/auth/forge.h"
#include "api/auth/actor.h"
#include "api/auth/people.h"
#include "api/http/reply.h"

#include "tests/unit/suite.h"
#include <string.h>

static struct forge forge;
static struct index_key index_key;
static struct actor_gate gate;
static struct people *people;
static struct exchange_gate exchange_gate;

static int64_t now_us(void)
{
	return (int64_t)FORGE_NOW_S * 1000000;
}

static void setup(void)
{
	static const char text[] =
		"{\"people\":{\"ada\":{\"sub\":\"42\",\"user\":\"ada  lovelace\"}}}";
	const char *message;

	forge_init(&forge);
	ck_assert_int_eq(index_key_new(&index_key), 0);
	ck_assert_int_eq(people_new((struct slice){ text, sizeof(text) - 1 }, "CentralAuth",
				    &people, &message),
			 0);
	forge.issuer.people = people;
	gate = (struct actor_gate){ .issuers = forge.issuers,
				    .index_key = &index_key,
				    .now_us = now_us };
	exchange_gate = (struct exchange_gate){ .authenticate = actor_authenticate,
						.context = &gate };
}

static void teardown(void)
{
	people_free(people);
	forge_deinit(&forge);
}

static void deliver(struct exchange *exchange)
{
}

static void admitted(struct exchange *exchange)
{
	exchange->state = &exchange_gate; /* any mark */
}

/* An exchange that has been through the gate. */
static struct exchange *ask(const char *authorization, const char *host, enum audience audience)
{
	struct exchange *exchange;

	ck_assert_int_eq(exchange_new(&exchange_gate, NULL, deliver, &exchange), 0);
	if (authorization)
		exchange->headers[HTTP_HEADER_AUTHORIZATION] =
			(struct slice){ authorization, strlen(authorization) };
	exchange->headers[HTTP_HEADER_HOST] = (struct slice){ host, strlen(host) };
	exchange_authenticate(exchange, audience, admitted);
	ck_assert((exchange->state != NULL) == (exchange->reply->status == 0));
	return exchange;
}

static int status_of(const char *authorization, const char *host, enum audience audience)
{
	struct exchange *exchange = ask(authorization, host, audience);
	int status = exchange->reply->status;

	exchange_free(exchange);
	return status;
}

static void make_bearer(const char *client, struct buffer *ret_header)
{
	CLEANUP(buffer_deinit) struct buffer payload = BUFFER_NULL;
	CLEANUP(buffer_deinit) struct buffer token = BUFFER_NULL;

	buffer_printf(&payload,
		      "{\"aud\":\"%s\"," FORGE_JTI "," FORGE_TIMES "," FORGE_SUB "," FORGE_ISS
		      "," FORGE_SCOPES "}",
		      client);
	forge_token(forge.key, FORGE_HEADER, payload.at, &token);
	buffer_clear(ret_header);
	buffer_printf(ret_header, "Bearer %s", token.at);
}

#define RECEIPT "Receipt ABCDE-ABCDE-ABCDE-ABCDE-ABCDE-ABCD"

START_TEST(nobody_may_report_and_nothing_else)
{
	ck_assert_int_eq(status_of(NULL, "localhost", AUDIENCE_REPORTER), 0);
	ck_assert_int_eq(status_of(NULL, "localhost", AUDIENCE_EMERGENCY), 0);
	ck_assert_int_eq(status_of(NULL, "localhost", AUDIENCE_PARTY), 401);
	ck_assert_int_eq(status_of(NULL, "localhost", AUDIENCE_ACCOUNT), 401);
}
END_TEST

START_TEST(a_receipt_is_a_party_and_no_account)
{
	ck_assert_int_eq(status_of(RECEIPT, "localhost", AUDIENCE_REPORTER), 0);
	ck_assert_int_eq(status_of(RECEIPT, "localhost", AUDIENCE_PARTY), 0);
	ck_assert_int_eq(status_of(RECEIPT, "localhost", AUDIENCE_ACCOUNT), 401);
}
END_TEST

START_TEST(a_malformed_receipt_is_a_receipt_that_nobody_has)
{
	struct exchange *first = ask(RECEIPT, "localhost", AUDIENCE_PARTY);
	struct exchange *second = ask("Receipt x", "localhost", AUDIENCE_PARTY);

	ck_assert_int_eq(first->actor->kind, ACTOR_RECEIPT);
	ck_assert_int_eq(second->actor->kind, ACTOR_RECEIPT);
	ck_assert_mem_ne(first->actor->receipt_hash, second->actor->receipt_hash,
			 RECEIPT_HASH_SIZE);
	exchange_free(first);
	exchange_free(second);
}
END_TEST

START_TEST(a_true_receipt_has_its_hash)
{
	struct receipt receipt = { { 1, 2, 3 } };
	uint8_t hash[RECEIPT_HASH_SIZE];
	char header[64] = "receipt ";
	struct exchange *exchange;

	ck_assert_int_eq(receipt_write(&receipt, header + strlen(header)), 0);
	ck_assert_int_eq(receipt_hash(&receipt, hash), 0);
	exchange = ask(header, "localhost", AUDIENCE_PARTY);
	ck_assert_mem_eq(exchange->actor->receipt_hash, hash, RECEIPT_HASH_SIZE);
	exchange_free(exchange);
}
END_TEST

START_TEST(an_account_has_its_indexes_and_its_name)
{
	CLEANUP(buffer_deinit) struct buffer header = BUFFER_NULL;
	const struct slice iss = { "https://demo.example", 20 }, scope = { "CentralAuth", 11 };
	uint8_t id_ix[INDEX_SIZE], name_ix[INDEX_SIZE];
	const struct actor *actor;
	struct exchange *exchange;

	make_bearer("full-client", &header);
	exchange = ask(header.at, "127.0.0.1:80", AUDIENCE_ACCOUNT);
	actor = exchange->actor;
	ck_assert_int_eq(actor->kind, ACTOR_ACCOUNT);
	ck_assert(actor->is_full && actor->id.length == 2);
	ck_assert_str_eq(actor->user.at, "ada  lovelace");
	ck_assert_int_eq(index_of_id(&index_key, iss, scope, (struct slice){ "42", 2 }, id_ix), 0);
	ck_assert_int_eq(index_of_name(&index_key, exchange->arena, scope,
				       (struct slice){ "Ada_lovelace", 12 }, name_ix),
			 0);
	ck_assert_mem_eq(actor->id_ix, id_ix, INDEX_SIZE);
	ck_assert_mem_eq(actor->name_ix, name_ix, INDEX_SIZE);
	exchange_free(exchange);
}
END_TEST

START_TEST(a_report_token_may_report_and_reads_no_case)
{
	CLEANUP(buffer_deinit) struct buffer header = BUFFER_NULL;

	make_bearer("gadget", &header);
	ck_assert_int_eq(status_of(header.at, "localhost", AUDIENCE_REPORTER), 0);
	ck_assert_int_eq(status_of(header.at, "localhost", AUDIENCE_PARTY), 403);
	ck_assert_int_eq(status_of(header.at, "localhost", AUDIENCE_ACCOUNT), 403);
}
END_TEST

START_TEST(the_demo_issuer_holds_on_loopback_alone)
{
	CLEANUP(buffer_deinit) struct buffer header = BUFFER_NULL;

	make_bearer("full-client", &header);
	ck_assert_int_eq(status_of(header.at, "[::1]:8080", AUDIENCE_ACCOUNT), 0);
	ck_assert_int_eq(status_of(header.at, "conduct.example", AUDIENCE_ACCOUNT), 401);
	ck_assert_int_eq(status_of(header.at, "127.0.0.1.evil.example", AUDIENCE_ACCOUNT), 401);
	ck_assert_int_eq(status_of(header.at, "localhost.evil.example", AUDIENCE_ACCOUNT), 401);
	forge.issuer.is_demo = false;
	/* Nobody is let in whose wiki cannot be asked. */
	ck_assert_int_eq(status_of(header.at, "conduct.example", AUDIENCE_ACCOUNT), 503);
	forge.issuer.is_demo = true;
}
END_TEST

START_TEST(an_emergency_drops_a_bad_credential_and_notes_it)
{
	static const char *const headers[] = { "Bearer x", "Basic YTpi", "nonsense", "Bearer" };

	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		struct exchange *exchange = ask(headers[i], "localhost", AUDIENCE_EMERGENCY);

		ck_assert_int_eq(exchange->actor->kind, ACTOR_ANONYMOUS);
		ck_assert(exchange->actor->is_unverified);
		exchange_free(exchange);
		ck_assert_int_eq(status_of(headers[i], "localhost", AUDIENCE_REPORTER), 401);
		ck_assert_int_eq(status_of(headers[i], "localhost", AUDIENCE_ACCOUNT), 401);
	}
}
END_TEST

/* The body with the request's own id blanked. */
static const char *body_of(const char *authorization, enum audience audience,
			   struct exchange **ret_exchange)
{
	struct exchange *exchange = ask(authorization, "localhost", audience);
	char *id = strstr(exchange->reply->body.at, exchange->request_id);

	ck_assert_ptr_nonnull(id);
	memset(id, '0', TEXT_UUID_LENGTH);
	ck_assert_ptr_nonnull(strstr(exchange->reply->headers.at, "WWW-Authenticate: Bearer\r\n"));
	*ret_exchange = exchange;
	return exchange->reply->body.at;
}

START_TEST(every_bad_token_gets_the_same_body)
{
	struct exchange *first, *second, *third;
	const char *body = body_of("Bearer x", AUDIENCE_ACCOUNT, &first);

	ck_assert_str_eq(body, body_of(NULL, AUDIENCE_ACCOUNT, &second));
	ck_assert_str_eq(body, body_of("Bearer a.b.c", AUDIENCE_REPORTER, &third));
	exchange_free(first);
	exchange_free(second);
	exchange_free(third);
}
END_TEST

SUITE_ONCE("auth/actor", setup, teardown, nobody_may_report_and_nothing_else,
	   a_receipt_is_a_party_and_no_account, a_malformed_receipt_is_a_receipt_that_nobody_has,
	   a_true_receipt_has_its_hash, an_account_has_its_indexes_and_its_name,
	   a_report_token_may_report_and_reads_no_case, the_demo_issuer_holds_on_loopback_alone,
	   an_emergency_drops_a_bad_credential_and_notes_it, every_bad_token_gets_the_same_body)
