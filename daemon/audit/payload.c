/* A key may have blanks; a hash stands at the end of its line, and has none. */

#include "daemon/audit/payload.h"

#include <string.h>

#include "daemon/base/codec.h"
#include "daemon/base/text.h"

/* What is before the next one, which is taken off too; all of it where there is none. */
static struct slice take_until(struct slice *text, char end_mark)
{
	const char *end = text->length ? memchr(text->at, end_mark, text->length) : NULL;
	struct slice part = *text;

	if (!end) {
		*text = (struct slice){ 0 };
		return part;
	}
	part.length = (size_t)(end - text->at);
	text->at = end + 1;
	text->length -= part.length + 1;
	return part;
}

struct slice payload_field(struct slice *line)
{
	return take_until(line, ' ');
}

bool payload_read_hash(struct slice hex, struct tree_hash *ret_hash)
{
	size_t length;

	return !codec_hex_decode(hex, ret_hash->at, TREE_HASH_SIZE, &length) &&
	       length == TREE_HASH_SIZE;
}

struct payload_line payload_next(struct slice *payload)
{
	enum { HEX = 2 * TREE_HASH_SIZE };
	struct slice line = take_until(payload, '\n');
	struct payload_line next = { .table = payload_field(&line), .key = line };

	if (text_equals(next.table, text_slice("entry"))) {
		next.kind = PAYLOAD_ENTRY;
	} else if (text_equals(next.table, text_slice("gone"))) {
		next.kind = PAYLOAD_GONE;
		next.table = payload_field(&next.key);
	} else if (line.length > HEX + 1 && line.at[line.length - HEX - 1] == ' ' &&
		   payload_read_hash((struct slice){ line.at + line.length - HEX, HEX },
				     &next.hash)) {
		next.kind = PAYLOAD_ROW;
		next.key.length -= HEX + 1;
	}
	return next;
}

bool payload_may_go(struct slice table)
{
	static const char *const tables[] = { "content", "content_place", "stanza", "recusal",
					      "pending_act" };

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		if (text_equals(table, text_slice(tables[i])))
			return true;
	return false;
}
