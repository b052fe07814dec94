#pragma once
/*
 * Strict HTTP/1.1 request heads (RFC 9110, 9112): bytes in, struct out. Pure: no I/O, no
 * allocation, libc only. What two parsers could read in two ways is refused, not repaired.
 */

#include "daemon/base/error.h"

enum {
	HTTP_HEAD_MAX = 8192,
	HTTP_TARGET_MAX = 2048,
	HTTP_HEADERS_MAX = 64,
	HTTP_FORWARDED_MAX = 8,
};

enum http_method {
	HTTP_GET = 1,
	HTTP_HEAD = 2,
	HTTP_POST = 4,
	HTTP_PUT = 8,
	HTTP_PATCH = 16,
	HTTP_DELETE = 32,
	HTTP_OPTIONS = 64,
};

enum http_header_id {
	HTTP_HEADER_OTHER,
	HTTP_HEADER_ACCEPT,
	HTTP_HEADER_ACCEPT_LANGUAGE,
	HTTP_HEADER_ACCESS_CONTROL_REQUEST_METHOD,
	HTTP_HEADER_AUTHORIZATION,
	HTTP_HEADER_CONDUCT_FILENAME,
	HTTP_HEADER_CONNECTION,
	HTTP_HEADER_CONTENT_ENCODING,
	HTTP_HEADER_CONTENT_LENGTH,
	HTTP_HEADER_CONTENT_TYPE,
	HTTP_HEADER_COOKIE,
	HTTP_HEADER_EXPECT,
	HTTP_HEADER_HOST,
	HTTP_HEADER_IDEMPOTENCY_KEY,
	HTTP_HEADER_IF_MATCH,
	HTTP_HEADER_IF_NONE_MATCH,
	HTTP_HEADER_IF_RANGE,
	HTTP_HEADER_ORIGIN,
	HTTP_HEADER_RANGE,
	HTTP_HEADER_SEC_FETCH_SITE,
	HTTP_HEADER_TRANSFER_ENCODING,
	HTTP_HEADER_X_FORWARDED_FOR,
	HTTP_HEADER_X_REQUEST_ID,
	_HTTP_HEADER_N,
};

struct http_request {
	enum http_method method;
	unsigned minor;     /* of HTTP/1.x: 0 or 1 */
	struct slice path;  /* "/…", still percent-encoded; every escape is valid and harmless */
	struct slice query; /* behind '?', still encoded; at is NULL without '?' */
	struct slice headers[_HTTP_HEADER_N];       /* trimmed values; at is NULL when absent */
	struct slice forwarded[HTTP_FORWARDED_MAX]; /* X-Forwarded-For, the last lines in order */
	size_t n_forwarded;
	uint64_t content_length; /* 0 without the header */
	bool is_keep_alive;
	bool expects_continue;
};

struct http_parser {
	size_t n_scanned;   /* bytes of the head seen so far */
	size_t n_headers;   /* lines seen so far */
	size_t line_length; /* of the request line with its end; 0: it has not come yet */
	bool is_line_sound;
};

#define HTTP_PARSER_NULL \
	{                \
		0        \
	}

enum {
	HTTP_E_MORE = 1, /* the head is not complete */
	HTTP_E_REFUSED,  /* *ret_status says with what; the connection cannot go on */
};

/* 0, HTTP_E_MORE or HTTP_E_REFUSED. Slices in *ret_request point into `bytes`. */
int http_parse_head(struct http_parser *parser, struct slice bytes,
		    struct http_request *ret_request, size_t *ret_length, int *ret_status);

const char *http_method_name(enum http_method method);
const char *http_status_reason(int status); /* RFC 9110 phrase; "Unknown" for others */

/* Percent-decoding into ret_text (room for text.length bytes); '+' is a space if is_form.
 * False: a broken escape. */
bool http_percent_decode(struct slice text, bool is_form, char *ret_text, size_t *ret_length);
