/* What people who handle cases read: the queue by its filters, a case, its history. */

#include "api/handlers/cases.h"
#include "api/handlers/page.h"
#include "daemon/base/text.h"
#include "daemon/cases/scalar.h"

#include <string.h>

static const struct page queue = { "cases", "itu" };
static const struct page events = { "events", "tui" };

static void free_value(void *value)
{
	value_free(value);
}

static bool is_word(struct slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if (!(text.at[i] >= 'a' && text.at[i] <= 'z') && text.at[i] != '_')
			return false;
	return text.length && text.length <= 40;
}

static bool is_lane(struct slice text)
{
	return text_equals(text, text_slice("standard")) ||
	       text_equals(text, text_slice("emergency"));
}

static bool is_assigned(struct slice text)
{
	return text_equals(text, text_slice("me")) || text_equals(text, text_slice("none"));
}

/* A respondent is named by user name and looked up by index. */
static int set_respondent(struct exchange *exchange, struct value *filter, bool *ret_is_sound)
{
	struct slice name = exchange_query(exchange, "respondent");
	struct names names = handlers_names_of(verb_handlers(exchange),
					       exchange_query(exchange, "wiki"));
	const char *hex;
	int r;

	if (!name.at)
		return 0;
	r = names_index(&names, exchange->arena, name, &hex);
	if (r > 0)
		*ret_is_sound = false;
	return r ? (r < 0 ? r : 0) : value_set_string(filter, "respondent", hex);
}

static int set_filter(struct exchange *exchange, struct value *filter, bool *ret_is_sound)
{
	static const struct {
		const char *name;
		bool (*is_sound)(struct slice text);
	} rows[] = {
		{ "stage", is_word },
		{ "state", is_word },
		{ "lane", is_lane },
		{ "wiki", scalar_is_dbname },
		{ "body", scalar_is_id },
		{ "assigned", is_assigned },
		{ "due_before", scalar_is_time },
	};
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(rows); i++) {
		struct slice text = exchange_query(exchange, rows[i].name);

		if (text.at && !rows[i].is_sound(text))
			*ret_is_sound = false;
		else if (text.at)
			r = value_set_text(filter, rows[i].name, text);
	}
	return r ? r : set_respondent(exchange, filter, ret_is_sound);
}

static void finish_list(struct call *call, const struct call_answer *answer)
{
	page_reply(call->userdata, &queue, answer);
}

void cases_list(struct exchange *exchange)
{
	struct call *call = verb_begin(exchange, STATEMENT_CASE_QUEUE, PG_LANE_READ);
	struct value *filter;
	const struct value *after;
	bool is_sound = true;
	unsigned limit;
	int r;

	if (!call)
		return;
	filter = value_new_object();
	r = filter ? arena_take(exchange->arena, filter, free_value) : -ENOMEM;
	if (!r)
		r = set_filter(exchange, filter, &is_sound);
	if (r) {
		exchange_fail(exchange, r);
		return;
	}
	if (!is_sound) {
		verb_refuse_parameter(exchange);
		return;
	}
	if (!page_read(exchange, &queue, &limit, &after))
		return;
	verb_add_account(exchange, call);
	call_add_json(call, filter);
	call_add_json(call, after);
	call_add_integer(call, limit);
	verb_pass(exchange, call, finish_list);
}

void cases_show(struct exchange *exchange)
{
	struct call *call = verb_begin(exchange, STATEMENT_CASE_SHOW, PG_LANE_READ);

	if (!call)
		return;
	verb_add_account(exchange, call);
	call_add_text(call, exchange_param(exchange, 0));
	call->pg.many = &statements[STATEMENT_CASES_SHOW];
	verb_pass(exchange, call, verb_reply_case);
}

static void finish_events(struct call *call, const struct call_answer *answer)
{
	page_reply(call->userdata, &events, answer);
}

void cases_list_events(struct exchange *exchange)
{
	struct call *call = verb_begin(exchange, STATEMENT_CASE_EVENTS, PG_LANE_READ);
	const struct value *after;
	unsigned limit;

	if (!call || !page_read(exchange, &events, &limit, &after))
		return;
	verb_add_account(exchange, call);
	call_add_text(call, exchange_param(exchange, 0));
	call_add_integer(call, limit);
	call_add_json(call, after);
	verb_pass(exchange, call, finish_events);
}
