/* The forms of short texts. Whether something of that name exists is asked elsewhere. */

#include "daemon/cases/scalar.h"
#include "daemon/base/text.h"

#include <string.h>

enum { ID_MAX = 64, RULE_MAX = 200, LANG_MAX = 35 };

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_in(char c, const char *set)
{
	return c && strchr(set, c);
}

/* Nothing but white space, format and control characters: nothing to read. */
bool scalar_is_blank(struct slice text)
{
	while (text.length) {
		uint32_t point;
		size_t n = text_read_point(text, &point);

		if (!n ||
		    (point > 0x20 && point != 0x7f && point != 0xa0 && point != 0xad &&
		     !(point >= 0x2000 && point <= 0x200f) && point != 0x2028 && point != 0x2029 &&
		     point != 0x202f && point != 0x2060 && point != 0x3000 && point != 0xfeff))
			return false;
		text.at += n;
		text.length -= n;
	}
	return true;
}

bool scalar_is_time(struct slice text)
{
	int64_t usec;

	return text_read_timestamp(text, &usec) == 0;
}

bool scalar_is_id(struct slice text)
{
	if (!text.length || text.length > ID_MAX || !is_alphanumeric(text.at[0]))
		return false;
	for (size_t i = 1; i < text.length; i++)
		if (!is_alphanumeric(text.at[i]) && !is_in(text.at[i], "._-"))
			return false;
	return true;
}

/* Ids joined by '/', such as ucoc/3.1/doxing. */
bool scalar_is_rule(struct slice text)
{
	if (text.length > RULE_MAX)
		return false;
	for (;;) {
		const char *slash = text.length ? memchr(text.at, '/', text.length) : NULL;
		struct slice part = { text.at, slash ? (size_t)(slash - text.at) : text.length };

		if (!scalar_is_id(part))
			return false;
		if (!slash)
			return true;
		text.at = slash + 1;
		text.length -= part.length + 1;
	}
}

bool scalar_is_dbname(struct slice text)
{
	if (!text.length || text.length > ID_MAX)
		return false;
	for (size_t i = 0; i < text.length; i++)
		if (!is_alphanumeric(text.at[i]) && text.at[i] != '_')
			return false;
	return true;
}

/* [a-z]{2,8}(-[a-z0-9]{1,8})*, as MediaWiki writes its codes. */
bool scalar_is_lang(struct slice text)
{
	size_t n = 0;
	bool is_first = true;

	if (!text.length || text.length > LANG_MAX)
		return false;
	for (size_t i = 0; i <= text.length; i++) {
		if (i == text.length || text.at[i] == '-') {
			if (n < (is_first ? 2 : 1) || n > 8)
				return false;
			n = 0;
			is_first = false;
		} else if (is_alphanumeric(text.at[i]) && !(is_first && text.at[i] <= '9')) {
			n++;
		} else {
			return false;
		}
	}
	return true;
}

bool scalar_is_url(struct slice text)
{
	size_t prefix = text.length > 8 && memcmp(text.at, "https://", 8) == 0  ? 8
			: text.length > 7 && memcmp(text.at, "http://", 7) == 0 ? 7
										: 0;

	for (size_t i = 0; i < text.length; i++)
		if ((unsigned char)text.at[i] <= ' ' || is_in(text.at[i], "\"<>\\^`{|}\x7f"))
			return false;
	return prefix != 0;
}

bool scalar_is_number(struct slice text, int64_t max)
{
	int64_t number = 0;

	if (!text.length || text.length > 18 || (text.at[0] == '0' && text.length > 1))
		return false;
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
		number = number * 10 + (text.at[i] - '0');
	}
	return number <= max;
}
