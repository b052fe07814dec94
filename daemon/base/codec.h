#pragma once
/* Bytes as text and back: hex, base64 (RFC 4648 section 4, strict, padded), base64url (section 5,
 * strict, unpadded), Crockford base32. */

#include "daemon/base/error.h"

/* Each encoder writes a NUL and returns the text's length; ret_text must have room. */
size_t codec_hex_encode(char *ret_text, const void *bytes, size_t length);       /* 2n + 1 */
size_t codec_base64_encode(char *ret_text, const void *bytes, size_t length);    /* 4n/3 + 4 */
size_t codec_base64url_encode(char *ret_text, const void *bytes, size_t length); /* 4n/3 + 4 */
size_t codec_base32_encode(char *ret_text, const void *bytes, size_t length);    /* 8n/5 + 2 */

/* Each decoder returns 0, or CODEC_E_MALFORMED: wrong characters, non-canonical trailing bits, or
 * more than `size` bytes. */
enum { CODEC_E_MALFORMED = 1 };
int codec_hex_decode(struct slice text, void *ret_bytes, size_t size, size_t *ret_length);
int codec_base64_decode(struct slice text, void *ret_bytes, size_t size, size_t *ret_length);
int codec_base64url_decode(struct slice text, void *ret_bytes, size_t size, size_t *ret_length);
/* Case-insensitive; I and L read as 1, O as 0; '-' is skipped. */
int codec_base32_decode(struct slice text, void *ret_bytes, size_t size, size_t *ret_length);
