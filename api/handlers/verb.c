/*
 * What the handlers of all nouns share: who asks and under which key, as parameters; and what came
 * back, as an answer. The order of refusal is that of the calls a handler makes here: If-Match,
 * then the body, then whatever the database says.
 */

#include "api/handlers/verb.h"
#include "api/http/idempotency.h"
#include "daemon/base/codec.h"
#include "daemon/base/log.h"
#include "daemon/base/text.h"
#include "daemon/cases/sealing.h"
#include "daemon/crypto/crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_AFTER_S = 1, KEY_PARTS_MAX = 8, TAG_BYTES = 16 };

static const char nil_uuid[] = "00000000-0000-0000-0000-000000000000";

struct handlers *verb_handlers(const struct exchange *exchange)
{
	return exchange->application;
}

struct call *verb_begin(struct exchange *exchange, enum statement_id statement, enum pg_lane lane)
{
	struct call *call = arena_alloc(exchange->arena, sizeof(*call));

	if (!call) {
		exchange_fail(exchange, -ENOMEM);
		return NULL;
	}
	call_init(call, exchange->arena, statement, lane);
	return call;
}

static struct slice account_of(const struct exchange *exchange)
{
	const struct actor *actor = exchange->actor;

	if (!actor || actor->kind != ACTOR_ACCOUNT)
		return (struct slice){ NULL, 0 };
	return (struct slice){ (const char *)actor->id_ix, INDEX_SIZE };
}

static struct slice receipt_of(const struct exchange *exchange)
{
	const struct actor *actor = exchange->actor;

	if (!actor || actor->kind != ACTOR_RECEIPT)
		return (struct slice){ NULL, 0 };
	return (struct slice){ (const char *)actor->receipt_hash, RECEIPT_HASH_SIZE };
}

void verb_add_account(struct exchange *exchange, struct call *call)
{
	call_add_bytes(call, account_of(exchange));
}

/* A party is a receipt, or an account together with one of its participations. */
bool verb_add_party(struct exchange *exchange, struct call *call)
{
	struct slice account = account_of(exchange);
	struct slice participation = exchange_query(exchange, "participation");

	if (account.at && !participation.at) {
		exchange_refuse(exchange, 400, "conduct-participation-missing");
		return false;
	}
	if (participation.at && !text_is_uuid(participation))
		participation = text_slice(nil_uuid);
	call_add_bytes(call, account);
	call_add_bytes(call, receipt_of(exchange));
	call_add_text(call, participation);
	return true;
}

static int make_key(struct exchange *exchange, const struct slice *further, size_t n_further,
		    uint8_t *scope, uint8_t *mac)
{
	const struct route *route = exchange->route;
	struct slice parts[KEY_PARTS_MAX], subject = account_of(exchange);
	char name[128];
	size_t n = 0;
	int r;

	while (n < ROUTE_PARAMS_MAX && exchange->params[n].at) {
		parts[n] = exchange->params[n];
		n++;
	}
	for (size_t i = 0; i < n_further && n < KEY_PARTS_MAX; i++)
		parts[n++] = further[i].at ? further[i] : text_slice("");
	if (!subject.at)
		subject = receipt_of(exchange);
	if (!subject.at)
		subject = text_slice("");
	snprintf(name, sizeof(name), "%s %s", http_method_name(route->method), route->path);
	r = idempotency_scope(exchange->key, subject, name, parts, n, scope);
	return r ? r : idempotency_mac(exchange->key, exchange->body, mac);
}

/* Returns the scope: bytes in the arena, or at NULL. */
struct slice verb_add_key(struct exchange *exchange, struct call *call, const struct slice *further,
			  size_t n_further)
{
	struct slice scope = { NULL, 0 }, mac = { NULL, 0 };
	uint8_t *bytes;

	if (exchange->key_state == IDEMPOTENCY_PRESENT) {
		bytes = arena_alloc(exchange->arena, 2 * IDEMPOTENCY_HASH_SIZE);
		if (!bytes)
			call->error = -ENOMEM;
		else
			call->error = make_key(exchange, further, n_further, bytes,
					       bytes + IDEMPOTENCY_HASH_SIZE);
		if (!call->error) {
			scope = (struct slice){ (char *)bytes, IDEMPOTENCY_HASH_SIZE };
			mac = (struct slice){ (char *)bytes + IDEMPOTENCY_HASH_SIZE,
					      IDEMPOTENCY_HASH_SIZE };
		}
	}
	call_add_bytes(call, scope);
	call_add_bytes(call, mac);
	return scope;
}

static void free_value(void *value)
{
	value_free(value);
}

bool verb_read_body(struct exchange *exchange, const struct form *form,
		    struct form_check **ret_check, struct value **ret_args)
{
	struct form_check *check = arena_alloc(exchange->arena, sizeof(*check));
	struct value *args = NULL;
	int r;

	if (!check) {
		exchange_fail(exchange, -ENOMEM);
		return false;
	}
	form_check_init(check, exchange->arena, &verb_handlers(exchange)->names);
	r = form_check_body(check, form, exchange->json, &args);
	if (!r)
		r = arena_take(exchange->arena, args, free_value);
	if (r) {
		exchange_fail(exchange, r);
		return false;
	}
	if (check->n_errors) {
		verb_refuse_body(exchange, check);
		return false;
	}
	*ret_check = check;
	*ret_args = args;
	return true;
}

void verb_refuse_body(struct exchange *exchange, const struct form_check *check)
{
	CLEANUP(value_freep) struct value *errors = form_write_errors(check);
	CLEANUP(value_freep) struct value *params = value_new_array();

	if (!errors || !params ||
	    value_append_take(params, value_new_integer((int64_t)check->n_errors))) {
		exchange_fail(exchange, -ENOMEM);
		return;
	}
	exchange_reply_problem(exchange, &(struct problem){
						 .status = 422,
						 .key = "conduct-invalid-body",
						 .params = params,
						 .errors = errors,
					 });
}

void verb_refuse_parameter(struct exchange *exchange)
{
	exchange_refuse(exchange, 400, "conduct-bad-parameter");
}

void verb_add_words(struct exchange *exchange, struct call *call, struct words *words,
		    struct slice unit)
{
	uint8_t unit_id[KEYS_ID_SIZE];
	int r = text_read_uuid(unit, unit_id) ? -EPROTO : 0;

	if (!r)
		r = sealing_unit(words, verb_handlers(exchange)->sealer, unit_id, 0);
	if (r)
		call->error = r;
	else
		call_add_words(call, words);
}

/* The case that the path names; else the participation; else all that who asks may see. */
static void set_case(const struct exchange *exchange, uint8_t ret_case[KEYS_ID_SIZE])
{
	static const char cases[] = "/v1/cases/";
	struct slice participation = exchange_query(exchange, "participation");

	if (strncmp(exchange->route->path, cases, sizeof(cases) - 1) == 0)
		(void)text_read_uuid(exchange->params[0], ret_case);
	else if (participation.at)
		(void)text_read_uuid(participation, ret_case);
}

/* The vault counts by pseudonyms: of the account, or of the receipt, which is one case. */
void verb_set_reader(struct exchange *exchange, struct call *call)
{
	const struct actor *actor = exchange->actor;
	struct reader *reader = &call->reader;
	struct slice who = account_of(exchange);

	call->sealer = verb_handlers(exchange)->sealer;
	if (!who.at)
		who = receipt_of(exchange);
	if (!who.at)
		return;
	memcpy(reader->person, who.at, KEYS_ID_SIZE);
	memcpy(reader->case_id, who.at + KEYS_ID_SIZE, KEYS_ID_SIZE);
	set_case(exchange, reader->case_id);
	if (actor->kind == ACTOR_RECEIPT)
		reader->receipt = actor->receipt_secret;
}

void verb_submit(struct exchange *exchange, struct call *call,
		 void (*done)(struct call *call, const struct call_answer *answer))
{
	int r;

	verb_set_reader(exchange, call);
	r = call_submit(call, verb_handlers(exchange)->pool, done, exchange);
	if (r)
		exchange_fail(exchange, r);
}

void verb_pass(struct exchange *exchange, struct call *call,
	       void (*done)(struct call *call, const struct call_answer *answer))
{
	call->is_text = true;
	verb_submit(exchange, call, done);
}

/* Every 422 has its list of errors, though a few have nothing in the body to point at. */
static struct value *write_errors(const struct call_answer *answer)
{
	const struct value *errors = value_get(answer->params, "errors");

	if (answer->status != 422)
		return NULL;
	return errors ? value_copy(errors) : value_new_array();
}

/* $1 of the texts: what the refusal names, or how many faults there are. */
static struct value *write_params(const struct call_answer *answer, const struct value *errors)
{
	const struct value *params = value_get(answer->params, "params");
	struct value *list;

	if (params)
		return value_copy(params);
	list = value_new_array();
	if (list && value_append_take(list, value_new_integer((int64_t)value_count(errors))))
		list = value_free(list);
	return list;
}

/* Every 409 says what may be done instead, if only that it is nothing. */
static struct value *write_extra(const struct call_answer *answer)
{
	const struct value *allowed = value_get(answer->params, "allowed_actions");
	struct value *extra;

	if (answer->status != 409)
		return NULL;
	extra = value_new_object();
	if (extra && value_set_take(extra, "allowed_actions",
				    allowed ? value_copy(allowed) : value_new_array()))
		extra = value_free(extra);
	return extra;
}

/* Which word it was is for the operator: it has to come back from a backup. */
static void log_damage(const char *content)
{
	const struct log_field field = { "conductd.content", content, 0 };

	log_event(LOG_LEVEL_ERROR,
		  "a sealed word does not open: it or its key was changed, moved or lost; "
		  "`conductctl audit verify` finds words that differ from the log, `keys status` "
		  "keys that are gone, and a backup has them as they were",
		  &field, 1);
}

void verb_refuse(struct exchange *exchange, const struct call_answer *answer)
{
	CLEANUP(value_freep) struct value *errors = write_errors(answer);
	CLEANUP(value_freep) struct value *params = write_params(answer, errors);
	CLEANUP(value_freep) struct value *extra = write_extra(answer);
	unsigned retry_after_s = answer->retry_after_s;

	if (answer->damaged)
		log_damage(answer->damaged);
	if (!retry_after_s && answer->status == 503)
		retry_after_s = RETRY_AFTER_S;
	exchange_reply_problem(exchange, &(struct problem){
						 .status = answer->status,
						 .key = answer->error_key,
						 .params = params,
						 .errors = errors,
						 .extra = extra,
						 .retry_after_s = retry_after_s,
					 });
}

void verb_reply(struct call *call, const struct call_answer *answer)
{
	struct exchange *exchange = call->userdata;

	if (answer->status >= 400)
		verb_refuse(exchange, answer);
	else if (answer->status == 204 || !answer->text.at)
		exchange_reply_empty(exchange, 204);
	else
		exchange_reply_bytes(exchange, answer->status, "application/json; charset=utf-8",
				     answer->text);
}

/* A case with its ETag. The tag counts moves, and votes or messages are none: so If-None-Match,
 * which asks whether anything changed, is not answered by it. */
void verb_reply_case(struct call *call, const struct call_answer *answer)
{
	struct exchange *exchange = call->userdata;
	struct slice revision;

	exchange->headers[HTTP_HEADER_IF_NONE_MATCH] = (struct slice){ NULL, 0 };
	if (answer->status == 200 && answer->text.at &&
	    value_scan_member(answer->text, "revision", &revision))
		exchange_set_revision(exchange, strtoll(revision.at, NULL, 10));
	verb_reply(call, answer);
}

void verb_reply_public(struct exchange *exchange, const struct value *value, unsigned max_age_s)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	uint8_t hash[CRYPTO_SHA256_SIZE];
	char tag[2 * TAG_BYTES + 1];
	int r;

	r = value_write(value, &buffer);
	if (!r)
		r = crypto_sha256((struct slice){ buffer.at, buffer.length }, hash);
	if (r) {
		exchange_fail(exchange, r);
		return;
	}
	codec_hex_encode(tag, hash, TAG_BYTES);
	exchange_set_etag(exchange, tag);
	exchange_set_public(exchange, max_age_s);
	exchange_reply_bytes(exchange, 200, "application/json; charset=utf-8",
			     (struct slice){ buffer.at, buffer.length });
}
