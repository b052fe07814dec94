/*
 * A report comes in. The lane is read before anybody is asked for credentials: on the emergency
 * lane nobody is refused for who they are, nor for a missing key, and an answer that cannot be
 * given still says where help is.
 */

#include "api/handlers/reports.h"
#include "api/handlers/verb.h"
#include "api/http/language.h"
#include "api/http/limits.h"
#include "api/http/message.h"
#include "daemon/base/text.h"
#include "daemon/cases/replay.h"
#include "daemon/cases/report.h"
#include "daemon/cases/sealing.h"
#include "daemon/crypto/crypto.h"

#include <string.h>

struct submission {
	bool is_emergency;
	char receipt[RECEIPT_TEXT_SIZE];
	uint8_t receipt_secret[RECEIPT_SECRET_SIZE]; /* wiped once the words are sealed */
	uint8_t receipt_hash[RECEIPT_HASH_SIZE];
	struct slice scope; /* of the Idempotency-Key; at NULL without one */
	struct names names; /* of the report's wiki */
};

static void free_value(void *value)
{
	value_free(value);
}

/* The reader's language for what is told in words: the report's own, else Accept-Language. */
static size_t choose_language(const struct exchange *exchange, const char *key)
{
	struct language_list list = { 0 };
	const char *lang = value_get_string(exchange->json, "lang");
	size_t language = lang ? message_find_language(lang) : message_n_languages();

	if (message_find(key, language))
		return language;
	language_read_accept(exchange->headers[HTTP_HEADER_ACCEPT_LANGUAGE], &list);
	for (size_t i = 0; i < list.n_codes; i++) {
		language = message_find_language(list.codes[i]);
		if (message_find(key, language))
			return language;
	}
	return message_find_language("en");
}

/* "Call your local emergency services", with its language: what always holds. */
static int set_help(const struct exchange *exchange, struct value *object, bool is_emergency)
{
	static const char key[] = "conduct-emergency-services";
	struct value *notice = value_new_object();
	size_t language = choose_language(exchange, key);
	int r = notice ? 0 : -ENOMEM;

	if (!r && is_emergency)
		r = value_set_string(notice, "text", message_find(key, language));
	if (!r && is_emergency)
		r = value_set_string(notice, "lang", message_language(language));
	if (r) {
		value_free(notice);
		return r;
	}
	r = value_set_take(object, "resources", value_new_array());
	if (r) {
		value_free(notice);
		return r;
	}
	return value_set_take(object, "notice", notice);
}

/* An emergency that could not be stored: help first, and "try again". */
static void refuse_with_help(struct exchange *exchange, const char *key)
{
	CLEANUP(value_freep) struct value *extra = value_new_object();

	if (!extra || set_help(exchange, extra, true)) {
		exchange_fail(exchange, -ENOMEM);
		return;
	}
	exchange_reply_problem(exchange, &(struct problem){
						 .status = 503,
						 .key = key,
						 .extra = extra,
						 .retry_after_s = 1,
					 });
}

static void fail(struct exchange *exchange, int error)
{
	const struct submission *submission = exchange->state;

	if (submission->is_emergency)
		refuse_with_help(exchange, "conduct-unavailable");
	else
		exchange_fail(exchange, error);
}

/* The receipt of the first answer, when this one repeats it. */
static int read_receipt(struct exchange *exchange, struct value *body, struct slice *ret_receipt)
{
	const struct submission *submission = exchange->state;
	struct slice sealed = value_text(value_get(body, "sealed_receipt"));
	int r = 0;

	if (!sealed.at) {
		*ret_receipt = text_slice(submission->receipt);
		return 0;
	}
	if (!submission->scope.at)
		return -EPROTO;
	r = replay_open(exchange->arena, exchange->key, submission->scope, sealed, ret_receipt);
	return r > 0 ? -EPROTO : r;
}

/* What the reporter is told: for an emergency help comes first. */
static int write_answer(struct exchange *exchange, struct value *body, struct value *answer)
{
	bool is_emergency = text_equals(value_text(value_get(body, "lane")),
					text_slice("emergency"));
	struct slice receipt, key;
	struct value *member;
	int r;

	r = read_receipt(exchange, body, &receipt);
	if (!r && is_emergency)
		r = set_help(exchange, answer, true);
	if (!r)
		r = value_set_take(answer, "report", value_copy(value_get(body, "report")));
	if (!r)
		r = value_set_text(answer, "receipt", receipt);
	for (void *at = NULL; !r && value_each(body, &at, &key, &member);)
		if (strcmp(key.at, "sealed_receipt") != 0 && strcmp(key.at, "lane") != 0)
			r = value_set_take(answer, key.at, value_copy(member));
	if (!r && !is_emergency)
		r = set_help(exchange, answer, false);
	return r;
}

static void finish(struct call *call, const struct call_answer *answer)
{
	CLEANUP(value_freep) struct value *body = value_new_object();
	struct exchange *exchange = call->userdata;
	const struct submission *submission = exchange->state;
	int r;

	if (submission->is_emergency && answer->status >= 500) {
		refuse_with_help(exchange, answer->error_key);
		return;
	}
	if (answer->status >= 400) {
		if (answer->status < 500)
			limits_return_report(exchange);
		verb_refuse(exchange, answer);
		return;
	}
	r = body ? write_answer(exchange, answer->body, body) : -ENOMEM;
	if (r) {
		fail(exchange, r);
		return;
	}
	exchange_set_header(exchange, "Location", "/v1/receipt");
	exchange_reply_json(exchange, 201, body);
}

static int make_receipt(struct submission *submission)
{
	CLEANUP(receipt_deinit) struct receipt receipt = { 0 };
	int r;

	r = receipt_new(&receipt);
	if (!r)
		r = receipt_hash(&receipt, submission->receipt_hash);
	if (!r)
		r = receipt_write(&receipt, submission->receipt);
	if (!r)
		memcpy(submission->receipt_secret, receipt.secret, sizeof(receipt.secret));
	return r;
}

static int read_id(const struct value *args, const char *name, uint8_t ret_id[KEYS_ID_SIZE])
{
	struct slice text = value_text(value_get(args, name));

	return text.at && text_read_uuid(text, ret_id) == 0 ? 0 : -EPROTO;
}

/* The words under the new keys of what the report opens. */
static int seal(struct exchange *exchange, struct words *words, const struct value *args)
{
	struct submission *submission = exchange->state;
	const struct value *units = value_get(args, "units");
	struct sealing_report report = { .receipt = submission->receipt_secret };
	int r;

	r = read_id(units, "report", report.report);
	if (!r)
		r = read_id(units, "case_file", report.case_file);
	if (!r)
		r = read_id(units, "identity", report.identity);
	if (!r)
		r = read_id(args, "reporter", report.reporter);
	if (!r)
		r = sealing_report(words, verb_handlers(exchange)->sealer, &report);
	crypto_wipe(submission->receipt_secret, sizeof(submission->receipt_secret));
	return r;
}

static void submit(struct exchange *exchange, struct form_check *check, const struct value *args)
{
	struct submission *submission = exchange->state;
	struct call *call = arena_alloc(exchange->arena, sizeof(*call));
	struct slice sealed = { NULL, 0 };
	int r;

	if (!call) {
		fail(exchange, -ENOMEM);
		return;
	}
	call_init(call, exchange->arena, STATEMENT_SUBMIT_REPORT,
		  submission->is_emergency ? PG_LANE_EMERGENCY : PG_LANE_BATCH);
	verb_add_account(exchange, call);
	call_add_bytes(call, (struct slice){ (char *)submission->receipt_hash, RECEIPT_HASH_SIZE });
	submission->scope = verb_add_key(exchange, call, NULL, 0);
	if (!submission->is_emergency && !limits_take_report(exchange, submission->scope))
		return;
	r = make_receipt(submission);
	if (!r && submission->scope.at)
		r = replay_seal(exchange->arena, exchange->key, submission->scope,
				text_slice(submission->receipt), &sealed);
	if (!r)
		r = seal(exchange, &check->words, args);
	if (r) {
		fail(exchange, r);
		return;
	}
	call_add_bytes(call, sealed);
	call_add_json(call, args);
	call_add_words(call, &check->words);
	call->pg.lock_key = submission->scope;
	call->pg.many = &statements[STATEMENT_SUBMIT_REPORTS];
	r = call_submit(call, verb_handlers(exchange)->pool, finish, exchange);
	if (r)
		fail(exchange, r);
}

/* Who asks is known, or does not matter. */
static void check_and_submit(struct exchange *exchange)
{
	struct handlers *handlers = verb_handlers(exchange);
	struct submission *submission = exchange->state;
	struct form_check *check = arena_alloc(exchange->arena, sizeof(*check));
	struct value *args = NULL;
	int r;

	if (!handlers->policy && !submission->is_emergency) {
		exchange_refuse(exchange, 503, "conduct-policy-not-loaded");
		return;
	}
	if (!check) {
		fail(exchange, -ENOMEM);
		return;
	}
	submission->names = handlers_names_of(handlers,
					      value_text(value_get(exchange->json, "wiki")));
	form_check_init(check, exchange->arena, &submission->names);
	r = report_check(check, handlers->policy, exchange->json, submission->is_emergency,
			 exchange->actor && exchange->actor->is_unverified, &args);
	if (!r)
		r = arena_take(exchange->arena, args, free_value);
	if (r)
		fail(exchange, r);
	else if (check->n_errors)
		verb_refuse_body(exchange, check);
	else
		submit(exchange, check, args);
}

void reports_submit(struct exchange *exchange)
{
	struct submission *submission = arena_alloc(exchange->arena, sizeof(*submission));

	if (!submission) {
		exchange_fail(exchange, -ENOMEM);
		return;
	}
	submission->is_emergency = report_is_emergency(exchange->json,
						       verb_handlers(exchange)->policy);
	exchange->state = submission;
	if (!submission->is_emergency && !exchange_require_key(exchange))
		return;
	exchange_authenticate(exchange,
			      submission->is_emergency ? AUDIENCE_EMERGENCY : AUDIENCE_REPORTER,
			      check_and_submit);
}
