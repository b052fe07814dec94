/* The request parser: each malformed head is refused with its status, and whole heads are read. */

#include "api/http/parser.h"

#include "tests/unit/suite.h"
#include <stdlib.h>
#include <string.h>

#define HOST "Host: a.example\r\n"
#define GET(headers) "GET /v1/policy HTTP/1.1\r\n" HOST headers "\r\n"
#define POST(headers) "POST /v1/reports HTTP/1.1\r\n" HOST headers "\r\n"
#define TARGET(target) "GET " target " HTTP/1.1\r\n" HOST "\r\n"

/* Parses in one piece and byte by byte: both must agree. Returns the status, or 0. */
static int parse(const char *bytes, size_t length, struct http_request *ret_request)
{
	struct http_parser whole = HTTP_PARSER_NULL, piecemeal = HTTP_PARSER_NULL;
	int status = 0, status_piecemeal = 0, r, r_piecemeal = HTTP_E_MORE;
	size_t head = 0, head_piecemeal = 0;
	struct http_request request;
	/* A copy of its own size lets the sanitizer see a read behind the end. */
	char *copy = malloc(length);

	memcpy(copy, bytes, length);
	r = http_parse_head(&whole, (struct slice){ copy, length }, &request, &head, &status);
	for (size_t i = 1; i <= length && r_piecemeal == HTTP_E_MORE; i++)
		r_piecemeal = http_parse_head(&piecemeal, (struct slice){ copy, i }, &request,
					      &head_piecemeal, &status_piecemeal);
	free(copy);
	ck_assert_int_eq(r, r_piecemeal);
	ck_assert_int_eq(status, status_piecemeal);
	ck_assert_uint_eq(head, head_piecemeal);
	if (r == HTTP_E_MORE)
		return -1;
	if (r == 0 && ret_request) {
		struct http_parser again = HTTP_PARSER_NULL;

		http_parse_head(&again, (struct slice){ bytes, length }, ret_request, &head,
				&status);
	}
	return status;
}

#define REFUSED(name, status, bytes)                                             \
	START_TEST(name)                                                         \
	{                                                                        \
		ck_assert_int_eq(parse(bytes, sizeof(bytes) - 1, NULL), status); \
	}                                                                        \
	END_TEST
#define TAKEN(name, bytes) REFUSED(name, 0, bytes)

REFUSED(length_and_transfer_encoding_are_refused, 400,
	POST("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"))
REFUSED(transfer_encoding_and_length_in_the_other_order_are_refused, 400,
	POST("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"))
REFUSED(chunked_alone_is_not_implemented, 501, POST("Transfer-Encoding: chunked\r\n"))
REFUSED(transfer_encoding_identity_is_not_implemented, 501, POST("Transfer-Encoding: identity\r\n"))
REFUSED(transfer_encoding_xchunked_is_not_implemented, 501, POST("Transfer-Encoding: xchunked\r\n"))
REFUSED(empty_transfer_encoding_is_not_implemented, 501, POST("Transfer-Encoding:\r\n"))
REFUSED(transfer_encoding_in_http_1_0_is_refused, 400,
	"POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n")
REFUSED(two_lengths_are_refused, 400, POST("Content-Length: 3\r\nContent-Length: 4\r\n"))
REFUSED(two_equal_lengths_are_refused, 400, POST("Content-Length: 3\r\nContent-Length: 3\r\n"))
REFUSED(length_with_plus_is_refused, 400, POST("Content-Length: +3\r\n"))
REFUSED(length_with_minus_is_refused, 400, POST("Content-Length: -3\r\n"))
REFUSED(length_list_is_refused, 400, POST("Content-Length: 3,3\r\n"))
REFUSED(length_in_hex_is_refused, 400, POST("Content-Length: 0x3\r\n"))
REFUSED(length_with_fraction_is_refused, 400, POST("Content-Length: 3.0\r\n"))
REFUSED(length_of_twenty_digits_is_refused, 400, POST("Content-Length: 18446744073709551619\r\n"))
REFUSED(empty_length_is_refused, 400, POST("Content-Length:\r\n"))
REFUSED(space_inside_length_is_refused, 400, POST("Content-Length: 1 0\r\n"))
REFUSED(space_before_the_colon_is_refused, 400, POST("Content-Length : 3\r\n"))
REFUSED(tab_before_the_colon_is_refused, 400, POST("Content-Length\t: 3\r\n"))
REFUSED(header_without_colon_is_refused, 400, GET("Accept\r\n"))
REFUSED(header_without_name_is_refused, 400, GET(": x\r\n"))
REFUSED(header_name_with_non_token_is_refused, 400, GET("Acc(ept: x\r\n"))
REFUSED(bare_line_feed_after_the_request_line_is_refused, 400, "GET / HTTP/1.1\n" HOST "\r\n")
REFUSED(bare_line_feed_in_a_header_is_refused, 400, GET("A: b\nC: d\r\n"))
REFUSED(bare_line_feeds_at_the_end_are_refused, 400, "GET / HTTP/1.1\r\nHost: a\n\n")
REFUSED(bare_carriage_return_in_a_header_is_refused, 400, GET("A: b\rC: d\r\n"))
REFUSED(bare_carriage_return_in_the_request_line_is_refused, 400,
	"GET /\r HTTP/1.1\r\n" HOST "\r\n")
REFUSED(nul_in_a_header_value_is_refused, 400, GET("A: b\0c\r\n"))
REFUSED(nul_in_a_header_name_is_refused, 400, GET("A\0: b\r\n"))
REFUSED(nul_in_the_target_is_refused, 400, "GET /v1/\0policy HTTP/1.1\r\n" HOST "\r\n")
REFUSED(nul_as_first_byte_is_refused, 400, "\0GET / HTTP/1.1\r\n" HOST "\r\n")
REFUSED(control_character_in_a_value_is_refused, 400, GET("A: b\x01\r\n"))
REFUSED(delete_character_in_a_value_is_refused, 400, GET("A: b\x7f\r\n"))
REFUSED(folded_header_with_space_is_refused, 400, GET("A: b\r\n c\r\n"))
REFUSED(folded_header_with_tab_is_refused, 400, GET("A: b\r\n\tc\r\n"))
REFUSED(folded_first_header_is_refused, 400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n")
REFUSED(no_host_is_refused, 400, "GET / HTTP/1.1\r\n\r\n")
REFUSED(no_host_in_http_1_0_is_refused, 400, "GET / HTTP/1.0\r\n\r\n")
REFUSED(two_hosts_are_refused, 400, GET("Host: a.example\r\n"))
REFUSED(empty_host_is_refused, 400, "GET / HTTP/1.1\r\nHost:\r\n\r\n")
REFUSED(host_with_userinfo_is_refused, 400, "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n")
REFUSED(host_with_path_is_refused, 400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n")
REFUSED(host_list_is_refused, 400, "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n")
REFUSED(host_with_empty_port_is_refused, 400, "GET / HTTP/1.1\r\nHost: a:\r\n\r\n")
REFUSED(host_with_word_as_port_is_refused, 400, "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n")
REFUSED(host_with_open_bracket_is_refused, 400, "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n")
REFUSED(two_authorizations_are_refused, 400, GET("Authorization: a\r\nAuthorization: a\r\n"))
REFUSED(two_idempotency_keys_are_refused, 400, GET("Idempotency-Key: a\r\nIdempotency-Key: b\r\n"))
REFUSED(two_if_match_are_refused, 400, GET("If-Match: \"1\"\r\nIf-Match: \"2\"\r\n"))
REFUSED(two_content_types_are_refused, 400, POST("Content-Type: a/b\r\nContent-Type: a/c\r\n"))
REFUSED(http_0_9_request_line_is_refused, 400, "GET /\r\n")
REFUSED(http_0_9_version_is_refused, 505, "GET / HTTP/0.9\r\n" HOST "\r\n")
REFUSED(http_1_9_is_refused, 505, "GET / HTTP/1.9\r\n" HOST "\r\n")
REFUSED(http_1_2_is_refused, 505, "GET / HTTP/1.2\r\n" HOST "\r\n")
REFUSED(http_2_0_is_refused, 505, "GET / HTTP/2.0\r\n" HOST "\r\n")
REFUSED(http_2_preface_is_refused, 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
REFUSED(lower_case_protocol_is_refused, 400, "GET / http/1.1\r\n" HOST "\r\n")
REFUSED(version_with_two_digits_is_refused, 400, "GET / HTTP/1.10\r\n" HOST "\r\n")
REFUSED(two_spaces_in_the_request_line_are_refused, 400, "GET  / HTTP/1.1\r\n" HOST "\r\n")
REFUSED(trailing_space_in_the_request_line_is_refused, 400, "GET / HTTP/1.1 \r\n" HOST "\r\n")
REFUSED(leading_empty_line_is_refused, 400, "\r\nGET / HTTP/1.1\r\n" HOST "\r\n")
REFUSED(unknown_method_is_not_implemented, 501, "BREW / HTTP/1.1\r\n" HOST "\r\n")
REFUSED(lower_case_method_is_not_implemented, 501, "get / HTTP/1.1\r\n" HOST "\r\n")
REFUSED(connect_is_not_implemented, 501, "CONNECT a:443 HTTP/1.1\r\n" HOST "\r\n")
REFUSED(trace_is_not_implemented, 501, "TRACE / HTTP/1.1\r\n" HOST "\r\n")
REFUSED(method_of_no_token_is_refused, 400, "G(T / HTTP/1.1\r\n" HOST "\r\n")
REFUSED(tls_hello_is_refused, 400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc")
REFUSED(absolute_form_of_another_host_is_refused, 400, TARGET("http://b.example/v1/policy"))
REFUSED(absolute_form_with_userinfo_is_refused, 400, TARGET("http://x@a.example/v1/policy"))
REFUSED(absolute_form_without_path_is_refused, 400, TARGET("http://a.example"))
REFUSED(absolute_form_of_another_scheme_is_refused, 400, TARGET("ftp://a.example/"))
REFUSED(asterisk_target_is_refused, 400, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n")
REFUSED(double_slash_is_refused, 400, TARGET("//v1/policy"))
REFUSED(double_slash_inside_is_refused, 400, TARGET("/v1//policy"))
REFUSED(encoded_dots_are_refused, 400, TARGET("/v1/%2e%2e/policy"))
REFUSED(half_encoded_dots_are_refused, 400, TARGET("/v1/.%2E/policy"))
REFUSED(plain_dots_are_refused, 400, TARGET("/v1/../policy"))
REFUSED(single_dot_is_refused, 400, TARGET("/v1/./policy"))
REFUSED(encoded_nul_in_the_path_is_refused, 400, TARGET("/v1/policy%00"))
REFUSED(encoded_nul_in_the_query_is_refused, 400, TARGET("/v1/policy?wiki=a%00"))
REFUSED(encoded_slash_is_refused, 400, TARGET("/v1%2fpolicy"))
REFUSED(encoded_backslash_is_refused, 400, TARGET("/v1%5cpolicy"))
REFUSED(plain_backslash_is_refused, 400, TARGET("/v1\\policy"))
REFUSED(encoded_line_feed_is_refused, 400, TARGET("/v1/policy%0d%0aX:y"))
REFUSED(overlong_utf8_in_the_path_is_refused, 400, TARGET("/v1/%c0%ae%c0%ae/policy"))
REFUSED(overlong_slash_is_refused, 400, TARGET("/v1/%c0%af"))
REFUSED(encoded_surrogate_is_refused, 400, TARGET("/v1/%ed%a0%80"))
REFUSED(overlong_utf8_in_the_query_is_refused, 400, TARGET("/v1/policy?wiki=%c1%81"))
REFUSED(raw_bytes_in_the_path_are_refused, 400, TARGET("/v1/\xc3\xa4"))
REFUSED(raw_bytes_in_the_query_are_refused, 400, TARGET("/v1/policy?wiki=\xc3\xa4"))
REFUSED(broken_escape_is_refused, 400, TARGET("/v1/%g0"))
REFUSED(cut_escape_is_refused, 400, TARGET("/v1/%4"))
REFUSED(fragment_is_refused, 400, TARGET("/v1/policy#x"))
REFUSED(body_on_get_is_refused, 400, GET("Content-Length: 2\r\n"))
REFUSED(body_on_head_is_refused, 400, "HEAD / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n")
REFUSED(unknown_expectation_is_refused, 417, POST("Expect: 200-ok\r\nContent-Length: 1\r\n"))

TAKEN(plain_get_is_taken, GET(""))
TAKEN(zero_length_on_get_is_taken, GET("Content-Length: 0\r\n"))
TAKEN(absolute_form_of_the_same_host_is_taken, TARGET("http://A.example/v1/policy"))
TAKEN(ipv6_host_with_port_is_taken, "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n")
TAKEN(encoded_utf8_is_taken, TARGET("/v1/%C3%A4?lang=de%7Cen|ar&x=%20+"))
TAKEN(forwarded_headers_are_ignored, GET("X-Forwarded-For: 1.2.3.4\r\nForwarded: for=x\r\n"))
TAKEN(method_override_is_ignored, GET("X-HTTP-Method-Override: DELETE\r\nX-Method: PUT\r\n"))
TAKEN(upgrade_is_ignored, GET("Connection: Upgrade\r\nUpgrade: websocket\r\n"))

START_TEST(upgrade_keeps_the_method_and_the_connection)
{
	static const char bytes[] = GET("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n");
	struct http_request request;

	ck_assert_int_eq(parse(bytes, sizeof(bytes) - 1, &request), 0);
	ck_assert_int_eq(request.method, HTTP_GET);
	ck_assert(request.is_keep_alive);
}
END_TEST

START_TEST(http_1_0_is_taken_and_not_kept_alive)
{
	static const char bytes[] = "GET / HTTP/1.0\r\n" HOST "Connection: keep-alive\r\n\r\n";
	struct http_request request;

	ck_assert_int_eq(parse(bytes, sizeof(bytes) - 1, &request), 0);
	ck_assert(!request.is_keep_alive);
}
END_TEST

START_TEST(close_among_other_options_ends_the_connection)
{
	static const char bytes[] = GET("Connection: foo , CLOSE\r\n");
	struct http_request request;

	ck_assert_int_eq(parse(bytes, sizeof(bytes) - 1, &request), 0);
	ck_assert(!request.is_keep_alive);
}
END_TEST

START_TEST(a_head_is_taken_apart)
{
	static const char bytes[] =
		"POST /v1/reports?a=b HTTP/1.1\r\nhOST:a.example:80\r\nContent-Length: \t12 \r\n"
		"Expect: 100-Continue\r\nIdempotency-Key: k\r\n\r\n{\"rest\":true}";
	struct http_request request;

	ck_assert_int_eq(parse(bytes, sizeof(bytes) - 1, &request), 0);
	ck_assert_int_eq(request.method, HTTP_POST);
	ck_assert_uint_eq(request.path.length, strlen("/v1/reports"));
	ck_assert(memcmp(request.query.at, "a=b", 3) == 0 && request.query.length == 3);
	ck_assert_uint_eq(request.content_length, 12);
	ck_assert(request.expects_continue && request.is_keep_alive);
	ck_assert_uint_eq(request.headers[HTTP_HEADER_IDEMPOTENCY_KEY].length, 1);
	ck_assert_ptr_null(request.headers[HTTP_HEADER_AUTHORIZATION].at);
}
END_TEST

static int parse_many_headers(size_t n_headers)
{
	char bytes[4096] = "GET / HTTP/1.1\r\n" HOST;

	for (size_t i = 1; i < n_headers; i++)
		strcat(bytes, "A: b\r\n");
	strcat(bytes, "\r\n");
	return parse(bytes, strlen(bytes), NULL);
}

START_TEST(sixty_four_headers_are_taken_and_one_more_is_not)
{
	ck_assert_int_eq(parse_many_headers(64), 0);
	ck_assert_int_eq(parse_many_headers(65), 431);
}
END_TEST

/* A head of exactly `length` bytes. */
static int parse_long_head(size_t length)
{
	static const char start[] = "GET / HTTP/1.1\r\n" HOST "A: ";
	char bytes[HTTP_HEAD_MAX + 16];

	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, start, sizeof(start) - 1);
	memcpy(bytes + length - 4, "\r\n\r\n", 4);
	return parse(bytes, length, NULL);
}

START_TEST(eight_kib_of_head_are_taken_and_one_byte_more_is_not)
{
	ck_assert_int_eq(parse_long_head(HTTP_HEAD_MAX), 0);
	ck_assert_int_eq(parse_long_head(HTTP_HEAD_MAX + 1), 431);
}
END_TEST

static int parse_long_target(size_t length)
{
	static const char end[] = " HTTP/1.1\r\n" HOST "\r\n";
	char bytes[HTTP_TARGET_MAX + 128] = "GET /";

	memset(bytes + 5, 'x', length - 1);
	memcpy(bytes + 4 + length, end, sizeof(end) - 1);
	return parse(bytes, 4 + length + sizeof(end) - 1, NULL);
}

START_TEST(two_kib_of_target_are_taken_and_one_byte_more_is_not)
{
	ck_assert_int_eq(parse_long_target(HTTP_TARGET_MAX), 0);
	ck_assert_int_eq(parse_long_target(HTTP_TARGET_MAX + 1), 414);
}
END_TEST

START_TEST(a_request_line_without_end_is_refused_at_the_limit)
{
	char bytes[HTTP_HEAD_MAX + 2] = "GET /";

	memset(bytes + 5, 'x', sizeof(bytes) - 5);
	ck_assert_int_eq(parse(bytes, sizeof(bytes), NULL), 414);
}
END_TEST

START_TEST(half_a_head_asks_for_more)
{
	static const char bytes[] = "GET / HTTP/1.1\r\nHost: a\r\n";

	ck_assert_int_eq(parse(bytes, sizeof(bytes) - 1, NULL), -1);
}
END_TEST

START_TEST(percent_decoding_reads_plus_as_space_in_forms_only)
{
	char text[8];
	size_t length;

	ck_assert(http_percent_decode((struct slice){ "a+%41", 5 }, true, text, &length));
	ck_assert(length == 3 && memcmp(text, "a A", 3) == 0);
	ck_assert(http_percent_decode((struct slice){ "a+%41", 5 }, false, text, &length));
	ck_assert(length == 3 && memcmp(text, "a+A", 3) == 0);
	ck_assert(!http_percent_decode((struct slice){ "%4", 2 }, false, text, &length));
}
END_TEST

SUITE("http/parser", length_and_transfer_encoding_are_refused,
      transfer_encoding_and_length_in_the_other_order_are_refused, chunked_alone_is_not_implemented,
      transfer_encoding_identity_is_not_implemented, transfer_encoding_xchunked_is_not_implemented,
      empty_transfer_encoding_is_not_implemented, transfer_encoding_in_http_1_0_is_refused,
      two_lengths_are_refused, two_equal_lengths_are_refused, length_with_plus_is_refused,
      length_with_minus_is_refused, length_list_is_refused, length_in_hex_is_refused,
      length_with_fraction_is_refused, length_of_twenty_digits_is_refused, empty_length_is_refused,
      space_inside_length_is_refused, space_before_the_colon_is_refused,
      tab_before_the_colon_is_refused, header_without_colon_is_refused,
      header_without_name_is_refused, header_name_with_non_token_is_refused,
      bare_line_feed_after_the_request_line_is_refused, bare_line_feed_in_a_header_is_refused,
      bare_line_feeds_at_the_end_are_refused, bare_carriage_return_in_a_header_is_refused,
      bare_carriage_return_in_the_request_line_is_refused, nul_in_a_header_value_is_refused,
      nul_in_a_header_name_is_refused, nul_in_the_target_is_refused, nul_as_first_byte_is_refused,
      control_character_in_a_value_is_refused, delete_character_in_a_value_is_refused,
      folded_header_with_space_is_refused, folded_header_with_tab_is_refused,
      folded_first_header_is_refused, no_host_is_refused, no_host_in_http_1_0_is_refused,
      two_hosts_are_refused, empty_host_is_refused, host_with_userinfo_is_refused,
      host_with_path_is_refused, host_list_is_refused, host_with_empty_port_is_refused,
      host_with_word_as_port_is_refused, host_with_open_bracket_is_refused,
      two_authorizations_are_refused, two_idempotency_keys_are_refused, two_if_match_are_refused,
      two_content_types_are_refused, http_0_9_request_line_is_refused, http_0_9_version_is_refused,
      http_1_9_is_refused, http_1_2_is_refused, http_2_0_is_refused, http_2_preface_is_refused,
      lower_case_protocol_is_refused, version_with_two_digits_is_refused,
      two_spaces_in_the_request_line_are_refused, trailing_space_in_the_request_line_is_refused,
      leading_empty_line_is_refused, unknown_method_is_not_implemented,
      lower_case_method_is_not_implemented, connect_is_not_implemented, trace_is_not_implemented,
      method_of_no_token_is_refused, tls_hello_is_refused, absolute_form_of_another_host_is_refused,
      absolute_form_with_userinfo_is_refused, absolute_form_without_path_is_refused,
      absolute_form_of_another_scheme_is_refused, asterisk_target_is_refused,
      double_slash_is_refused, double_slash_inside_is_refused, encoded_dots_are_refused,
      half_encoded_dots_are_refused, plain_dots_are_refused, single_dot_is_refused,
      encoded_nul_in_the_path_is_refused, encoded_nul_in_the_query_is_refused,
      encoded_slash_is_refused, encoded_backslash_is_refused, plain_backslash_is_refused,
      encoded_line_feed_is_refused, overlong_utf8_in_the_path_is_refused, overlong_slash_is_refused,
      encoded_surrogate_is_refused, overlong_utf8_in_the_query_is_refused,
      raw_bytes_in_the_path_are_refused, raw_bytes_in_the_query_are_refused,
      broken_escape_is_refused, cut_escape_is_refused, fragment_is_refused, body_on_get_is_refused,
      body_on_head_is_refused, unknown_expectation_is_refused, plain_get_is_taken,
      zero_length_on_get_is_taken, absolute_form_of_the_same_host_is_taken,
      ipv6_host_with_port_is_taken, encoded_utf8_is_taken, forwarded_headers_are_ignored,
      method_override_is_ignored, upgrade_is_ignored, upgrade_keeps_the_method_and_the_connection,
      http_1_0_is_taken_and_not_kept_alive, close_among_other_options_ends_the_connection,
      a_head_is_taken_apart, sixty_four_headers_are_taken_and_one_more_is_not,
      eight_kib_of_head_are_taken_and_one_byte_more_is_not,
      two_kib_of_target_are_taken_and_one_byte_more_is_not,
      a_request_line_without_end_is_refused_at_the_limit, half_a_head_asks_for_more,
      percent_decoding_reads_plus_as_space_in_forms_only)
