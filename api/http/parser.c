/*
 * Strict HTTP/1.1 request heads. The scanner sees every byte once, however the bytes arrive, and
 * refuses what no honest client sends (NUL, bare CR or LF, too long); the reader then takes the
 * complete head apart. Refusals name the status of RFC 9110 that fits; in doubt it is 400.
 */

#include "api/http/parser.h"
#include "daemon/base/text.h"

#include <string.h>
#include <strings.h>

static const char *const header_names[_HTTP_HEADER_N] = {
	[HTTP_HEADER_ACCEPT] = "accept",
	[HTTP_HEADER_ACCEPT_LANGUAGE] = "accept-language",
	[HTTP_HEADER_ACCESS_CONTROL_REQUEST_METHOD] = "access-control-request-method",
	[HTTP_HEADER_AUTHORIZATION] = "authorization",
	[HTTP_HEADER_CONDUCT_FILENAME] = "conduct-filename",
	[HTTP_HEADER_CONNECTION] = "connection",
	[HTTP_HEADER_CONTENT_ENCODING] = "content-encoding",
	[HTTP_HEADER_CONTENT_LENGTH] = "content-length",
	[HTTP_HEADER_CONTENT_TYPE] = "content-type",
	[HTTP_HEADER_COOKIE] = "cookie",
	[HTTP_HEADER_EXPECT] = "expect",
	[HTTP_HEADER_HOST] = "host",
	[HTTP_HEADER_IDEMPOTENCY_KEY] = "idempotency-key",
	[HTTP_HEADER_IF_MATCH] = "if-match",
	[HTTP_HEADER_IF_NONE_MATCH] = "if-none-match",
	[HTTP_HEADER_IF_RANGE] = "if-range",
	[HTTP_HEADER_ORIGIN] = "origin",
	[HTTP_HEADER_RANGE] = "range",
	[HTTP_HEADER_SEC_FETCH_SITE] = "sec-fetch-site",
	[HTTP_HEADER_TRANSFER_ENCODING] = "transfer-encoding",
	[HTTP_HEADER_X_FORWARDED_FOR] = "x-forwarded-for",
	[HTTP_HEADER_X_REQUEST_ID] = "x-request-id",
};

static const struct {
	enum http_method method;
	const char *name;
} methods[] = {
	{ HTTP_GET, "GET" },         { HTTP_HEAD, "HEAD" },   { HTTP_POST, "POST" },
	{ HTTP_PUT, "PUT" },         { HTTP_PATCH, "PATCH" }, { HTTP_DELETE, "DELETE" },
	{ HTTP_OPTIONS, "OPTIONS" },
};

static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{ 100, "Continue" },
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 206, "Partial Content" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Range Not Satisfiable" },
	{ 417, "Expectation Failed" },
	{ 421, "Misdirected Request" },
	{ 422, "Unprocessable Content" },
	{ 428, "Precondition Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" },
};

/* The registered name of a method; "" for none. */
const char *http_method_name(enum http_method method)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (methods[i].method == method)
			return methods[i].name;
	return "";
}

/* The reason phrase of RFC 9110 section 15, RFC 6585. */
const char *http_status_reason(int status)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Unknown";
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* tchar, RFC 9110 section 5.6.2. */
static bool is_token_char(char c)
{
	return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool slice_is(struct slice slice, const char *text)
{
	return slice.length == strlen(text) && strncasecmp(slice.at, text, slice.length) == 0;
}

/* Percent-decoding (RFC 3986 section 2.1); `+` is a space in forms (WHATWG URL). ret_text needs
 * room for text.length bytes and is not terminated. False: an escape without two hex digits. */
bool http_percent_decode(struct slice text, bool is_form, char *ret_text, size_t *ret_length)
{
	size_t length = 0;

	for (size_t i = 0; i < text.length; i++) {
		char c = text.at[i];

		if (c == '%') {
			if (text.length - i < 3)
				return false;
			int high = hex_digit(text.at[i + 1]), low = hex_digit(text.at[i + 2]);
			if (high < 0 || low < 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && is_form) {
			c = ' ';
		}
		ret_text[length++] = c;
	}
	*ret_length = length;
	return true;
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/* A segment is refused if what it decodes to means something to a path: nothing at all before
 * another segment, dots, a slash, a control character, broken UTF-8. */
static bool is_sound_segment(struct slice segment, bool is_last)
{
	char text[HTTP_TARGET_MAX];
	size_t length;

	if (segment.length == 0)
		return is_last;
	for (size_t i = 0; i < segment.length; i++)
		if (!is_alnum(segment.at[i]) && !strchr("-._~!$&'()*+,;=:@%", segment.at[i]))
			return false;
	if (!http_percent_decode(segment, false, text, &length))
		return false;
	for (size_t i = 0; i < length; i++)
		if (is_control(text[i]) || text[i] == '/' || text[i] == '\\')
			return false;
	if ((length == 1 || length == 2) && memcmp(text, "..", length) == 0)
		return false;
	return text_is_utf8((struct slice){ text, length });
}

static bool is_sound_path(struct slice path)
{
	const char *at = path.at, *end = path.at + path.length;

	if (path.length == 0 || *at != '/')
		return false;
	while (at < end) {
		const char *from = ++at;

		at = memchr(from, '/', (size_t)(end - from));
		if (!at)
			at = end;
		if (!is_sound_segment((struct slice){ from, (size_t)(at - from) }, at == end))
			return false;
	}
	return true;
}

/* Browsers leave `|`, braces and brackets as they are in a query; they are harmless there. */
static bool is_sound_query(struct slice query)
{
	char text[HTTP_TARGET_MAX];
	size_t length;

	for (size_t i = 0; i < query.length; i++)
		if (query.at[i] <= ' ' || query.at[i] >= 0x7f || strchr("\"<>#", query.at[i]))
			return false;
	if (!http_percent_decode(query, true, text, &length))
		return false;
	for (size_t i = 0; i < length; i++)
		if (is_control(text[i]))
			return false;
	return text_is_utf8((struct slice){ text, length });
}

/* origin-form, or absolute-form whose authority goes to *ret_authority (RFC 9112 section 3.2). */
static int read_target(struct slice target, struct http_request *request,
		       struct slice *ret_authority)
{
	static const char *const schemes[] = { "http://", "https://" };
	const char *question;

	if (target.length > HTTP_TARGET_MAX)
		return 414;
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		size_t n = strlen(schemes[i]);

		if (target.length < n || strncasecmp(target.at, schemes[i], n) != 0)
			continue;
		const char *slash = memchr(target.at + n, '/', target.length - n);
		if (!slash)
			return 400;
		*ret_authority = (struct slice){ target.at + n, (size_t)(slash - target.at) - n };
		target.length -= (size_t)(slash - target.at);
		target.at = slash;
		break;
	}
	question = memchr(target.at, '?', target.length);
	request->path = target;
	if (question) {
		request->path.length = (size_t)(question - target.at);
		request->query.at = question + 1;
		request->query.length = target.length - request->path.length - 1;
	}
	return is_sound_path(request->path) && is_sound_query(request->query) ? 0 : 400;
}

static int read_version(struct slice version, unsigned *ret_minor)
{
	if (version.length != 8 || memcmp(version.at, "HTTP/", 5) != 0 ||
	    !is_digit(version.at[5]) || version.at[6] != '.' || !is_digit(version.at[7]))
		return 400;
	if (version.at[5] != '1' || version.at[7] > '1')
		return 505;
	*ret_minor = (unsigned)(version.at[7] - '0');
	return 0;
}

/* method SP target SP version, each one space (RFC 9112 section 3). */
static int read_request_line(struct slice line, struct http_request *request,
			     struct slice *ret_authority)
{
	const char *end = line.at + line.length;
	const char *first = memchr(line.at, ' ', line.length);
	const char *second = first ? memchr(first + 1, ' ', (size_t)(end - first - 1)) : NULL;
	struct slice method;
	int r;

	if (!second || first == line.at)
		return first && line.length > HTTP_TARGET_MAX + 16 ? 414 : 400;
	method = (struct slice){ line.at, (size_t)(first - line.at) };
	for (size_t i = 0; i < method.length; i++)
		if (!is_token_char(method.at[i]))
			return 400;
	r = read_version((struct slice){ second + 1, (size_t)(end - second - 1) }, &request->minor);
	if (r)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (method.length == strlen(methods[i].name) &&
		    memcmp(method.at, methods[i].name, method.length) == 0)
			request->method = methods[i].method;
	if (!request->method)
		return 501;
	return read_target((struct slice){ first + 1, (size_t)(second - first - 1) }, request,
			   ret_authority);
}

/* Proxies append lines of their own, so the last ones are the nearest. */
static void keep_forwarded(struct http_request *request, struct slice value)
{
	if (request->n_forwarded == HTTP_FORWARDED_MAX) {
		memmove(request->forwarded, request->forwarded + 1,
			(HTTP_FORWARDED_MAX - 1) * sizeof(value));
		request->n_forwarded--;
	}
	request->forwarded[request->n_forwarded++] = value;
}

/* A header that came before: false when the request cannot go on. What proxies add themselves may
 * stand beside what their client sent. */
static bool repeat_header(struct http_request *request, size_t id, struct slice value)
{
	if (id == HTTP_HEADER_X_REQUEST_ID)
		request->headers[id] = value;
	return id == HTTP_HEADER_X_REQUEST_ID || id == HTTP_HEADER_X_FORWARDED_FOR ||
	       id == HTTP_HEADER_ACCEPT || id == HTTP_HEADER_ACCEPT_LANGUAGE;
}

/* name ":" OWS value OWS; a space before the colon and folded lines are refused (RFC
 * 9112 5.1, 5.2). */
static int read_header(struct slice line, struct http_request *request)
{
	const char *colon = memchr(line.at, ':', line.length);
	struct slice name, value;

	if (!colon || colon == line.at)
		return 400;
	name = (struct slice){ line.at, (size_t)(colon - line.at) };
	value = (struct slice){ colon + 1, line.length - name.length - 1 };
	for (size_t i = 0; i < name.length; i++)
		if (!is_token_char(name.at[i]))
			return 400;
	for (size_t i = 0; i < value.length; i++)
		if (is_control(value.at[i]) && value.at[i] != '\t')
			return 400;
	while (value.length && (*value.at == ' ' || *value.at == '\t')) {
		value.at++;
		value.length--;
	}
	while (value.length && strchr(" \t", value.at[value.length - 1]))
		value.length--;
	for (size_t id = HTTP_HEADER_OTHER + 1; id < _HTTP_HEADER_N; id++) {
		if (!slice_is(name, header_names[id]))
			continue;
		if (id == HTTP_HEADER_X_FORWARDED_FOR)
			keep_forwarded(request, value);
		/* None of the others may come twice: the second copy is what another parser might
		 * read. */
		if (request->headers[id].at)
			return repeat_header(request, id, value) ? 0 : 400;
		request->headers[id] = value;
		return 0;
	}
	return 0;
}

static int read_length(struct http_request *request)
{
	struct slice text = request->headers[HTTP_HEADER_CONTENT_LENGTH];

	if (request->headers[HTTP_HEADER_TRANSFER_ENCODING].at) {
		/* RFC 9112 section 6.1: together they are a smuggle; alone a coding we do not have.
		 */
		return text.at || request->minor == 0 ? 400 : 501;
	}
	if (!text.at)
		return 0;
	if (text.length == 0 || text.length > 18)
		return 400;
	for (size_t i = 0; i < text.length; i++) {
		if (!is_digit(text.at[i]))
			return 400;
		request->content_length = request->content_length * 10 +
					  (uint64_t)(text.at[i] - '0');
	}
	if (request->content_length && (request->method & (HTTP_GET | HTTP_HEAD | HTTP_OPTIONS)))
		return 400;
	return 0;
}

/* host [":" port], RFC 3986 section 3.2.2: a name, an IPv4 address or a bracketed IPv6 address. */
static bool is_sound_host(struct slice host)
{
	size_t i = 0, from;

	if (host.length == 0 || host.length > 255)
		return false;
	if (host.at[0] == '[') {
		for (i = 1;
		     i < host.length && (hex_digit(host.at[i]) >= 0 || strchr(":.", host.at[i]));)
			i++;
		if (i < 4 || i == host.length || host.at[i++] != ']')
			return false;
	} else {
		while (i < host.length && (is_alnum(host.at[i]) || strchr("-._", host.at[i])))
			i++;
		if (i == 0)
			return false;
	}
	if (i == host.length)
		return true;
	if (host.at[i++] != ':')
		return false;
	for (from = i; i < host.length && is_digit(host.at[i]);)
		i++;
	return i == host.length && i > from && i - from <= 5;
}

static int read_host(struct http_request *request, struct slice authority)
{
	struct slice host = request->headers[HTTP_HEADER_HOST];

	if (!host.at || !is_sound_host(host))
		return 400;
	if (authority.at && (authority.length != host.length ||
			     strncasecmp(authority.at, host.at, host.length) != 0))
		return 400;
	return 0;
}

/* Connection: close ends it; HTTP/1.0 always ends. Everything else in it, Upgrade too, is ignored.
 */
static int read_connection(struct http_request *request)
{
	struct slice list = request->headers[HTTP_HEADER_CONNECTION];
	struct slice expect = request->headers[HTTP_HEADER_EXPECT];

	request->is_keep_alive = request->minor == 1;
	while (list.length) {
		const char *comma = memchr(list.at, ',', list.length);
		struct slice item = { list.at, comma ? (size_t)(comma - list.at) : list.length };

		list.at += comma ? item.length + 1 : item.length;
		list.length -= comma ? item.length + 1 : item.length;
		while (item.length && strchr(" \t", *item.at)) {
			item.at++;
			item.length--;
		}
		while (item.length && strchr(" \t", item.at[item.length - 1]))
			item.length--;
		if (slice_is(item, "close"))
			request->is_keep_alive = false;
	}
	if (!expect.at || request->minor == 0)
		return 0;
	if (!slice_is(expect, "100-continue"))
		return 417;
	request->expects_continue = request->content_length > 0;
	return 0;
}

/* One line of the head behind the other; `head` ends with the empty line. */
static int read_head(struct slice head, struct http_request *ret_request)
{
	struct http_request request = { 0 };
	struct slice authority = { 0 };
	const char *at = head.at, *end = head.at + head.length - 2;
	bool is_first = true;
	int r;

	while (at < end) {
		const char *cr = memchr(at, '\r', (size_t)(end - at));
		struct slice line = { at, (size_t)(cr - at) };

		r = is_first ? read_request_line(line, &request, &authority)
			     : read_header(line, &request);
		if (r)
			return r;
		is_first = false;
		at = cr + 2;
	}
	r = read_length(&request);
	if (!r)
		r = read_host(&request, authority);
	if (!r)
		r = read_connection(&request);
	if (!r)
		*ret_request = request;
	return r;
}

static int scan(struct http_parser *parser, struct slice bytes, bool *ret_is_complete)
{
	for (size_t i = parser->n_scanned; i < bytes.length; i++) {
		char c = bytes.at[i], before = i ? bytes.at[i - 1] : '\0';

		if (i >= HTTP_HEAD_MAX)
			return parser->line_length ? 431 : 414;
		if (c == '\0' || (c == '\n') != (before == '\r'))
			return 400;
		parser->n_scanned = i + 1;
		if (c != '\n')
			continue;
		if (parser->line_length && i >= 3 && bytes.at[i - 2] == '\n') {
			*ret_is_complete = true;
			return 0;
		}
		if (!parser->line_length)
			parser->line_length = i + 1;
		else if (++parser->n_headers > HTTP_HEADERS_MAX)
			return 431;
	}
	return 0;
}

/* A request line is judged before what comes behind it has come, or is refused: a client of another
 * version may wait for an answer before it sends more. In a complete head it is read with it. */
static int judge_line(struct http_parser *parser, struct slice bytes)
{
	struct http_request request = { 0 };
	struct slice authority = { 0 };

	if (!parser->line_length || parser->is_line_sound)
		return 0;
	parser->is_line_sound = true;
	return read_request_line((struct slice){ bytes.at, parser->line_length - 2 }, &request,
				 &authority);
}

/**
 * http_parse_head() - read one request head
 * @parser: HTTP_PARSER_NULL before the first byte of each request
 * @bytes: all bytes of this request so far; may go on behind the head
 * @ret_request: the head, its slices borrowed from @bytes
 * @ret_length: bytes that the head takes
 * @ret_status: on HTTP_E_REFUSED, the status to answer with before closing
 *
 * Return: 0, HTTP_E_MORE, HTTP_E_REFUSED.
 */
int http_parse_head(struct http_parser *parser, struct slice bytes,
		    struct http_request *ret_request, size_t *ret_length, int *ret_status)
{
	bool is_complete = false;
	int r, r_line = 0;

	r = scan(parser, bytes, &is_complete);
	if (!is_complete)
		r_line = judge_line(parser, bytes);
	if (r_line)
		r = r_line;
	if (!r && !is_complete)
		return HTTP_E_MORE;
	if (!r)
		r = read_head((struct slice){ bytes.at, parser->n_scanned }, ret_request);
	if (r) {
		*ret_status = r;
		return HTTP_E_REFUSED;
	}
	*ret_length = parser->n_scanned;
	return 0;
}
