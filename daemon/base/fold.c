/*
 * The folds that names are compared by. The user fold is what MediaWiki does to a user name before
 * it looks it up (MediaWikiTitleCodec::splitTitleString and Language::ucfirst). The skeleton goes
 * further: names that a reader takes for each other get the same one (UTS 39 section 4). It is a
 * hint for people, never an identity, so the table prefers too many matches to too few.
 */

#include "daemon/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { NAME_POINTS_MAX = 255 };

/* Look-alikes after case folding and compatibility decomposition, ascending. A letter whose two
 * cases look like different ones follows the capital. */
/* clang-format off */
static const struct look_alike {
	uint32_t point;
	const char *seen_as;
} look_alikes[] = {
	{ '$', "s" }, { '0', "o" }, { '1', "l" }, { '3', "e" }, { '5', "s" }, { '8', "b" },
	{ '@', "a" }, { 'i', "l" }, { '|', "l" },
	/* Latin letters that do not decompose */
	{ 0x00e6, "ae" }, { 0x00f0, "d" }, { 0x00f8, "o" }, { 0x00fe, "p" }, { 0x0111, "d" },
	{ 0x0127, "h" }, { 0x0131, "l" }, { 0x0138, "k" }, { 0x0142, "l" }, { 0x014b, "n" },
	{ 0x0153, "oe" }, { 0x0167, "t" }, { 0x0180, "b" }, { 0x0188, "c" }, { 0x018d, "g" },
	{ 0x0192, "f" }, { 0x01c0, "l" }, { 0x01dd, "e" }, { 0x0251, "a" }, { 0x0254, "c" },
	{ 0x0257, "d" }, { 0x0261, "g" }, { 0x0268, "l" }, { 0x0269, "l" }, { 0x026a, "l" },
	{ 0x0274, "n" }, { 0x0280, "r" }, { 0x028b, "u" }, { 0x028f, "y" }, { 0x0299, "b" },
	{ 0x029c, "h" }, { 0x029f, "l" },
	/* Greek */
	{ 0x03b1, "a" }, { 0x03b2, "b" }, { 0x03b3, "y" }, { 0x03b5, "e" }, { 0x03b6, "z" },
	{ 0x03b7, "h" }, { 0x03b9, "l" }, { 0x03ba, "k" }, { 0x03bc, "m" }, { 0x03bd, "n" },
	{ 0x03bf, "o" }, { 0x03c1, "p" }, { 0x03c3, "o" }, { 0x03c4, "t" }, { 0x03c5, "y" },
	{ 0x03c7, "x" }, { 0x03c9, "w" }, { 0x03f2, "c" }, { 0x03f3, "j" },
	/* Cyrillic */
	{ 0x0430, "a" }, { 0x0432, "b" }, { 0x0433, "r" }, { 0x0435, "e" }, { 0x0437, "e" },
	{ 0x043a, "k" }, { 0x043c, "m" }, { 0x043d, "h" }, { 0x043e, "o" }, { 0x043f, "n" },
	{ 0x0440, "p" }, { 0x0441, "c" }, { 0x0442, "t" }, { 0x0443, "y" }, { 0x0445, "x" },
	{ 0x044c, "b" }, { 0x0455, "s" }, { 0x0456, "l" }, { 0x0458, "j" }, { 0x04ae, "y" },
	{ 0x04af, "y" }, { 0x04bb, "h" }, { 0x04cf, "l" }, { 0x0501, "d" }, { 0x051b, "q" },
	{ 0x051d, "w" },
	/* Armenian, and Cherokee, which folds to its capitals */
	{ 0x0570, "h" }, { 0x0578, "n" }, { 0x057d, "u" }, { 0x0581, "g" }, { 0x0585, "o" },
	{ 0x13a0, "d" }, { 0x13a1, "r" }, { 0x13a2, "t" }, { 0x13aa, "a" }, { 0x13ab, "j" },
	{ 0x13ac, "e" }, { 0x13b3, "w" }, { 0x13b7, "m" }, { 0x13bb, "h" }, { 0x13c0, "g" },
	{ 0x13c3, "z" }, { 0x13cf, "b" }, { 0x13d9, "v" }, { 0x13da, "s" }, { 0x13de, "l" },
	{ 0x13df, "c" }, { 0x13e2, "p" }, { 0x13e6, "k" },
};
/* clang-format on */

/* Pairs that are read as one letter in most typefaces. */
static const struct {
	char pair[3];
	char seen_as;
} pairs[] = { { "rn", 'm' }, { "vv", 'w' } };

static bool is_space(uint32_t point)
{
	return point == ' ' || point == '_' || point == 0xa0 || point == 0x1680 ||
	       point == 0x180e || (point >= 0x2000 && point <= 0x200a) || point == 0x2028 ||
	       point == 0x2029 || point == 0x202f || point == 0x205f || point == 0x3000;
}

/* MediaWiki drops these from titles: they change the direction of text and show nothing. */
static bool is_direction_mark(uint32_t point)
{
	return point == 0x200e || point == 0x200f || (point >= 0x202a && point <= 0x202e);
}

static uint32_t first_letter(uint32_t point)
{
	/* Wikimedia's wikis keep it: its capital would be two letters
	 * ($wgOverrideUcfirstCharacters). */
	if (point == 0xdf)
		return point;
	return (uint32_t)utf8proc_toupper((utf8proc_int32_t)point);
}

/*
 * Folds a user name as MediaWiki compares it: normal form C, runs of white space and '_' are one
 * space, none at the ends, direction marks dropped, first letter upper case. An empty result is not
 * an error here. Returns TEXT_E_INVALID, TEXT_E_TOO_LONG or -ENOMEM.
 */
int text_fold_user(struct arena *arena, struct slice name, struct slice *ret_name)
{
	struct slice rest;
	bool has_space = false;
	size_t length = 0;
	char *folded;
	int r;

	r = text_normalise(arena, name, NAME_POINTS_MAX, &rest);
	if (r)
		return r;
	/* Upper case may take a byte or two more than lower case; one letter of it is changed. */
	folded = arena_alloc(arena, rest.length + 4);
	if (!folded)
		return -ENOMEM;
	for (uint32_t point; rest.length > 0;) {
		size_t n = text_read_point(rest, &point);

		rest.at += n;
		rest.length -= n;
		if (is_space(point)) {
			has_space = length > 0;
			continue;
		}
		if (is_direction_mark(point))
			continue;
		if (has_space)
			folded[length++] = ' ';
		has_space = false;
		length += text_write_point(folded + length, length ? point : first_letter(point));
	}
	folded[length] = '\0';
	*ret_name = (struct slice){ .at = folded, .length = length };
	return 0;
}

/*
 * Spaces, punctuation, controls, modifier symbols, and marks written over, under or through a
 * letter. Vowel signs, viramas and voicing marks (combining classes 0 and 7 to 9) are kept: without
 * them words of the Indic scripts and of kana would all be alike.
 */
static bool is_dropped(uint32_t point)
{
	const utf8proc_property_t *property = utf8proc_get_property((utf8proc_int32_t)point);

	switch (property->category) {
	case UTF8PROC_CATEGORY_MN:
		return property->combining_class == 1 || property->combining_class > 9;
	case UTF8PROC_CATEGORY_ME:
	case UTF8PROC_CATEGORY_PC:
	case UTF8PROC_CATEGORY_PD:
	case UTF8PROC_CATEGORY_PS:
	case UTF8PROC_CATEGORY_PE:
	case UTF8PROC_CATEGORY_PI:
	case UTF8PROC_CATEGORY_PF:
	case UTF8PROC_CATEGORY_PO:
	case UTF8PROC_CATEGORY_SK:
	case UTF8PROC_CATEGORY_ZS:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_CF:
	case UTF8PROC_CATEGORY_CN:
	case UTF8PROC_CATEGORY_CO:
		return true;
	default:
		return false;
	}
}

static int compare_look_alike(const void *key, const void *member)
{
	uint32_t point = *(const uint32_t *)key;
	uint32_t other = ((const struct look_alike *)member)->point;

	return (point > other) - (point < other);
}

/* Writes what is seen of one code point; every entry is no longer than its point is in UTF-8. */
static size_t write_seen(char *ret_text, uint32_t point)
{
	const struct look_alike *found;

	found = bsearch(&point, look_alikes, ARRAY_SIZE(look_alikes), sizeof(look_alikes[0]),
			compare_look_alike);
	if (found) {
		size_t n = strlen(found->seen_as);

		memcpy(ret_text, found->seen_as, n);
		return n;
	}
	return is_dropped(point) ? 0 : text_write_point(ret_text, point);
}

static size_t fold_pairs(char *text, size_t length)
{
	size_t to = 0;

	for (size_t from = 0; from < length; from++) {
		text[to++] = text[from];
		for (size_t i = 0; i < ARRAY_SIZE(pairs) && to >= 2; i++) {
			if (text[to - 2] == pairs[i].pair[0] && text[to - 1] == pairs[i].pair[1]) {
				text[to - 2] = pairs[i].seen_as;
				to--;
			}
		}
	}
	return to;
}

/*
 * Folds a name to its skeleton. A name of which nothing is left (only punctuation, say) keeps its
 * case-folded form, so that not all such names are alike. Errors are those of text_fold_user().
 */
int text_fold_skeleton(struct arena *arena, struct slice name, struct slice *ret_skeleton)
{
	utf8proc_uint8_t *decomposed = NULL;
	struct slice folded, rest;
	utf8proc_ssize_t n_bytes;
	size_t length = 0;
	char *skeleton;
	int r;

	r = text_fold_user(arena, name, &folded);
	if (r)
		return r;
	n_bytes = utf8proc_map((const utf8proc_uint8_t *)folded.at, (utf8proc_ssize_t)folded.length,
			       &decomposed,
			       UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT |
				       UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
	if (n_bytes < 0) {
		free(decomposed);
		return n_bytes == UTF8PROC_ERROR_NOMEM ? -ENOMEM : TEXT_E_INVALID;
	}
	rest = (struct slice){ .at = (const char *)decomposed, .length = (size_t)n_bytes };
	skeleton = arena_alloc(arena, rest.length + 1);
	for (uint32_t point; skeleton && rest.length > 0;) {
		size_t n = text_read_point(rest, &point);

		if (n == 0)
			break;
		rest.at += n;
		rest.length -= n;
		length += write_seen(skeleton + length, point);
	}
	free(decomposed);
	if (!skeleton)
		return -ENOMEM;
	length = fold_pairs(skeleton, length);
	skeleton[length] = '\0';
	*ret_skeleton = length ? (struct slice){ .at = skeleton, .length = length } : folded;
	return 0;
}
