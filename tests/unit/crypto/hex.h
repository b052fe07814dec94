#pragma once
/* Bytes of published vectors, written in hex. */

#include "tests/unit/suite.h"

#include "daemon/base/codec.h"

/* Decodes exactly `size` bytes. */
static inline void hex(const char *text, void *ret_bytes, size_t size)
{
	size_t length = 0;

	ck_assert_int_eq(codec_hex_decode(slice_of(text), ret_bytes, size, &length), 0);
	ck_assert_uint_eq(length, size);
}
