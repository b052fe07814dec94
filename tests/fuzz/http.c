/*
 * The HTTP head: what is read does not depend on how the bytes arrive, nor on what stands behind
 * the head; what was accepted, written anew, reads the same; the head of an accepted request holds
 * nothing that a second parser could take for something else.
 */

#include "tests/fuzz/fuzz.h"

#include "api/http/idempotency.h"
#include "api/http/language.h"
#include "api/http/parser.h"
#include "daemon/base/buffer.h"
#include "daemon/base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct outcome {
	int r;
	int status;
	size_t length;
	struct http_request request;
};

static struct outcome parse(struct http_parser *parser, struct slice bytes)
{
	struct outcome outcome = { 0 };

	outcome.r = http_parse_head(parser, bytes, &outcome.request, &outcome.length,
				    &outcome.status);
	return outcome;
}

static struct outcome parse_whole(struct slice bytes)
{
	struct http_parser parser = HTTP_PARSER_NULL;

	return parse(&parser, bytes);
}

static bool is_same(struct slice a, struct slice b)
{
	return !a.at == !b.at && text_equals(a, b);
}

/* Slices are compared by what they say: the bytes may have moved. */
static bool is_same_request(const struct http_request *a, const struct http_request *b)
{
	for (size_t i = 0; i < _HTTP_HEADER_N; i++)
		if (!is_same(a->headers[i], b->headers[i]))
			return false;
	return a->method == b->method && a->minor == b->minor && is_same(a->path, b->path) &&
	       is_same(a->query, b->query) && a->content_length == b->content_length &&
	       a->is_keep_alive == b->is_keep_alive && a->expects_continue == b->expects_continue;
}

static bool is_same_outcome(const struct outcome *a, const struct outcome *b)
{
	if (a->r != b->r)
		return false;
	if (a->r == HTTP_E_REFUSED)
		return a->status == b->status;
	return a->r != 0 || (a->length == b->length && is_same_request(&a->request, &b->request));
}

/* Byte by byte; then in pieces that lie in memory of their own, so that nobody reads behind. */
static void check_splits(struct slice bytes, const struct outcome *whole, uint32_t choice)
{
	struct http_parser parser = HTTP_PARSER_NULL;
	struct outcome outcome = { .r = HTTP_E_MORE };
	size_t cuts[3];

	for (size_t n = 1; n <= bytes.length && outcome.r == HTTP_E_MORE; n++)
		outcome = parse(&parser, (struct slice){ bytes.at, n });
	PROPERTY(is_same_outcome(&outcome, whole));

	parser = (struct http_parser)HTTP_PARSER_NULL;
	cuts[0] = bytes.length ? choice % bytes.length : 0;
	cuts[1] = cuts[0] + (bytes.length - cuts[0]) / 2;
	cuts[2] = bytes.length;
	outcome.r = HTTP_E_MORE;
	for (size_t i = 0; i < ARRAY_SIZE(cuts) && outcome.r == HTTP_E_MORE; i++) {
		char *piece = malloc(cuts[i] ? cuts[i] : 1);

		if (!piece)
			return;
		memcpy(piece, bytes.at, cuts[i]);
		outcome = parse(&parser, (struct slice){ piece, cuts[i] });
		PROPERTY(outcome.r == HTTP_E_MORE || is_same_outcome(&outcome, whole));
		free(piece);
	}
	PROPERTY(outcome.r == whole->r);
}

static bool lies_in(struct slice part, struct slice head)
{
	return !part.at || (part.at >= head.at && part.at + part.length <= head.at + head.length);
}

/* Compares no further than the head goes: libFuzzer reads all that strncasecmp() might. */
static bool is_at(struct slice head, size_t at, const char *name)
{
	size_t length = strlen(name);

	return head.length - at >= length && strncasecmp(head.at + at, name, length) == 0;
}

/* What no accepted head holds. */
static void check_head(struct slice head, const struct http_request *request)
{
	size_t n_lengths = 0;

	PROPERTY(head.length >= 4 && head.length <= HTTP_HEAD_MAX);
	PROPERTY(memcmp(head.at + head.length - 4, "\r\n\r\n", 4) == 0);
	PROPERTY(!memchr(head.at, '\0', head.length));
	for (size_t i = 0; i < head.length; i++)
		PROPERTY((head.at[i] == '\n') == (i > 0 && head.at[i - 1] == '\r'));
	for (size_t i = 0; i + 2 < head.length; i++) {
		if (head.at[i] != '\n')
			continue;
		PROPERTY(!strchr(" \t", head.at[i + 1]));
		PROPERTY(!is_at(head, i + 1, "transfer-encoding:"));
		n_lengths += is_at(head, i + 1, "content-length:");
	}
	PROPERTY(n_lengths <= 1);
	PROPERTY(n_lengths || request->content_length == 0);
	PROPERTY(request->headers[HTTP_HEADER_HOST].length > 0);
	PROPERTY(request->path.length && request->path.at[0] == '/');
	PROPERTY(http_method_name(request->method)[0]);
	PROPERTY(request->minor == 1 || !request->is_keep_alive);
	PROPERTY(!request->expects_continue || request->content_length);
	PROPERTY(lies_in(request->path, head) && lies_in(request->query, head));
	for (size_t i = 0; i < _HTTP_HEADER_N; i++)
		PROPERTY(lies_in(request->headers[i], head));
}

/* A path decodes, and no segment of it climbs. */
static void check_path(struct slice path)
{
	char text[HTTP_TARGET_MAX + 2];
	size_t length = 0;

	PROPERTY(http_percent_decode(path, false, text + 1, &length));
	text[0] = '/';
	text[length + 1] = '\0';
	PROPERTY(strlen(text) == length + 1);
	PROPERTY(!strstr(text, "/../") && !strstr(text, "/./") && !strstr(text + 1, "//"));
}

/* The line that a value stands in, its name in upper case and other white space around the value.
 */
static void append_header(struct buffer *buffer, struct slice value)
{
	const char *colon = value.at, *name;

	if (!value.at)
		return;
	while (*--colon != ':')
		PROPERTY(strchr(" \t", *colon));
	for (name = colon; name[-1] != '\n';)
		name--;
	for (; name < colon; name++)
		buffer_append_char(buffer, (char)toupper((unsigned char)*name));
	buffer_append_text(buffer, ":\t");
	buffer_append(buffer, value.at, value.length);
	buffer_append_text(buffer, " \r\n");
}

static void check_written_anew(const struct http_request *request)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	struct outcome outcome;

	buffer_append_text(&buffer, http_method_name(request->method));
	buffer_append_char(&buffer, ' ');
	buffer_append(&buffer, request->path.at, request->path.length);
	if (request->query.at) {
		buffer_append_char(&buffer, '?');
		buffer_append(&buffer, request->query.at, request->query.length);
	}
	buffer_append_text(&buffer, request->minor ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
	for (size_t i = 0; i < _HTTP_HEADER_N; i++)
		append_header(&buffer, request->headers[i]);
	buffer_append_text(&buffer, "\r\n");
	if (buffer_finish(&buffer) || buffer.length > HTTP_HEAD_MAX)
		return;
	outcome = parse_whole((struct slice){ buffer.at, buffer.length });
	PROPERTY(outcome.r == 0 && is_same_request(&outcome.request, request));
}

/* The readers of single values, which get only what a head let through. */
static void check_values(const struct http_request *request)
{
	struct language_list list = { 0 };
	struct slice key;

	language_read_accept(request->headers[HTTP_HEADER_ACCEPT_LANGUAGE], &list);
	PROPERTY(list.n_codes <= LANGUAGE_LIST_MAX);
	for (size_t i = 0; i < list.n_codes; i++) {
		PROPERTY(list.codes[i][0]);
		for (const char *at = list.codes[i]; *at; at++)
			PROPERTY(strchr("abcdefghijklmnopqrstuvwxyz0123456789-", *at));
	}
	if (idempotency_read(request->headers[HTTP_HEADER_IDEMPOTENCY_KEY], &key) ==
	    IDEMPOTENCY_PRESENT)
		PROPERTY(key.length >= IDEMPOTENCY_KEY_MIN && key.length <= IDEMPOTENCY_KEY_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct slice text = { size ? (const char *)bytes : "", size };
	struct outcome whole = parse_whole(text), alone;

	check_splits(text, &whole, fuzz_hash(bytes, size));
	if (whole.r == HTTP_E_REFUSED)
		PROPERTY(strcmp(http_status_reason(whole.status), "Unknown") != 0 &&
			 whole.status >= 400);
	if (whole.r != 0)
		return 0;
	text.length = whole.length;
	alone = parse_whole(text);
	PROPERTY(is_same_outcome(&alone, &whole));
	check_head(text, &whole.request);
	check_path(whole.request.path);
	check_written_anew(&whole.request);
	check_values(&whole.request);
	return 0;
}
