/*
 * Problem bodies. Nothing in one tells an absent resource from a hidden one: where a route answers
 * on the 10 ms grid, a 404 names neither the request nor the id, so that all of them are one text.
 */

#include "api/http/problem.h"
#include "api/http/language.h"
#include "api/http/message.h"

#include <stdio.h>
#include <string.h>

static int set_message(struct value *object, const char *member, const struct problem *problem,
		       size_t language)
{
	CLEANUP(buffer_deinit) struct buffer text = BUFFER_NULL;
	const char *raw = message_find(problem->key, language);

	if (raw)
		message_render(raw, message_language(language), problem->params, &text);
	else
		buffer_append_text(&text, http_status_reason(problem->status));
	if (buffer_finish(&text))
		return -ENOMEM;
	return value_set_text(object, member, (struct slice){ text.at, text.length });
}

/* English always; before it what ?lang= or Accept-Language asks for, as far as there is a text. */
static int set_translations(const struct exchange *exchange, const struct problem *problem,
			    struct value *object)
{
	struct value *translations = value_new_object();
	struct slice asked = exchange_query(exchange, "lang");
	struct language_list list = { 0 };
	int r = translations ? 0 : -ENOMEM;

	if (!asked.at || !language_read_list(asked, &list))
		language_read_accept(exchange->headers[HTTP_HEADER_ACCEPT_LANGUAGE], &list);
	for (size_t i = 0; i < list.n_codes && !r; i++) {
		size_t language = message_find_language(list.codes[i]);

		if (message_find(problem->key, language))
			r = set_message(translations, message_language(language), problem,
					language);
	}
	if (!r)
		r = set_message(translations, "en", problem, message_find_language("en"));
	if (r) {
		value_free(translations);
		return r;
	}
	return value_set_take(object, "messageTranslations", translations);
}

/* The request's id as URI; where that would tell one 404 from the next, the route's fixed part. */
static int set_instance(const struct exchange *exchange, const struct problem *problem,
			struct value *object)
{
	char urn[sizeof("urn:uuid:") + EXCHANGE_ID_MAX];
	struct slice id = text_slice(exchange->request_id);
	const struct route *route = exchange->route;

	if (problem->status == 404 && route && (route->flags & ROUTE_SLOT))
		return value_set_text(object, "instance",
				      (struct slice){ route->path, strcspn(route->path, "{") });
	/* A proxy's name that is no UUID is a reference all the same. */
	snprintf(urn, sizeof(urn), "%s%s", text_is_uuid(id) ? "urn:uuid:" : "#",
		 exchange->request_id);
	return value_set_string(object, "instance", urn);
}

static int set_extra(struct value *object, const struct value *extra)
{
	struct value *member;
	struct slice key;
	int r = 0;

	for (void *at = NULL; !r && value_each(extra, &at, &key, &member);)
		if (!value_get(object, key.at))
			r = value_set_take(object, key.at, value_copy(member));
	return r;
}

/**
 * problem_write() - the body of a refusal
 * @buffer: appended to
 *
 * `type` is about:blank, so `title` is the status phrase (RFC 9457 section 4.2.1); clients decide
 * by errorKey. Return: 0 or negative.
 */
int problem_write(const struct exchange *exchange, const struct problem *problem,
		  struct buffer *buffer)
{
	CLEANUP(value_freep) struct value *object = value_new_object();
	const char *reason = http_status_reason(problem->status);
	int r;

	if (!object)
		return -ENOMEM;
	r = value_set_string(object, "type", "about:blank");
	if (!r)
		r = value_set_string(object, "title", reason);
	if (!r)
		r = value_set_integer(object, "status", problem->status);
	if (!r)
		r = set_message(object, "detail", problem, message_find_language("en"));
	if (!r)
		r = set_instance(exchange, problem, object);
	if (!r)
		r = value_set_string(object, "errorKey", problem->key);
	if (!r)
		r = set_translations(exchange, problem, object);
	if (!r)
		r = value_set_integer(object, "httpCode", problem->status);
	if (!r)
		r = value_set_string(object, "httpReason", reason);
	if (!r && problem->errors)
		r = value_set_take(object, "errors", value_copy(problem->errors));
	if (!r && problem->extra)
		r = set_extra(object, problem->extra);
	if (!r)
		r = value_write(object, buffer);
	return r;
}
