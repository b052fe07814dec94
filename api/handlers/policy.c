/*
 * The published policy as everybody may read it: rendered from memory for a wiki and a chain of
 * languages; the history and exact old versions from the database.
 */

#include "api/handlers/policy.h"
#include "api/handlers/policy_cache.h"
#include "api/handlers/verb.h"
#include "daemon/base/text.h"

enum { POLICY_AGE_S = 300, VERSIONS_AGE_S = 60, VERSION_AGE_S = 31536000 };

/* What ?wiki= and ?lang= ask for. False: the exchange has been answered. */
static bool read_question(struct exchange *exchange, const struct policy_wiki **ret_wiki,
			  struct policy_chain *ret_chain)
{
	const struct policy_set *set = verb_handlers(exchange)->policy;
	struct slice wiki = exchange_query(exchange, "wiki");
	struct slice lang = exchange_query(exchange, "lang");
	struct slice accept = exchange->headers[HTTP_HEADER_ACCEPT_LANGUAGE];
	const struct policy_wiki *found = NULL;

	if (!set) {
		exchange_refuse(exchange, 503, "conduct-policy-not-loaded");
		return false;
	}
	if (wiki.at)
		found = policy_set_find_wiki(set, wiki);
	if (wiki.at && !found) {
		exchange_refuse(exchange, 404, "conduct-unknown-wiki");
		return false;
	}
	policy_chain_init(ret_chain, set, found, lang.at ? lang : text_slice(""),
			  accept.at ? accept : text_slice(""));
	*ret_wiki = found;
	return true;
}

static void reply(struct exchange *exchange, int r, const struct value *value)
{
	if (r > 0) {
		exchange_refuse(exchange, 404, "conduct-not-found");
	} else if (r < 0) {
		exchange_fail(exchange, r);
	} else {
		exchange_set_header(exchange, "Vary", "Accept-Language");
		verb_reply_public(exchange, value, POLICY_AGE_S);
	}
}

void policy_show(struct exchange *exchange)
{
	struct handlers *handlers = verb_handlers(exchange);
	const struct policy_question question = {
		.wiki = exchange_query(exchange, "wiki"),
		.lang = exchange_query(exchange, "lang"),
		.accept = exchange->headers[HTTP_HEADER_ACCEPT_LANGUAGE],
	};
	struct shared *shared = policy_cache_find(handlers->cache, &question);
	const struct policy_wiki *wiki;
	struct policy_chain chain;
	int r;

	if (!shared) {
		if (!read_question(exchange, &wiki, &chain))
			return;
		r = policy_cache_render(handlers->cache, handlers->policy, wiki, &chain, &question,
					&shared);
		if (r) {
			reply(exchange, r, NULL);
			return;
		}
	}
	exchange_set_header(exchange, "Vary", "Accept-Language");
	exchange_set_public(exchange, POLICY_AGE_S);
	exchange_reply_shared(exchange, "application/json; charset=utf-8", shared);
}

void policy_show_rule(struct exchange *exchange)
{
	CLEANUP(value_freep) struct value *value = NULL;
	const struct policy_wiki *wiki;
	struct policy_chain chain;
	int r;

	if (!read_question(exchange, &wiki, &chain))
		return;
	r = policy_set_render_rule(verb_handlers(exchange)->policy, wiki, &chain,
				   exchange_param(exchange, 0), &value);
	reply(exchange, r, value);
}

static void finish_versions(struct call *call, const struct call_answer *answer)
{
	struct exchange *exchange = call->userdata;

	if (answer->status >= 400)
		verb_refuse(exchange, answer);
	else if (value_set_null(answer->body, "next"))
		exchange_fail(exchange, -ENOMEM);
	else
		verb_reply_public(exchange, answer->body, VERSIONS_AGE_S);
}

void policy_list_versions(struct exchange *exchange)
{
	struct call *call = verb_begin(exchange, STATEMENT_POLICY_VERSIONS, PG_LANE_READ);

	if (call)
		verb_submit(exchange, call, finish_versions);
}

/* The canonical bytes themselves, so that anybody can hash them. */
static void finish_version(struct call *call, const struct call_answer *answer)
{
	struct exchange *exchange = call->userdata;
	struct slice canonical = value_text(value_get(answer->body, "canonical"));

	if (answer->status >= 400) {
		verb_refuse(exchange, answer);
	} else if (!canonical.at) {
		exchange_fail(exchange, -EPROTO);
	} else {
		exchange_set_etag(exchange, exchange_param(exchange, 0).at);
		exchange_set_public(exchange, VERSION_AGE_S);
		exchange_reply_bytes(exchange, 200, "application/json; charset=utf-8", canonical);
	}
}

static bool is_version(struct slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if (!((text.at[i] >= '0' && text.at[i] <= '9') ||
		      (text.at[i] >= 'a' && text.at[i] <= 'f')))
			return false;
	return text.length == POLICY_VERSION_LENGTH;
}

void policy_show_version(struct exchange *exchange)
{
	struct call *call;

	if (!is_version(exchange_param(exchange, 0))) {
		exchange_refuse(exchange, 404, "conduct-not-found");
		return;
	}
	call = verb_begin(exchange, STATEMENT_POLICY_VERSION, PG_LANE_READ);
	if (!call)
		return;
	call_add_text(call, exchange_param(exchange, 0));
	verb_submit(exchange, call, finish_version);
}
