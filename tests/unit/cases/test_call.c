/* Calls: parameters in their order, rows as answers, refusals in the words of the interface. */

#include "daemon/cases/call.h"
#include "tests/unit/cases/fake_pg.h"
#include "tests/unit/cases/fake_vault.h"
#include "tests/unit/cases/sealed.h"
#include "tests/unit/suite.h"

static struct arena *arena;
static struct call call;
static struct call_answer answer;
static unsigned n_done;
static struct sealer sealer;
static const uint8_t unit_id[KEYS_ID_SIZE] = "unit 00000000000";
static struct words words;
static const char *word_id;
static const char *body;
static char *ids, *texts;

static void done(struct call *one, const struct call_answer *come)
{
	ck_assert_ptr_eq(one, &call);
	ck_assert_ptr_eq(one->userdata, &n_done);
	answer = *come;
	n_done++;
}

static void submit_me(void)
{
	call_init(&call, arena, STATEMENT_ME, PG_LANE_READ);
	call_add_bytes(&call, SLICE("x"));
	call.sealer = &sealer;
	ck_assert_int_eq(call_submit(&call, NULL, done, &n_done), 0);
}

static char *text_of(struct slice text)
{
	char *copy = arena_strndup(arena, text.at, text.length);

	ck_assert_ptr_nonnull(copy);
	return copy;
}

/* A sealed word, and the answer that names it. */
static void seal_ada(void)
{
	struct slice id_list, word_list;

	words_init(&words, arena);
	ck_assert_int_eq(words_add(&words, "name", SLICE("Ada"), &word_id), 0);
	ck_assert_int_eq(sealing_unit(&words, &sealer, unit_id, 1), 0);
	sealed_answer(&words, unit_id, NULL, &id_list, &word_list);
	body = arena_printf(arena, "{\"user\": {\"$word\": \"%s\"}}", word_id);
	ids = text_of(id_list);
	texts = text_of(word_list);
}

static void setup(void)
{
	fake_pg_reset();
	fake_vault_start(&sealer);
	n_done = 0;
	answer = (struct call_answer){ 0 };
	ck_assert_int_eq(arena_new(&arena), 0);
}

static void teardown(void)
{
	arena_free(arena);
	sealer_deinit(&sealer);
}

static const char *body_text(void)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;

	if (!answer.body)
		return "";
	ck_assert_int_eq(value_write_canonical(answer.body, &buffer), 0);
	return arena_strdup(arena, buffer.at);
}

START_TEST(parameters_stand_in_their_order)
{
	struct value *json = value_new_object();
	const char *id;

	words_init(&words, arena);
	ck_assert_int_eq(words_add(&words, "reason", SLICE("why"), &id), 0);
	words.items[0].sealed = SLICE("why");
	ck_assert_int_eq(value_set_integer(json, "n", 1), 0);
	call_init(&call, arena, STATEMENT_CASE_CLAIM, PG_LANE_ACT);
	call_add_bytes(&call, (struct slice){ "a\0b", 3 });
	call_add_text(&call, SLICE("case"));
	call_add_integer(&call, -1);
	call_add_bytes(&call, (struct slice){ NULL, 0 });
	call_add_bytes(&call, (struct slice){ NULL, 0 });
	call_add_json(&call, json);
	call_add_words(&call, &words);
	value_free(json);
	ck_assert_int_eq(call_submit(&call, NULL, done, &n_done), 0);
	ck_assert_str_eq(fake_pg_statement(), "case_claim");
	ck_assert_int_eq(fake_pg_call()->lane, PG_LANE_ACT);
	ck_assert_uint_eq(fake_pg_param_length(0), 3);
	ck_assert(fake_pg_call()->params[0].is_binary);
	ck_assert_str_eq(fake_pg_param(1), "case");
	ck_assert(!fake_pg_call()->params[1].is_binary);
	ck_assert_str_eq(fake_pg_param(2), "-1");
	ck_assert_str_eq(fake_pg_param(3), "null");
	ck_assert_str_eq(fake_pg_param(5), "{\"n\":1}");
	ck_assert_str_eq(fake_pg_param(6), arena_printf(arena, "{\"%s\"}", id));
	ck_assert_str_eq(fake_pg_param(7), "{\"reason\"}");
	ck_assert_str_eq(fake_pg_param(8), "{\"\\\\x776879\"}");
	fake_pg_answer(204, NULL, NULL, NULL);
}
END_TEST

START_TEST(a_call_with_too_few_or_too_many_parameters_is_never_sent)
{
	call_init(&call, arena, STATEMENT_ME, PG_LANE_READ);
	ck_assert_int_eq(call_submit(&call, NULL, done, &n_done), -EINVAL);
	for (unsigned i = 0; i <= CALL_PARAMS_MAX; i++)
		call_add_integer(&call, 1);
	ck_assert_int_eq(call_submit(&call, NULL, done, &n_done), -EINVAL);
	ck_assert_uint_eq(fake_pg_count(), 0);
}
END_TEST

START_TEST(a_row_becomes_a_body_with_its_words)
{
	seal_ada();
	submit_me();
	fake_pg_answer(200, body, ids, texts);
	ck_assert_uint_eq(n_done, 0);
	fake_vault_answer(VAULT_ANSWERED);
	ck_assert_uint_eq(n_done, 1);
	ck_assert_int_eq(answer.status, 200);
	ck_assert_str_eq(body_text(), "{\"user\":\"Ada\"}");
}
END_TEST

START_TEST(what_the_call_itself_wrote_needs_no_vault)
{
	seal_ada();
	submit_me();
	call.is_text = true;
	call.opening.own = &words;
	fake_pg_answer(201, body, ids, texts);
	ck_assert_uint_eq(fake_vault_count(), 0);
	ck_assert_slice_eq(answer.text, "{\"user\":\"Ada\"}");
}
END_TEST

START_TEST(without_the_vault_there_is_no_answer_with_words)
{
	seal_ada();
	submit_me();
	fake_pg_answer(200, body, ids, texts);
	fake_vault_answer(VAULT_AWAY);
	ck_assert_int_eq(answer.status, 503);
	ck_assert_str_eq(answer.error_key, "conduct-vault-unavailable");
	ck_assert_uint_eq(answer.retry_after_s, VAULT_RETRY_S);
	ck_assert_ptr_null(answer.body);
	submit_me();
	fake_pg_answer(200, body, ids, texts);
	fake_vault_answer(VAULT_QUOTA);
	ck_assert_int_eq(answer.status, 429);
	ck_assert_str_eq(answer.error_key, "conduct-case-quota");
	ck_assert_uint_eq(answer.retry_after_s, 77);
	fake_vault_break(VAULT_E_AWAY);
	submit_me();
	fake_pg_answer(200, body, ids, texts);
	ck_assert_int_eq(answer.status, 503);
	fake_vault_break(-ENOMEM);
	submit_me();
	fake_pg_answer(200, body, ids, texts);
	ck_assert_int_eq(answer.status, 503);
	ck_assert_str_eq(answer.error_key, "conduct-unavailable");
	ck_assert_uint_eq(n_done, 4);
}
END_TEST

START_TEST(a_damaged_word_is_told_to_the_operator_alone)
{
	char *digit;

	seal_ada();
	/* The last digit of the first entry is of the envelope's tag. */
	digit = strchr(texts + 2, '"') - 1;
	*digit = *digit == '0' ? '1' : '0';
	submit_me();
	fake_pg_answer(200, body, ids, texts);
	fake_vault_answer(VAULT_ANSWERED);
	ck_assert_int_eq(answer.status, 500);
	ck_assert_str_eq(answer.error_key, "conduct-damaged");
	ck_assert_str_eq(answer.damaged, word_id);
	ck_assert_uint_eq(sealer.n_damaged, 1);
}
END_TEST

START_TEST(a_row_that_passes_through_is_text_with_its_words)
{
	seal_ada();
	submit_me();
	call.is_text = true;
	fake_pg_answer(200, body, ids, texts);
	fake_vault_answer(VAULT_ANSWERED);
	ck_assert_ptr_null(answer.body);
	ck_assert_slice_eq(answer.text, "{\"user\":\"Ada\"}");
	submit_me();
	call.is_text = true;
	fake_pg_answer(204, "null", NULL, NULL);
	ck_assert_ptr_null(answer.text.at);
	submit_me();
	call.is_text = true;
	fake_pg_answer(422, "{\"errorKey\":\"conduct-invalid-body\"}", NULL, NULL);
	ck_assert_str_eq(answer.error_key, "conduct-invalid-body");
	submit_me();
	call.is_text = true;
	fake_pg_answer(200, "{\"a\":\"}", NULL, NULL);
	ck_assert_int_eq(answer.status, 500);
	submit_me();
	call.is_text = true;
	fake_pg_answer(200, "[]", NULL, NULL);
	ck_assert_int_eq(answer.status, 500);
	ck_assert_uint_eq(n_done, 5);
}
END_TEST

START_TEST(a_row_without_body_is_an_answer_without_body)
{
	submit_me();
	fake_pg_answer(204, NULL, NULL, NULL);
	ck_assert_int_eq(answer.status, 204);
	ck_assert_ptr_null(answer.body);
	submit_me();
	fake_pg_answer(204, "null", "{}", "{}");
	ck_assert_int_eq(answer.status, 204);
	ck_assert_ptr_null(answer.body);
}
END_TEST

START_TEST(a_refusal_in_the_row_names_its_key)
{
	submit_me();
	fake_pg_answer(422, "{\"errorKey\":\"conduct-invalid-body\",\"params\":{\"errors\":[]}}",
		       "{}", "{}");
	ck_assert_int_eq(answer.status, 422);
	ck_assert_str_eq(answer.error_key, "conduct-invalid-body");
	ck_assert_ptr_nonnull(value_get(answer.params, "errors"));
}
END_TEST

START_TEST(a_row_that_breaks_the_contract_is_our_fault)
{
	static const struct {
		int status;
		const char *body, *ids, *texts;
	} rows[] = {
		{ 200, "{", "{}", "{}" },
		{ 200, "{}", "{x}", "{}" },
		{ 200, "{}", "{x}", "{\"\\\\x00\"}" },
		{ 200, "{}", "nonsense", "{}" },
		{ 100, "{}", "{}", "{}" },
		{ 409, "{}", "{}", "{}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		submit_me();
		fake_pg_answer(rows[i].status, rows[i].body, rows[i].ids, rows[i].texts);
		ck_assert_int_eq(answer.status, 500);
		ck_assert_str_eq(answer.error_key, "conduct-internal");
	}
}
END_TEST

START_TEST(a_refusal_carries_key_and_parameters)
{
	submit_me();
	fake_pg_refuse(PG_REFUSED, 409, "conduct-guard-heard",
		       "{\"allowed_actions\":[\"recuse\"]}");
	ck_assert_int_eq(answer.status, 409);
	ck_assert_str_eq(answer.error_key, "conduct-guard-heard");
	ck_assert_uint_eq(value_count(value_get(answer.params, "allowed_actions")), 1);
	submit_me();
	fake_pg_refuse(PG_REFUSED, 409, "conduct-guard-heard", "no JSON");
	ck_assert_ptr_null(answer.params);
	ck_assert_int_eq(answer.status, 409);
}
END_TEST

START_TEST(a_denied_privilege_reads_like_what_is_not_there)
{
	submit_me();
	fake_pg_refuse(PG_REFUSED, 404, "conduct-error-not-found", NULL);
	ck_assert_int_eq(answer.status, 404);
	ck_assert_str_eq(answer.error_key, "conduct-not-found");
}
END_TEST

START_TEST(a_database_that_is_away_is_told_from_an_unknown_outcome)
{
	submit_me();
	fake_pg_refuse(PG_UNAVAILABLE, 503, "conduct-error-busy", NULL);
	ck_assert_str_eq(answer.error_key, "conduct-unavailable");
	submit_me();
	fake_pg_refuse(PG_DEADLINE, 503, "conduct-error-unavailable", NULL);
	ck_assert_str_eq(answer.error_key, "conduct-unavailable");
	submit_me();
	fake_pg_refuse(PG_UNKNOWN, 503, "conduct-error-outcome-unknown", NULL);
	ck_assert_str_eq(answer.error_key, "conduct-unknown-outcome");
	submit_me();
	fake_pg_refuse(PG_REFUSED, 500, "conduct-error-internal", NULL);
	ck_assert_str_eq(answer.error_key, "conduct-internal");
	ck_assert_uint_eq(n_done, 4);
}
END_TEST

START_TEST(a_pool_that_takes_nothing_never_answers)
{
	fake_pg_break(-ENOMEM);
	call_init(&call, arena, STATEMENT_ME, PG_LANE_READ);
	call_add_bytes(&call, SLICE("x"));
	ck_assert_int_eq(call_submit(&call, NULL, done, &n_done), -ENOMEM);
	ck_assert_uint_eq(n_done, 0);
}
END_TEST

SUITE_EACH("cases/call", setup, teardown, parameters_stand_in_their_order,
	   a_call_with_too_few_or_too_many_parameters_is_never_sent,
	   a_row_becomes_a_body_with_its_words, what_the_call_itself_wrote_needs_no_vault,
	   without_the_vault_there_is_no_answer_with_words,
	   a_damaged_word_is_told_to_the_operator_alone,
	   a_row_that_passes_through_is_text_with_its_words,
	   a_row_without_body_is_an_answer_without_body, a_refusal_in_the_row_names_its_key,
	   a_row_that_breaks_the_contract_is_our_fault, a_refusal_carries_key_and_parameters,
	   a_denied_privilege_reads_like_what_is_not_there,
	   a_database_that_is_away_is_told_from_an_unknown_outcome,
	   a_pool_that_takes_nothing_never_answers)
