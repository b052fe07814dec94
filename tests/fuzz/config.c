/*
 * The configuration: what was accepted is dumped as text that reads back and dumps the same; what
 * was refused says why, in one line of plain text.
 */

#include "tests/fuzz/fuzz.h"

#include "daemon/app/config.h"
#include "daemon/base/buffer.h"

#include <string.h>

static struct slice slice_of(const struct buffer *buffer)
{
	return (struct slice){ buffer->at, buffer->length };
}

static void check_dump(const struct config *config)
{
	CLEANUP(buffer_deinit) struct buffer once = BUFFER_NULL;
	CLEANUP(buffer_deinit) struct buffer twice = BUFFER_NULL;
	struct config *again = NULL;
	struct config_error error;
	int r;

	config_dump(config, &once);
	r = buffer_finish(&once);
	NOT_NEGATIVE(r, out);
	r = config_read("dump", slice_of(&once), &again, &error);
	NOT_NEGATIVE(r, out);
	PROPERTY(r == 0);
	config_dump(again, &twice);
	r = buffer_finish(&twice);
	NOT_NEGATIVE(r, out);
	PROPERTY(once.length == twice.length && memcmp(once.at, twice.at, once.length) == 0);
out:
	config_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct slice text = { size ? (const char *)bytes : "", size };
	struct config_error error = { .text = "" };
	struct config *config = NULL;
	char line[512];
	int r = config_read("f", text, &config, &error);

	NOT_NEGATIVE(r, out);
	if (r > 0) {
		PROPERTY(r == CONFIG_E_REFUSED && !config);
		PROPERTY(fuzz_is_line(error.text));
		config_error_print("f", &error, line, sizeof(line));
		PROPERTY(fuzz_is_line(line) && !error.line == !error.column);
		return 0;
	}
	check_dump(config);
out:
	config_free(config);
	return 0;
}
