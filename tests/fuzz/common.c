/* What fuzz targets share, whichever main() they are linked with. */

#include "tests/fuzz/fuzz.h"
#include "daemon/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends the program with the property that does not hold. */
void fuzz_fail(const char *property, const char *file, int line)
{
	fprintf(stderr, "property does not hold: %s:%d: %s\n", file, line, property);
	abort();
}

/* Valid UTF-8 without control characters, and not empty. */
bool fuzz_is_line(const char *text)
{
	struct slice rest = { text, strlen(text) };

	if (!rest.length)
		return false;
	while (rest.length) {
		uint32_t point = 0;
		size_t n = text_read_point(rest, &point);

		if (n == 0 || point < 0x20 || (point >= 0x7f && point < 0xa0))
			return false;
		rest.at += n;
		rest.length -= n;
	}
	return true;
}

/* FNV-1a, 32 bits. */
uint32_t fuzz_hash(const uint8_t *bytes, size_t size)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	return hash;
}
