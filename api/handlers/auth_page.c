/*
 * Pages as text: plain HTML in the reader's language and direction, nothing fetched, and a content
 * policy of which each part is named by its hash. Whatever comes from outside is escaped here.
 */

#include "api/handlers/auth_page.h"
#include "api/http/language.h"
#include "api/http/message.h"
#include "daemon/base/text.h"

#include <string.h>
#include <strings.h>

/* The hashes of both texts stand in the policy below; a test holds them together. */
#define STYLE                                                                         \
	"body{font:1rem/1.5 sans-serif;max-width:36rem;margin:2rem auto;padding:0 "   \
	"1rem;color:#202122;background:#fff}button{font:inherit;text-align:start;"    \
	"display:block;width:100%;min-height:2.75rem;margin:.25rem 0;padding:.25rem " \
	".75rem;background:#f8f9fa;color:#202122;border:1px solid #72777d;"           \
	"border-radius:2px;cursor:pointer}button:focus-visible{outline:2px solid "    \
	"#36c}small{color:#54595d}"
#define SCRIPT                                                                   \
	"(function(){var d=document.body.dataset;if(window.opener)window.opener" \
	".postMessage({code:d.code},d.origin);window.close()})()"
#define STYLE_HASH "'sha256-7veezVNJK3XUfG7kn+MFuwOSXoBAIis+BllsCp1PMec='"
#define SCRIPT_HASH "'sha256-dhwSBmDm2zlLfGV6PSBnJiGhW2/ouSJQ9Us4XrySAXM='"
#define POLICY "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; style-src " STYLE_HASH

static const char plain_policy[] = POLICY "; form-action 'none'";
static const char choose_policy[] = POLICY "; form-action 'self'";
static const char script_policy[] = POLICY "; form-action 'none'; script-src " SCRIPT_HASH;

/* True for q=0, q=0.0 and the like: "not acceptable". */
static bool is_refused(struct slice parameters)
{
	for (size_t i = 0; i + 2 < parameters.length; i++) {
		size_t digits;

		if (memcmp(parameters.at + i, "q=0", 3) != 0)
			continue;
		digits = strspn(parameters.at + i + 2, "0.");
		return i + 2 + digits >= parameters.length ||
		       strchr(" \t;", parameters.at[i + 2 + digits]);
	}
	return false;
}

/* True for a list with text/html in it that is not refused by its weight (RFC 9110 section 12.5.1).
 */
bool auth_page_is_wanted(const struct exchange *exchange)
{
	static const char type[] = "text/html";
	struct slice rest = exchange->headers[HTTP_HEADER_ACCEPT];

	while (rest.at && rest.length) {
		const char *comma = memchr(rest.at, ',', rest.length);
		struct slice item = { rest.at, comma ? (size_t)(comma - rest.at) : rest.length };
		size_t n;

		rest.at += comma ? item.length + 1 : item.length;
		rest.length -= comma ? item.length + 1 : item.length;
		while (item.length && strchr(" \t", *item.at)) {
			item.at++;
			item.length--;
		}
		n = sizeof(type) - 1;
		if (item.length < n || strncasecmp(item.at, type, n) != 0 ||
		    (item.length > n && !strchr(" \t;", item.at[n])))
			continue;
		return !is_refused((struct slice){ item.at + n, item.length - n });
	}
	return false;
}

static void escape(struct buffer *buffer, struct slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		switch (text.at[i]) {
		case '&':
			buffer_append_text(buffer, "&amp;");
			break;
		case '<':
			buffer_append_text(buffer, "&lt;");
			break;
		case '>':
			buffer_append_text(buffer, "&gt;");
			break;
		case '"':
			buffer_append_text(buffer, "&quot;");
			break;
		case '\'':
			buffer_append_text(buffer, "&#39;");
			break;
		default:
			buffer_append_char(buffer, text.at[i]);
		}
	}
}

/* What the reader asks for, as far as we speak it; else English. */
static size_t choose_language(const struct exchange *exchange)
{
	struct slice asked = exchange_query(exchange, "lang");
	struct language_list list = { 0 };

	if (!asked.at || !language_read_list(asked, &list))
		language_read_accept(exchange->headers[HTTP_HEADER_ACCEPT_LANGUAGE], &list);
	for (size_t i = 0; i < list.n_codes; i++) {
		size_t language = message_find_language(list.codes[i]);

		if (message_find("conduct-login-title", language))
			return language;
	}
	return message_find_language("en");
}

static void say(struct buffer *buffer, const char *key, size_t language)
{
	const char *text = message_find(key, language);

	if (!text)
		text = message_find(key, message_find_language("en"));
	escape(buffer, text_slice(text ? text : key));
}

static void begin(struct buffer *buffer, const char *title, size_t language)
{
	const char *code = message_language(language);

	buffer_printf(buffer,
		      "<!doctype html>\n<html lang=\"%s\" dir=\"%s\">\n<head>\n"
		      "<meta charset=\"utf-8\">\n"
		      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		      "<title>",
		      code, message_is_rtl(language) ? "rtl" : "ltr");
	say(buffer, title, language);
	buffer_append_text(buffer, " – conductd</title>\n<style>" STYLE "</style>\n</head>\n");
}

static void finish(struct exchange *exchange, int status, const char *policy, struct buffer *buffer)
{
	buffer_append_text(buffer, "</body>\n</html>\n");
	if (buffer_finish(buffer)) {
		exchange_fail(exchange, -ENOMEM);
		return;
	}
	exchange_set_page_policy(exchange, policy);
	exchange_reply_bytes(exchange, status, "text/html; charset=utf-8",
			     (struct slice){ buffer->at, buffer->length });
}

static void add_heading(struct buffer *buffer, const char *title, const char *text, size_t language)
{
	buffer_append_text(buffer, "<h1>");
	say(buffer, title, language);
	buffer_append_text(buffer, "</h1>\n<p>");
	say(buffer, text, language);
	buffer_append_text(buffer, "</p>\n");
}

/* One button a person: it works without scripts, by keyboard, and reads well aloud. */
void auth_page_choose(struct exchange *exchange, const struct people *people, const char *state)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	size_t language = choose_language(exchange);

	begin(&buffer, "conduct-login-title", language);
	buffer_append_text(&buffer, "<body>\n<main>\n");
	add_heading(&buffer, "conduct-login-title", "conduct-login-demo", language);
	buffer_printf(&buffer,
		      "<form method=\"get\" action=\"/v1/auth/callback\">\n"
		      "<input type=\"hidden\" name=\"state\" value=\"%s\">\n",
		      state);
	for (size_t i = 0; people && i < people_count(people); i++) {
		const struct person *person = people_at(people, i);

		buffer_append_text(&buffer, "<button name=\"code\" value=\"");
		escape(&buffer, text_slice(person->id));
		buffer_append_text(&buffer, "\"><bdi>");
		escape(&buffer, text_slice(person->user));
		buffer_append_text(&buffer, "</bdi> <small><bdi>");
		escape(&buffer, text_slice(person->home_wiki));
		buffer_append_text(&buffer, "</bdi></small></button>\n");
	}
	buffer_append_text(&buffer, "</form>\n</main>\n");
	finish(exchange, 200, choose_policy, &buffer);
}

void auth_page_hand_over(struct exchange *exchange, const char *code, struct slice origin)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	size_t language = choose_language(exchange);

	begin(&buffer, "conduct-login-title", language);
	buffer_append_text(&buffer, "<body data-code=\"");
	escape(&buffer, text_slice(code));
	buffer_append_text(&buffer, "\" data-origin=\"");
	escape(&buffer, origin);
	buffer_append_text(&buffer, "\">\n<main>\n");
	add_heading(&buffer, "conduct-login-title", "conduct-login-done", language);
	buffer_append_text(&buffer, "</main>\n<script>" SCRIPT "</script>\n");
	finish(exchange, 200, script_policy, &buffer);
}

void auth_page_refuse(struct exchange *exchange, int status, const char *key,
		      unsigned retry_after_s)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	size_t language = choose_language(exchange);
	const char *seconds;

	if (!auth_page_is_wanted(exchange)) {
		exchange_reply_problem(exchange,
				       &(struct problem){ .status = status,
							  .key = key,
							  .retry_after_s = retry_after_s });
		return;
	}
	if (retry_after_s) {
		seconds = arena_printf(exchange->arena, "%u", retry_after_s);
		exchange_set_header(exchange, "Retry-After", seconds ? seconds : "\n");
	}
	if (status == 401)
		exchange_set_header(exchange, "WWW-Authenticate", "Bearer");
	begin(&buffer, "conduct-login-failed", language);
	buffer_append_text(&buffer, "<body>\n<main>\n");
	add_heading(&buffer, "conduct-login-failed", key, language);
	buffer_printf(&buffer, "<p><small>%s</small></p>\n</main>\n", exchange->request_id);
	finish(exchange, status, plain_policy, &buffer);
}
